/** The page of peers. */

import type { HttpRequest, Reply } from "../../http/exchange.ts";
import type { PeerRow } from "../../peers/peers.ts";
import type { PeerPlaces } from "../../peers/places.ts";
import { humanDuration, visibleText } from "./display.ts";
import { peerHref } from "./entries.ts";
import { errorReply } from "./errors.ts";
import { type Html, html } from "./html.ts";
import { dataTable, layOutPage, type PageContext } from "./layout.ts";
import { pageReply } from "./reply.ts";
import { chooseRepresentation, offeredTypes } from "./representation.ts";

/**
 * Returns the page of peers (`?page=peers`) as HTML, as JSON
 * (`{"peers": [...], "means": [...], "interfaces": [...]}`, see {@link PeerRow}), or as text with one peer
 * per line.
 */
export function peersPage(
  request: Pick<HttpRequest, "method" | "headers">,
  context: PageContext,
  search: string,
  peers: readonly PeerRow[],
  places: PeerPlaces,
): Reply {
  const form = chooseRepresentation(request, new URLSearchParams(search));
  if (form === null) {
    const offered = offeredTypes.join(", ");
    return errorReply(request, context, 406, `The list of peers is available as ${offered}.`);
  }
  if (form === "json") return pageReply(request, form, asJson(peers, places));
  const page = form === "text" ? peersAsText(peers, places) : asHtml(context, peers, places);
  return pageReply(request, form, page);
}

function asJson(peers: readonly PeerRow[], { means, interfaces }: PeerPlaces): string {
  const list = peers.map(({ url, origin, state, trouble, lastSeen, roundTrip, transfers }) => ({
    url,
    origin,
    state,
    trouble,
    lastSeen,
    roundTrip,
    transfers,
  }));
  return JSON.stringify({ peers: list, means, interfaces }, null, 2) + "\n";
}

/** Returns a sentence about the means and the interfaces of discovery. */
function placesText({ means, interfaces }: PeerPlaces): string {
  if (means.length === 0) return "Only peers that are named with --peer are used.";
  const where = interfaces.length === 0 ? "no interface" : interfaces.join(", ");
  return `Discovery uses ${means.join(" and ")} on ${visibleText(where)}.`;
}

function peersAsText(peers: readonly PeerRow[], places: PeerPlaces): string {
  if (peers.length === 0) return `No peers are known. ${placesText(places)}\n`;
  const addresses = peers.map(({ url }) => visibleText(url));
  const width = Math.max(...addresses.map((address) => address.length));
  return peers.map((peer, index) => {
    const trip = peer.roundTrip === null ? "-" : `${peer.roundTrip.toFixed(1)} ms`;
    const state = stateLabels[peer.state].padEnd(15);
    const trouble = peer.trouble === null ? "" : `  ${visibleText(peer.trouble)}`;
    return `${(addresses[index] ?? "").padEnd(width)}  ${state}  ${trip}${trouble}`.trimEnd() +
      "\n";
  }).join("");
}

const stateLabels: Readonly<Record<PeerRow["state"], string>> = {
  alive: "answers",
  candidate: "not yet asked",
  backoff: "does not answer",
};

const originLabels: Readonly<Record<PeerRow["origin"], string>> = {
  static: "named with --peer",
  announcement: "announced itself",
  nudge: "answered this server",
};

function asHtml(context: PageContext, peers: readonly PeerRow[], places: PeerPlaces): string {
  const main = html`<h1>Peers</h1>
<p>Other servers of this program on the network. If a file is missing here, these servers are asked for it.
${placesText(places)}</p>
${
    peers.length === 0
      ? html`<p class="empty">No peers are known.</p>`
      : dataTable("Known peers", "", TITLES, peers.map(peerRow))
  }`;
  return layOutPage(context, { title: "Peers", current: "peers", skip: "Skip to the peers", main });
}

const TITLES = ["Address", "State", "Found", "Last seen", "Round trip", "Transfers"];

function peerRow(peer: PeerRow): Html {
  const { url, state, trouble, lastSeen, roundTrip, transfers } = peer;
  const href = peerHref(url);
  const address = html`<bdi>${visibleText(url)}</bdi>`;
  const reason = visibleText(trouble ?? "");
  const isAlive = state === "alive";
  const label = html`<span class="${isAlive ? "good" : state === "candidate" ? "quiet" : "bad"}">${
    stateLabels[state]
  }</span>`;
  return html`
    <tr>
      <th scope="row">${href === null ? address : html`<a href="${href}">${address}</a>`}</th>
      <td>${label} ${trouble === null ? null : html`<span class="quiet">(${reason})</span>`}</td>
      <td>${originLabels[peer.origin]}</td>
      <td data-label="Seen">${lastSeen === null ? "never" : `${humanDuration(lastSeen)} ago`}</td>
      <td data-label="Round trip">${roundTrip === null ? null : `${roundTrip.toFixed(1)} ms`}</td>
      <td data-label="Transfers">${transfers}</td>
    </tr>
  `;
}

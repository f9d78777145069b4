/** The page of the status (`?page=status`). The script updates each part with `data-live`. */

import { count, humanDuration, humanSize, visibleText } from "../quickserve/pages/display.ts";
import { type Html, html } from "../quickserve/pages/html.ts";
import { dataTable, layOutPage, type PageContext } from "../quickserve/pages/layout.ts";
import { chart, chartTable } from "./chart.ts";
import { SOURCE_LABELS, STATE_LABELS } from "./labels.ts";
import type {
  CounterStatus,
  MirrorStatus,
  PeerStatus,
  Period,
  Snapshot,
  TransferStatus,
} from "./snapshot.ts";
import { amountText, localTime, rateText } from "./text.ts";
import { type Amount, FILE_SOURCES } from "./traffic.ts";

/** Milliseconds between two updates by the script. */
const REFRESH = 2_000;

/** Returns the page of the status. */
export function statusPage(context: PageContext, snapshot: Snapshot): string {
  const { problems, counters, transfers, peers, mirrors, discovery } = snapshot;
  const main = html`<h1>Status</h1>
<div data-refresh="${REFRESH}">
<p class="notice" role="status" data-refresh-trouble hidden>The server does not answer at the moment.</p>
${live("running", runningText(snapshot))}
${live("problems", problemList(problems))}
${live("saved", tiles(counters))}
<h2>The last 24 hours</h2>
${live("chart", chart(counters.hours))}
<details><summary>As a table</summary>${live("hours", chartTable(counters.hours))}</details>
<h2>Transfers</h2>
${live("transfers", transferList(transfers))}
<h2>Files and bytes</h2>
${live("counters", counterTable(counters))}
<h2>Peers</h2>
${live("peers", peerTable(peers, discovery))}
<h2>Mirrors</h2>
${live("mirrors", mirrorTable(mirrors))}
</div>`;
  return layOutPage(context, {
    title: "Status",
    current: "status",
    skip: "Skip to the status",
    main,
  });
}

function live(name: string, content: Html): Html {
  return html`<div data-live="${name}">${content}</div>`;
}

function runningText(
  { running: { since, seconds }, addresses, counters: { kept } }: Snapshot,
): Html {
  const all = addresses.map((address, index) =>
    html`${index === 0 ? " at " : ", "}<bdi>${address}</bdi>`
  );
  const note = kept ? null : " The counters restart at zero with each start.";
  return html`<p class="quiet">Running since ${timeElement(since)} (${
    humanDuration(seconds)
  })${all}.${note}</p>`;
}

function problemList(problems: readonly string[]): Html {
  if (problems.length === 0) return html`<p class="good">All is well.</p>`;
  return html`<ul class="problems">${
    problems.map((problem) => html`<li>${visibleText(problem)}</li>`)
  }</ul>`;
}

function tiles({ today, sinceStart, sinceInstallation, installed }: CounterStatus): Html {
  const tile = (title: string, { saved: { here, others } }: Period): Html =>
    html`<li><span class="quiet">${title}</span> <strong>${humanSize(here.bytes)}</strong>
<span class="quiet">did not come over the internet</span>
<span class="quiet">${humanSize(others.bytes)} sent to others</span></li>`;
  return html`<ul class="tiles">
${tile("Today", today)}
${tile("Since the start", sinceStart)}
${tile(`Since ${localTime(installed).slice(0, 10)}`, sinceInstallation)}
</ul>`;
}

function transferList(transfers: readonly TransferStatus[]): Html {
  if (transfers.length === 0) return html`<p class="quiet">None now.</p>`;
  return html`<ul class="transfers">${transfers.map(transferItem)}</ul>`;
}

function transferItem({ direction, file, size, done, rate, from, to }: TransferStatus): Html {
  const name = visibleText(file);
  const bar = size === null
    ? null
    : html`<progress aria-label="${name}" max="${size}" value="${
      Math.min(done, size)
    }"></progress>`;
  const amount = size === null ? humanSize(done) : `${humanSize(done)} of ${humanSize(size)}`;
  const place = direction === "sending"
    ? `to ${to}`
    : from === null
    ? "searching for a source"
    : `from ${from}`;
  return html`<li><span class="mono">${name}</span> ${bar}
<span class="quiet">${amount}, ${humanSize(rate)}/s, <bdi>${visibleText(place)}</bdi></span></li>`;
}

function counterTable({ today, sinceStart, sinceInstallation, installed }: CounterStatus): Html {
  const row = (title: string, { received, saved }: Period): Html =>
    html`<tr><th scope="row">${title}</th>${
      FILE_SOURCES.map((source) => amountCell(SOURCE_LABELS[source], received[source]))
    }${amountCell("LAN saved", saved.here)}${amountCell("served", saved.others)}</tr>`;
  return dataTable("Files and bytes", "numbers", [
    "",
    ...FILE_SOURCES.map((source) => SOURCE_LABELS[source]),
    "LAN saved",
    "served",
  ], [
    row("today", today),
    row("since the start", sinceStart),
    row(`since ${localTime(installed).slice(0, 10)}`, sinceInstallation),
  ]);
}

function peerTable(
  peers: readonly PeerStatus[],
  { means, interfaces }: Snapshot["discovery"],
): Html {
  const where = means.length === 0
    ? "Only peers that are named with --peer are used."
    : `Discovery uses ${means.join(" and ")} on ${interfaces.join(", ") || "no interface"}.`;
  const text = html`<p class="quiet">${visibleText(where)}</p>`;
  if (peers.length === 0) return html`<p>No peers are known.</p>${text}`;
  return html`${text}${
    dataTable(
      "Peers",
      "",
      ["Address", "State", "Found by", "Round trip", "Rate", "Received", "Failures"],
      peers.map((peer) =>
        html`<tr><th scope="row"><bdi>${visibleText(peer.url)}</bdi></th>
<td>${stateOf(peer.state)}${
          peer.trouble === null ? null : html`
            <span class="quiet">(${visibleText(peer.trouble)})</span>
          `
        }</td>${cell("found by", peer.foundBy.join(", "))}${
          cell("round trip", peer.roundTrip === null ? "-" : `${peer.roundTrip.toFixed(1)} ms`)
        }${cell("rate", rateText(peer.rate))}${cell("received", amountText(peer.received))}${
          cell("failures", String(peer.failures))
        }</tr>`
      ),
    )
  }`;
}

function mirrorTable(mirrors: readonly MirrorStatus[]): Html {
  if (mirrors.length === 0) return html`<p>There is no mirror in pacman.conf.</p>`;
  return dataTable(
    "Mirrors",
    "",
    ["Address", "State", "Rate", "Received", "Failures"],
    mirrors.map((mirror) =>
      html`<tr><th scope="row"><bdi>${visibleText(mirror.origin)}</bdi></th>
<td>${stateOf(mirror.state)}</td>${cell("rate", rateText(mirror.rate))}${
        cell("received", amountText(mirror.received))
      }${cell("failures", String(mirror.failures))}</tr>`
    ),
  );
}

/** Returns a cell; on a phone its label is shown before it. */
function cell(label: string, text: string): Html {
  return html`<td data-label="${label}">${text === "-" ? null : text}</td>`;
}

/** Returns a cell with bytes, and the number of files below them. */
function amountCell(label: string, { files, bytes }: Amount): Html {
  if (files === 0 && bytes === 0) return cell(label, "-");
  return html`<td data-label="${label}">${humanSize(bytes)} <span class="files">${
    count(files, "file")
  }</span></td>`;
}

function stateOf(state: keyof typeof STATE_LABELS): Html {
  const label = STATE_LABELS[state];
  const isGood = state === "alive" || state === "answers";
  const isBad = state === "backoff" || state === "fails";
  return html`<span class="${isGood ? "good" : isBad ? "bad" : "quiet"}">${label}</span>`;
}

/** Returns a time, which the script shows in the reader's time zone. */
function timeElement(iso: string): Html {
  const time = `${iso.slice(0, 19)}Z`;
  return html`<time datetime="${time}">${time.slice(0, 10)} ${time.slice(11, 16)} UTC</time>`;
}

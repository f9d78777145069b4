/** The page about the server: its settings and how to use it. */

import type { ListenConfiguration } from "../../http/configuration.ts";
import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { reachableAddresses, urlElsewhere } from "../../http/reachable.ts";
import { archiveLabel } from "./display.ts";
import { html } from "./html.ts";
import type { ListingContext } from "./listing.ts";
import { layOutPage } from "./layout.ts";
import { pageReply } from "./reply.ts";
import { chooseRepresentation } from "./representation.ts";
import { describeLimits, type UploadLimits } from "./upload.ts";
import { type Login, requestedUrl, uploadUses, type Use, usesAsText } from "./uses.ts";

/** The settings that the page shows. */
export interface AboutFacts {
  readonly login: Login;
  /** Null when uploads are off. */
  readonly uploads: UploadLimits | null;
  /** How peers are found: by multicast, only by `--peer`, or not at all. */
  readonly peers: "multicast" | "named" | "none";
  /** True when it serves packages to pacman, also on other machines. */
  readonly servesPackages: boolean;
  /** The address on which the server listens. */
  readonly listen: Pick<ListenConfiguration, "address" | "ipv6">;
}

/** A setting and its value: `Log in`, `not needed`. */
type Fact = readonly [name: string, value: string];

/** Returns the page about the server (`?page=about`): text for a terminal, HTML otherwise. */
export function aboutPage(
  request: Pick<HttpRequest, "method" | "headers" | "connection">,
  context: ListingContext,
  search: string,
  facts: AboutFacts,
): Reply {
  const { title, version } = context.configuration;
  const address = requestedUrl(request);
  const uses = [...pacmanUses(address, facts), ...generalUses(address, context, facts)];
  const sentence = `${title} ${version} shares files and directories on the local network.`;
  const inForce = factsOf(request, context, facts);
  if (chooseRepresentation(request, new URLSearchParams(search)) === "text") {
    return pageReply(request, "text", aboutAsText(sentence, inForce, uses));
  }
  const main = html`<h1>About this server</h1>
<p>${sentence}</p>
<h2>Settings</h2>
<dl class="facts">
${
    inForce.map(([name, value]) =>
      html`
        <dt>${name}</dt>
        <dd>${value}</dd>
      `
    )
  }</dl>
<h2>How to use it</h2>
${
    uses.map(({ title, command }) =>
      html`
        <p class="use">${title}</p>
        <pre>${command}</pre>
      `
    )
  }`;
  const content = { title: "About", current: "about", skip: "Skip to the page", main } as const;
  return pageReply(request, "html", layOutPage(context, content));
}

function aboutAsText(sentence: string, facts: readonly Fact[], uses: readonly Use[]): string {
  const lines = facts.map(([name, value]) => `  ${name.padEnd(11)} ${value}`);
  return `${sentence}\n\n${lines.join("\n")}\n\n${usesAsText(uses)}`;
}

function factsOf(
  { connection }: Pick<HttpRequest, "connection">,
  { configuration }: ListingContext,
  { login, uploads, peers }: AboutFacts,
): Fact[] {
  const archives = configuration.archives.map(archiveLabel).join(", ");
  return [
    ["Host", configuration.hostName === "" ? "(no name)" : configuration.hostName],
    ["Log in", { nothing: "not needed", uploads: "for uploads", everything: "needed" }[login]],
    ["Connection", connection.secure ? "encrypted (TLS)" : "not encrypted"],
    ["Uploads", uploads === null ? "off" : `on. ${describeLimits(uploads)}`],
    ["Archives", archives === "" ? "off" : archives],
    ["Peers", describePeers(peers, configuration.listRemote)],
  ];
}

function describePeers(peers: AboutFacts["peers"], listRemote: boolean): string {
  if (peers === "none") return "off";
  const found = peers === "multicast" ? "found by multicast" : "only the configured ones";
  return found + (listRemote ? "; listings include their files" : "");
}

/** Returns how pacman uses this server on a machine without pacserve. */
function pacmanUses(asked: string, { servesPackages, listen }: AboutFacts): Use[] {
  if (!servesPackages) return [];
  const address = urlElsewhere(asked, reachableAddresses(listen, Deno.networkInterfaces()));
  if (address === null) return [];
  return [{
    title: "Use it with pacman on another machine: first line of each repository in pacman.conf",
    command: `Server = ${address}/pacman/$repo/$arch`,
  }];
}

function generalUses(
  address: string,
  { configuration, hasPeers }: ListingContext,
  { uploads, login }: AboutFacts,
): Use[] {
  const user = login === "everything" ? "--digest -u NAME " : "";
  const uses: Use[] = [
    { title: "Download a file", command: `curl ${user}-O ${address}/path/to/file` },
    {
      title: "Resume a download",
      command: `curl ${user}-C - -O ${address}/path/to/file`,
    },
    { title: "List a directory", command: `curl ${user}${address}/` },
    {
      title: "List a directory for a script",
      command: `curl ${user}'${address}/?mimetype=application/json'`,
    },
  ];
  // Prefer tar: it can be unpacked while it arrives. A zip archive has its table of contents at the end.
  const archive = configuration.archives.find((format) => format !== "zip") ??
    configuration.archives[0];
  if (archive !== undefined) {
    const url = `'${address}/path/to/directory/?tar=${archive}'`;
    const unpack = { none: "tar -x", gz: "tar -xz", zst: "tar -x --zstd" }[archive] ?? "tar -x";
    const command = archive === "zip" ? `curl ${user}-OJ ${url}` : `curl ${user}${url} | ${unpack}`;
    uses.push({ title: "Download a directory", command });
  }
  if (uploads !== null) uses.push(...uploadUses(address, login));
  if (hasPeers) {
    uses.push({ title: "List the peers", command: `curl ${user}'${address}/?page=peers'` });
  }
  return uses;
}

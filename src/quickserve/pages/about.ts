/** The page about the server: what it is, how to use it, what it allows. */

import type { ListenConfiguration } from "../../http/configuration.ts";
import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { reachableAddresses, urlElsewhere } from "../../http/reachable.ts";
import { archiveLabel } from "./display.ts";
import { html } from "./html.ts";
import type { ListingContext } from "./listing.ts";
import { layOutPage } from "./layout.ts";
import { pageReply } from "./reply.ts";
import { chooseRepresentation } from "./representation.ts";
import { describeLimits } from "./upload.ts";
import type { UploadLimits } from "./upload.ts";
import { serverUrl, uploadUses, usesAsText } from "./uses.ts";
import type { Login, Use } from "./uses.ts";

/** The settings that users of the server have to know. */
export interface AboutFacts {
  readonly login: Login;
  /** Null: no uploads. */
  readonly uploads: UploadLimits | null;
  /** Where peers come from: those that announce themselves, only those that were named, or nowhere. */
  readonly peers: "multicast" | "named" | "none";
  /** It serves packages to pacman, also on other machines. */
  readonly servesPackages: boolean;
  /** Where the server listens. */
  readonly listen: Pick<ListenConfiguration, "address" | "ipv6">;
}

/** What is in force, by its name: `Log in`, `not needed`. */
type Fact = readonly [name: string, value: string];

/** The page about the server (`?page=about`): text for a terminal, HTML otherwise. */
export function aboutPage(
  request: Pick<HttpRequest, "method" | "headers" | "connection">,
  context: ListingContext,
  search: string,
  facts: AboutFacts,
): Reply {
  const { title, version } = context.configuration;
  const address = serverUrl(request);
  const uses = [...pacmanUses(address, facts), ...generalUses(address, context, facts)];
  const sentence = `${title} ${version} shares files and directories on the local network.`;
  const inForce = factsOf(request, context, facts);
  if (chooseRepresentation(request, new URLSearchParams(search)) === "text") {
    return pageReply(request, "text", asText(sentence, inForce, uses));
  }
  const main = html`<h1>About this server</h1>
<p>${sentence}</p>
<h2>In force</h2>
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

function asText(sentence: string, facts: readonly Fact[], uses: readonly Use[]): string {
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
    ["Host", configuration.hostName === "" ? "without a name" : configuration.hostName],
    ["Log in", { nothing: "not needed", uploads: "for uploads", everything: "needed" }[login]],
    ["Connection", connection.secure ? "encrypted (TLS)" : "not encrypted"],
    ["Uploads", uploads === null ? "off" : `on. ${describeLimits(uploads)}`],
    ["Archives", archives === "" ? "off" : archives],
    ["Peers", describePeers(peers, configuration.listRemote)],
  ];
}

function describePeers(peers: AboutFacts["peers"], listRemote: boolean): string {
  if (peers === "none") return "not looked for";
  const found = peers === "multicast" ? "found by multicast" : "only those that are configured";
  return found + (listRemote ? "; their files are in the listings" : "");
}

/** How the pacman of a machine without pacserve uses this server. */
function pacmanUses(asked: string, { servesPackages, listen }: AboutFacts): Use[] {
  if (!servesPackages) return [];
  const address = urlElsewhere(asked, reachableAddresses(listen, Deno.networkInterfaces()));
  if (address === null) return [];
  return [{
    title: "Use it from another machine's pacman: the first line of each repository in pacman.conf",
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
      title: "Go on with a download that broke off",
      command: `curl ${user}-C - -O ${address}/path/to/file`,
    },
    { title: "List a directory", command: `curl ${user}${address}/` },
    {
      title: "List a directory for a script",
      command: `curl ${user}'${address}/?mimetype=application/json'`,
    },
  ];
  // A tar archive is unpacked while it comes; of a zip archive the table of contents comes last.
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

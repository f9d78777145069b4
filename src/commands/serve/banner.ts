/** The text that a server prints when it has started: its addresses, what it shares, and how to use it. */

import { isLoopbackHost } from "../../http/address.ts";
import type { ServerConfiguration } from "../../server/configuration.ts";
import { reachableAddresses, serverUrl } from "../../http/reachable.ts";
import { WITHOUT_PACMAN } from "../../pacman/configuration.ts";
import type { Share } from "../../quickserve/configuration.ts";
import { peerPlaces } from "../../peers/places.ts";
import { readProblem } from "./user_files.ts";

/**
 * Returns the text, without a line feed at its end.
 *
 * @param port the TCP port that the server listens on.
 * @param showCode adds a QR code of the first address.
 */
export async function banner(
  configuration: ServerConfiguration,
  port: number,
  showCode: boolean,
): Promise<string> {
  const { pages, tree, listen } = configuration;
  const hosts = reachableAddresses(listen, Deno.networkInterfaces());
  const urlOf = (host: string): string => serverUrl(listen, host, port);
  const addresses = hosts.map(urlOf);
  const lines = [
    `${pages.title} ${pages.version}`,
    ...labelled("address", addresses.length > 0 ? addresses : [NOWHERE]),
    ...labelled("shared", await sharedText(tree.shares)),
    ...labelled("uploads", uploadsText(configuration)),
    ...labelled("login", loginText(configuration)),
    ...labelled("peers", peersText(configuration)),
    ...labelled("use", usage(configuration, hosts, urlOf)),
  ];
  if (showCode && addresses[0] !== undefined) lines.push(await qrCode(addresses[0]));
  return lines.join("\n");
}

function sharedText(shares: readonly Share[]): readonly string[] | Promise<string[]> {
  return shares.length === 0 ? ["nothing"] : Promise.all(shares.map(shareText));
}

async function shareText({ path, sources }: Share): Promise<string> {
  const texts = await Promise.all(sources.map(async (source) => {
    const problem = await readProblem(source);
    return problem === null ? source : `${source} (${problem})`;
  }));
  return `/${path} <- ${texts.length === 0 ? "(nothing)" : texts.join(", ")}`;
}

function uploadsText({ uploads, auth }: ServerConfiguration): string[] {
  if (uploads === null) return [];
  // Warn the user before a stranger fills the disk.
  const whoever = auth.users.length === 0 ? " (from everybody: no user is configured)" : "";
  return [uploads.directory + whoever];
}

function loginText({ auth: { users, uploadOnly } }: ServerConfiguration): string[] {
  if (users.length === 0) return [];
  return [uploadOnly ? "needed to upload" : "needed for everything"];
}

function peersText({ peers, pacserve }: ServerConfiguration): string[] {
  const { multicast, mdns, staticPeers } = peers;
  const finds = multicast !== null || mdns !== null;
  if (pacserve !== null && !finds && staticPeers.length === 0) {
    return ["none: find them with --multicast and --mdns, or name one with --peer"];
  }
  const { means, interfaces } = peerPlaces(peers, Deno.networkInterfaces());
  return [
    ...staticPeers,
    ...(multicast === null
      ? []
      : [`found by multicast (group ${multicast.group}, port ${multicast.port})`]),
    ...(mdns === null ? [] : ["found by multicast DNS (_pacserve._tcp)"]),
    ...(means.length === 0 ? [] : [`looked for on ${interfaces.join(", ") || "no interface"}`]),
  ];
}

function usage(
  { pacserve }: ServerConfiguration,
  hosts: readonly string[],
  urlOf: (host: string) => string,
): string[] {
  const [first] = hosts;
  if (pacserve === null || first === undefined) return [];
  const server = (host: string): string => `Server = ${urlOf(host)}pacman/$repo/$arch`;
  // Without pacman the server has no databases, so it can only be a CacheServer.
  if (pacserve.pacman === WITHOUT_PACMAN) return [`on other machines: Cache${server(first)}`];
  const localhost = ["127.0.0.1", "::1"].some((address) => hosts.includes(address));
  return [
    "pacsrv -Syu (pacman, through this server)",
    `or in pacman.conf: ${server(localhost ? "localhost" : first)}`,
    ...(isLoopbackHost(first) ? [] : [`on other machines: ${server(first)}`]),
  ];
}

function labelled(head: string, rows: readonly string[]): string[] {
  return rows.map((row, index) => `  ${(index === 0 ? head : "").padEnd(8)} ${row}`);
}

const NOWHERE = "none yet: no network interface of this machine has an address";

/**
 * Width of the white margin ("quiet zone", ISO/IEC 18004) around the code, in modules. Readers need at
 * least this.
 */
const MARGIN = 2;

/**
 * Returns a QR code of a text, drawn with half-block characters: each line of text shows two rows. Escape
 * sequences make it dark on light, so that phones can read it on dark and light terminals.
 *
 * @returns several lines, each of which ends with a line feed.
 */
async function qrCode(text: string): Promise<string> {
  const { default: qrcode } = await import("qrcode-generator");
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  const isDark = (row: number, column: number): boolean =>
    row >= 0 && row < size && column >= 0 && column < size && code.isDark(row, column);
  let drawing = "";
  for (let row = -MARGIN; row < size + MARGIN; row += 2) {
    let line = "";
    for (let column = -MARGIN; column < size + MARGIN; column++) {
      const top = isDark(row, column);
      const bottom = isDark(row + 1, column);
      line += top ? (bottom ? "█" : "▀") : bottom ? "▄" : " ";
    }
    drawing += `\x1b[30;107m${line}\x1b[0m\n`;
  }
  return drawing;
}

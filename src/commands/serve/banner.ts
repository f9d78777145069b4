/** What a server says when it has started: where it is, what it shares, and how to use it. */

import type { ServerConfiguration } from "../../server/configuration.ts";
import type { Share } from "../../quickserve/configuration.ts";

/**
 * The text.
 *
 * @param port the TCP port that the server listens on.
 * @param showCode adds a QR code of the first address.
 */
export async function banner(
  configuration: ServerConfiguration,
  port: number,
  showCode: boolean,
): Promise<string> {
  const { pages, tree } = configuration;
  const addresses = serverAddresses(configuration, port);
  const lines = [
    `${pages.title} ${pages.version}`,
    ...table("address", addresses),
    ...table("shared", tree.shares.length === 0 ? ["nothing"] : tree.shares.map(shareText)),
    ...table("uploads", uploadsText(configuration)),
    ...table("login", loginText(configuration)),
    ...table("peers", peersText(configuration)),
    ...table("use", usage(configuration, addresses[0] ?? "", port)),
  ];
  if (showCode) {
    const { qrCode } = await import("../qr.ts");
    lines.push(qrCode(addresses[0] ?? ""));
  }
  return lines.join("\n");
}

/** The addresses to type on another machine; those of this machine last. */
export function serverAddresses({ listen }: ServerConfiguration, port: number): string[] {
  const scheme = listen.tls === null ? "http" : "https";
  const hosts = listen.address !== null && !isAny(listen.address)
    ? [listen.address]
    : reachableAddresses(listen.ipv6);
  return hosts.map((host) => `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}/`);
}

function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** Addresses of this machine: those of its networks first, loopback last, no link-local IPv6. */
function reachableAddresses(ipv6: boolean): string[] {
  const interfaces = Deno.networkInterfaces().filter(({ family, address }) =>
    family === "IPv4" || (ipv6 && !/^fe[89ab]/i.test(address))
  );
  const own = interfaces.map(({ address }) => address);
  const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";
  return [...own.filter((one) => !isLoopback(one)), ...own.filter(isLoopback)];
}

function shareText({ path, sources }: Share): string {
  return `/${path} <- ${sources.join(", ")}`;
}

function uploadsText({ uploads, auth }: ServerConfiguration): string[] {
  if (uploads === null) return [];
  // Who does not know it should read it before somebody fills the disk.
  const whoever = auth.users.length === 0 ? " (from everybody: no user is configured)" : "";
  return [uploads.directory + whoever];
}

function loginText({ auth: { users, uploadOnly } }: ServerConfiguration): string[] {
  if (users.length === 0) return [];
  return [uploadOnly ? "needed to upload" : "needed for everything"];
}

function peersText({ peers, pacserve }: ServerConfiguration): string[] {
  const { multicast, staticPeers } = peers;
  if (pacserve !== null && multicast === null && staticPeers.length === 0) {
    return ["none: --multicast finds them, --peer names one"];
  }
  const found = multicast === null ? [] : [
    `found by multicast (group ${multicast.group}, port ${multicast.port})`,
  ];
  return [...staticPeers, ...found];
}

function usage(configuration: ServerConfiguration, address: string, port: number): string[] {
  if (configuration.pacserve === null) return [];
  return [
    "pacsrv -Syu (pacman, through this server)",
    `or in pacman.conf: Server = http://localhost:${port}/pacman/$repo/$arch`,
    `on other machines: Server = ${address}pacman/$repo/$arch`,
  ];
}

function table(head: string, rows: readonly string[]): string[] {
  return rows.map((row, index) => `  ${(index === 0 ? head : "").padEnd(8)} ${row}`);
}

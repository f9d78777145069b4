/** Hosts of the tests that run `node.ts`, a server that finds others by multicast. */

import type { Host } from "../lan/host.ts";
import type { Network } from "../lan/network.ts";
import type { RunningProgram } from "../lan/process.ts";

const script = (name: string): string => new URL(name, import.meta.url).pathname;
/** The command that runs a script of this directory. */
export const deno = (name: string, ...rest: string[]): string[] => [
  Deno.execPath(),
  "run",
  "-A",
  "--quiet",
  `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
  script(name),
  ...rest,
];

/** Makes a host without a route for multicast, so that the socket chooses the interface. */
export async function hostOf(lan: Network, name: string): Promise<Host> {
  const host = await lan.host(name);
  await host.must(["ip", "route", "del", "224.0.0.0/4"]);
  return host;
}

/** The peers that a server knows, and its memory. */
export interface Knowledge {
  readonly peers: readonly string[];
  /** Resident memory in bytes. */
  readonly rss: number;
}

/** Asks a server what it knows. */
export async function ask(node: RunningProgram): Promise<Knowledge> {
  const before = node.lines.length;
  node.signal("SIGUSR1");
  return JSON.parse(await node.line(/^\{/, before));
}

/** Returns the number of UDP datagrams that a host has sent, from the kernel's counters. */
export async function datagramsSent(host: Host): Promise<number> {
  const table = await host.must(["cat", "/proc/net/snmp"]);
  const [names = [], values = []] = table.split("\n").filter((line) => line.startsWith("Udp:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf("OutDatagrams")]);
}

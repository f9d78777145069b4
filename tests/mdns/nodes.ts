/** Hosts of the tests that run `node.ts`, a server that finds others by multicast DNS. */

import type { Host } from "../lan/host.ts";
import type { Network } from "../lan/network.ts";
import type { RunningProgram } from "../lan/process.ts";

const script = new URL("node.ts", import.meta.url).pathname;
/** The configuration of the project, for scripts that a test starts. */
export const config = new URL("../../deno.json", import.meta.url).pathname;

/** Makes a host without a route for multicast, so that the socket chooses the interface. */
export async function hostOf(lan: Network, name: string): Promise<Host> {
  const host = await lan.host(name);
  await host.must(["ip", "route", "del", "224.0.0.0/4"]);
  return host;
}

/** A server on a host; see `node.ts`. */
export async function serve(
  host: Host,
  port = 15678,
  ...interfaces: string[]
): Promise<RunningProgram> {
  const run = [Deno.execPath(), "run", "-A", "--quiet", `--config=${config}`];
  const node = host.spawn([...run, script, host.name, String(port), ...interfaces]);
  await node.line(/^started$/);
  return node;
}

/** The line of a server that has found another one. */
export const found = (address: string, port = 15678, kind = "pacserve"): RegExp =>
  new RegExp(`^found ${kind} ${address.replaceAll(".", "\\.")} port ${port}$`);

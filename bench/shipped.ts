/**
 * A pacserve as the package's service runs it: with `--multicast --mdns`, and with Deno's cache of an
 * earlier start. It runs in its own network namespace, so that it announces itself nowhere else.
 */

import { commandOf, pacmanConfiguration } from "./candidates.ts";
import { listensInside, load, Program } from "./program.ts";
import type { Bench } from "./row.ts";

const PORT = 15678;

/** A script that makes two connected interfaces, one of them with an address, and runs its arguments. */
const NETWORK = `ip link set lo up && ip link add lan0 type veth peer name lan1 &&
  ip addr add 10.0.0.1/24 dev lan0 && ip link set lan0 up && ip link set lan1 up && exec "$@"`;

/** Option of unshare(1) for ordinary users, who must become root in a user namespace. */
const ROOT = Deno.uid() === 0 ? [] : ["--map-root-user"];

/**
 * Starts such a pacserve, and waits until it listens. The first one fills Deno's cache.
 *
 * @param databases pacman's `DBPath`.
 */
export async function startShippedPacserve(
  bench: Bench,
  cache: string,
  databases?: string,
): Promise<Program> {
  const directory = await Deno.makeTempDir({ dir: bench.scratch, prefix: "shipped-" });
  const namespace = ["unshare", ...ROOT, "--net", "sh", "-c", NETWORK, "sh"];
  const command = [...namespace, "env", `DENO_DIR=${bench.scratch}/deno`];
  command.push(...await commandOf("pacserve", bench), "--multicast", "--mdns");
  command.push("--pacman-conf", await pacmanConfiguration(bench, cache, databases));
  return await Program.listening(command, PORT, `${directory}/log`, listensInside);
}

/** Sends a request to such a server. */
export async function requestInside({ pid }: Program, path: string): Promise<void> {
  const user = ROOT.length === 0 ? [] : ["--user", "--preserve-credentials"];
  const enter = ["nsenter", "--target", String(pid), ...user, "--net"];
  await load([...enter, "curl", "-sf", "-o", "/dev/null", `http://127.0.0.1:${PORT}${path}`]);
}

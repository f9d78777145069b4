/**
 * A pacserve as the package's service runs it: with `--multicast --mdns`, on a network of its own (a network
 * namespace, so that nothing of it is heard elsewhere), and with what Deno kept of an earlier start.
 */

import { commandOf, pacmanConfiguration } from "./candidates.ts";
import { listensInside, load, Program } from "./program.ts";
import type { Bench } from "./row.ts";

const PORT = 15678;

/** Two ends of one cable, one of which has an address. */
const NETWORK = `ip link set lo up && ip link add lan0 type veth peer name lan1 &&
  ip addr add 10.0.0.1/24 dev lan0 && ip link set lan0 up && ip link set lan1 up && exec "$@"`;

/** Who is not root is root in a user namespace. */
const ROOT = Deno.uid() === 0 ? [] : ["--map-root-user"];

/** Starts it and waits until it listens. The first one fills Deno's cache for the others. */
export async function startShippedPacserve(bench: Bench, cache: string): Promise<Program> {
  const directory = await Deno.makeTempDir({ dir: bench.scratch, prefix: "shipped-" });
  const namespace = ["unshare", ...ROOT, "--net", "sh", "-c", NETWORK, "sh"];
  const command = [...namespace, "env", `DENO_DIR=${bench.scratch}/deno`];
  command.push(...await commandOf("pacserve", bench), "--multicast", "--mdns");
  command.push("--pacman-conf", await pacmanConfiguration(bench, cache));
  return await Program.listening(command, PORT, `${directory}/log`, listensInside);
}

/** Asks such a server for something. */
export async function requestInside({ pid }: Program, path: string): Promise<void> {
  const user = ROOT.length === 0 ? [] : ["--user", "--preserve-credentials"];
  const enter = ["nsenter", "--target", String(pid), ...user, "--net"];
  await load([...enter, "curl", "-sf", "-o", "/dev/null", `http://127.0.0.1:${PORT}${path}`]);
}

/** The programs of firewalls, run by absolute path, without a shell. */

import { Failure } from "../failure.ts";

/** Where programs of the system are; never a directory from the user's `PATH`. */
const DIRECTORIES = ["/usr/sbin", "/usr/bin"] as const;

/** What came of running a program. */
interface Outcome {
  readonly success: boolean;
  readonly output: string;
  /** What it wrote to its standard error. */
  readonly errors: string;
}

/** The absolute path of a program; null when it is not installed. */
export function findProgram(name: string): string | null {
  for (const directory of DIRECTORIES) {
    const path = `${directory}/${name}`;
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}

/**
 * Runs a program to its end, with nothing of our environment.
 *
 * @param input for its standard input.
 * @throws {Failure} when it is not installed or cannot be started.
 */
export async function runProgram(
  name: string,
  words: readonly string[],
  input: string = "",
): Promise<Outcome> {
  const path = findProgram(name);
  if (path === null) throw new Failure(`${name} is not installed`);
  const child = new Deno.Command(path, {
    args: [...words],
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin", LC_ALL: "C" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [{ success, stdout, stderr }] = await Promise.all([child.output(), feed(child, input)]);
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

async function feed(child: Deno.ChildProcess, input: string): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch {
    // The program ended without reading all of it: its exit status says what that means.
  }
}

/**
 * What the programs print when the kernel lacks their firewall, and therefore has none of its rules: nftables without and with nfnetlink, and the legacy tables of iptables.
 */
const ABSENT = /: (Protocol not supported|Invalid argument|Table does not exist|iptables who\?)/;

/**
 * Distinguishes a firewall that the kernel lacks from one whose rules cannot be listed.
 *
 * @param outcome of listing rules.
 * @returns whether the kernel has that firewall.
 * @throws {Failure} when rules may be there that were not seen.
 */
export function sawRules(name: string, outcome: Outcome): boolean {
  if (outcome.success) return true;
  if (ABSENT.test(outcome.errors)) return false;
  throw new Failure(`${name} cannot see the rules: ${complaint(outcome)}`);
}

/** The first line of what a program complained of, without its warnings. */
export function complaint({ errors }: Outcome): string {
  const lines = errors.split("\n").map((line) => line.trim());
  return lines.find((line) => line !== "" && !line.startsWith("#")) ?? "it gives no reason";
}

/** Runs the programs of firewalls by their absolute path, without a shell. */

import { Failure } from "../failure.ts";
import { firstFile } from "../files.ts";

/** The directories of system programs. The user's `PATH` is not used. */
const DIRECTORIES = ["/usr/sbin", "/usr/bin"] as const;

/** The result of running a program. */
interface Outcome {
  readonly success: boolean;
  readonly output: string;
  /** Its standard error. */
  readonly errors: string;
}

/** The absolute path of a program; null when it is not installed. */
export function findProgram(name: string): string | null {
  return firstFile(DIRECTORIES.map((directory) => `${directory}/${name}`));
}

/**
 * Runs a program to its end, without our environment variables.
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
    // The program ended before it read all input: its exit status tells whether that is an error.
  }
}

/**
 * The messages of the programs when the kernel does not support their firewall, and therefore has no
 * rules of it: nftables without and with nfnetlink, and the legacy tables of iptables.
 */
const ABSENT = /: (Protocol not supported|Invalid argument|Table does not exist|iptables who\?)/;

/**
 * Distinguishes a firewall that the kernel does not support from one whose rules cannot be listed.
 *
 * @param outcome of listing rules.
 * @returns false when the kernel does not support the firewall.
 * @throws {Failure} when there may be rules but they could not be listed.
 */
export function sawRules(name: string, outcome: Outcome): boolean {
  if (outcome.success) return true;
  if (ABSENT.test(outcome.errors)) return false;
  throw cannotList(name, outcome);
}

/** The failure to list the rules of a firewall. */
export function cannotList(name: string, outcome: Outcome): Failure {
  return new Failure(`${name} cannot list the rules: ${complaint(outcome)}`);
}

/**
 * Runs a program that must succeed; returns its output.
 *
 * @param input for its standard input.
 * @throws {Failure} with the program's own words.
 */
export async function mustRun(
  name: string,
  words: readonly string[],
  input?: string,
): Promise<string> {
  const outcome = await runProgram(name, words, input);
  if (!outcome.success) throw new Failure(complaint(outcome));
  return outcome.output;
}

/** The first line of a program's error output that is not a comment. */
function complaint({ errors }: Outcome): string {
  const lines = errors.split("\n").map((line) => line.trim());
  return lines.find((line) => line !== "" && !line.startsWith("#")) ?? "it gives no reason";
}

/** Starts the real program on a host, in the same way as its task in `deno.json`. */

import { fileURLToPath } from "node:url";
import manifest from "../../deno.json" with { type: "json" };
import type { ArchMachine } from "./arch.ts";
import type { Host } from "./host.ts";
import type { Outcome, RunningProgram } from "./process.ts";

const checkout = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Returns the command line for a command of the program, with the permissions of its task.
 *
 * @throws Error when `deno.json` has no task for it.
 */
export function programCommand(name: string): string[] {
  for (const task of Object.values(manifest.tasks)) {
    const { flags } = /^deno run (?<flags>.*) src\/main\.ts (?<name>\S+)$/.exec(task)?.groups ?? {};
    if (flags !== undefined && task.endsWith(` ${name}`)) {
      // The hosts cannot reach a registry.
      const words = ["run", "--cached-only", ...flags.split(" ")];
      return [Deno.execPath(), ...words, `${checkout}src/main.ts`, name];
    }
  }
  throw new Error(`deno.json has no task that runs ${name}`);
}

/** Installs `pacsrv` and the address file like the package does. */
export async function installPacsrv(host: Host): Promise<void> {
  const launcher = await Deno.readTextFile(`${checkout}launchers/pacsrv`);
  const program = programCommand("pacsrv").slice(0, -1).map(quoted).join(" ");
  await host.write("/usr/bin/pacsrv", launcher.replaceAll("@PROGRAM@", () => program));
  await Deno.chmod(host.path("/usr/bin/pacsrv"), 0o755);
  await host.write(
    "/etc/pacman.d/pacserve",
    await Deno.readTextFile(`${checkout}pacman.d/pacserve`),
  );
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A running pacserve on a machine. */
export class Pacserve implements AsyncDisposable {
  readonly machine: ArchMachine;
  readonly program: RunningProgram;

  private constructor(machine: ArchMachine, program: RunningProgram) {
    this.machine = machine;
    this.program = program;
  }

  /** Starts pacserve, and waits until it listens. */
  static async start(
    machine: ArchMachine,
    options: readonly string[] = ["--multicast"],
  ): Promise<Pacserve> {
    const command = [...programCommand("pacserve"), "--verbose", ...options];
    const pacserve = new Pacserve(machine, machine.host.spawn(command));
    await pacserve.program.line(/^Pacserve /, 0, 20_000);
    return pacserve;
  }

  /** Waits until the server has found the peer with this address; fails after the deadline (ms). */
  async knows(address: string, deadline = 5000): Promise<void> {
    const found = new RegExp(`found peer http://${address.replaceAll(".", "\\.")}:`);
    await this.program.line(found, 0, deadline);
  }

  /** Waits for the line in the access log with a GET whose target matches. */
  async answered(target: RegExp, from = 0, deadline = 10_000): Promise<string> {
    const line = new RegExp(`"GET [^" ]*${target.source}[^" ]* HTTP/1\\.1"`);
    return await this.program.line(line, from, deadline);
  }

  /** Ends the server with SIGTERM, like systemd. */
  stop(): Promise<Outcome> {
    return this.program.stop();
  }

  /** Kills the server, as if the power failed. */
  kill(): Promise<Outcome> {
    return this.program.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Starts the real program as a user does, with the permissions of its launcher, and sends requests to it. */

import { launchedCommands } from "../scripts/build/commands.ts";
import { type Outcome, run, RunningProgram, type RunOptions } from "./lan/process.ts";

const CHECKOUT = new URL("../", import.meta.url).pathname;

/** Returns the command line that starts a command, up to its options. */
export function launched(name: string): string[] {
  const command = launchedCommands().find((one) => one.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  return [
    ...[Deno.execPath(), "run", "--quiet", `--config=${CHECKOUT}deno.json`],
    ...command.permissions,
    ...[`${CHECKOUT}src/main.ts`, name],
  ];
}

/** Runs a command to its end: with `--help`, or with an invalid command line. */
export function runCommand(
  name: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  return run([...launched(name), ...words], { deadline: 20_000, ...options });
}

const READ_ALL = "-dac_override,-dac_read_search";

/** The prefix of a command that must obey the modes of files, also when root runs the tests. */
export const UNDER_MODES: readonly string[] = Deno.uid() === 0
  ? ["setpriv", `--inh-caps=${READ_ALL}`, `--bounding-set=${READ_ALL}`]
  : [];

/** A running server on a port that the kernel chose. */
export class Served implements AsyncDisposable {
  private constructor(
    readonly program: RunningProgram,
    readonly port: number,
    /** The server's URL on this host: `http://127.0.0.1:40123`. */
    readonly address: string,
  ) {}

  /**
   * Starts a server and waits until it prints its URL.
   *
   * @param words its options; without `-p` it takes any free port.
   * @param wrapper a program that executes the server, and its options.
   */
  static async start(
    name: "pacserve" | "quickserve",
    words: readonly string[],
    options: RunOptions = {},
    wrapper: readonly string[] = [],
  ): Promise<Served> {
    const port = words.includes("-p") ? [] : ["-p", "0"];
    const command = [...wrapper, ...launched(name), ...port, ...words];
    const program = new RunningProgram(command, options);
    try {
      const line = await program.line(/^ {2}address /, 0, 20_000);
      const [, scheme, number] = /(https?):\/\/.*:(\d+)\/$/.exec(line) ?? [];
      const host = words[words.indexOf("-a") + 1];
      const address = words.includes("-a") && /^[\d.]+$/.test(host ?? "") ? host : "127.0.0.1";
      return new Served(program, Number(number), `${scheme}://${address}:${number}`);
    } catch (error) {
      await program.kill();
      throw error;
    }
  }

  /** Sends a request. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.address + path, { redirect: "manual", ...init });
  }

  /** Returns the body of the reply to a request. */
  async text(path: string, init: RequestInit = {}): Promise<string> {
    return await (await this.fetch(path, init)).text();
  }

  /** Returns the status of the reply to a request. */
  async status(path: string, init: RequestInit = {}): Promise<number> {
    const response = await this.fetch(path, init);
    await response.body?.cancel();
    return response.status;
  }

  /** Returns the names in a directory, from the JSON of its listing. */
  async names(path = "/"): Promise<string[]> {
    const response = await this.fetch(`${path}?mimetype=application/json`);
    const { entries }: { entries: { name: string }[] } = await response.json();
    return entries.map(({ name }) => name).sort();
  }

  /** Asks as a peer which of these paths the server has. */
  async fileCheck(...paths: readonly string[]): Promise<string[]> {
    const message = JSON.stringify({ type: "file check", paths, hops: 0 });
    const body = new URLSearchParams({ json: message });
    const response = await this.fetch("/", { method: "POST", body });
    return Object.keys(await response.json()).sort();
  }

  /** Waits until the server has reloaded a changed file. */
  async reloaded(from: number): Promise<void> {
    await this.program.line(/the configuration was read again/, from);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.kill();
  }
}

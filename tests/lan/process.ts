/** Programs that the tests start: their output by lines, their end, and waiting for either. */

import { messageOf } from "../../src/failure.ts";

/** How a program ended and what it wrote. */
export interface Outcome {
  /** Exit status; 128 + n when signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What may be said about a program that is started. */
export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Working directory, as the program sees it. */
  readonly directory?: string;
  /** Text for its standard input; without it, standard input is empty. */
  readonly input?: string;
  /** Milliseconds after which the program is killed and the call fails. */
  readonly deadline?: number;
}

const defaultDeadline = 60_000;

/** Programs that {@link run} has started and that have not ended. */
const running = new Set<Deno.ChildProcess>();

/** Kills every program that a {@link run} waits for, for a process that is about to end itself. */
export function killAll(): void {
  for (const child of running) kill(child, "SIGKILL");
}

/**
 * Runs a program to its end.
 *
 * @throws Error when the deadline passes; any exit status is an ordinary outcome.
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [program = "", ...rest] = command;
  const deadline = options.deadline ?? defaultDeadline;
  const child = new Deno.Command(program, {
    args: rest,
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(options.environment === undefined ? {} : { env: { ...options.environment } }),
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
  }).spawn();
  running.add(child);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill(child, "SIGKILL");
  }, deadline);
  try {
    const written = options.input === undefined ? null : write(child, options.input);
    const { code, stdout, stderr } = await child.output();
    await written;
    const decoder = new TextDecoder();
    const outcome = { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    if (late) throw new Error(`not ended after ${deadline} ms: ${describe(command, outcome)}`);
    return outcome;
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}

/**
 * Runs a program that must succeed.
 *
 * @returns what it wrote to standard output.
 * @throws Error with all that it wrote when its exit status is not 0.
 */
export async function must(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await run(command, options);
  if (outcome.code !== 0) throw new Error(describe(command, outcome));
  return outcome.stdout;
}

/** A program, its exit status and its output, for the message of an error. */
export function describe(command: readonly string[], outcome: Outcome): string {
  return `${command.join(" ")}\nexit status ${outcome.code}\n${outcome.stdout}${outcome.stderr}`;
}

/**
 * Asks until the answer is there, and fails when it is not there in time. For things that give no
 * event of their own; where there is a line of output to wait for, use {@link RunningProgram}.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  deadline = 10_000,
): Promise<T> {
  const end = performance.now() + deadline;
  let reason = "";
  while (true) {
    try {
      const answer = await ask();
      if (answer !== null && answer !== undefined && answer !== false) return answer;
    } catch (thrown) {
      reason = ` (${messageOf(thrown)})`;
    }
    if (performance.now() > end) throw new Error(`not within ${deadline} ms: ${what}${reason}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Removes a file or directory into which a program that was killed may still be writing. */
export async function removeTree(path: string): Promise<void> {
  await eventually(`${path} is removed`, async () => {
    try {
      await Deno.remove(path, { recursive: true });
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
    }
    return true;
  });
}

/** A program that runs beside the test, with the lines that it writes to either output. */
export class RunningProgram implements AsyncDisposable {
  /** Lines of standard output and standard error, in the order in which they arrived. */
  readonly lines: string[] = [];
  /** Settles when the program has ended and all of its output was read. */
  readonly ended: Promise<Outcome>;
  readonly #child: Deno.ChildProcess;
  readonly #name: string;
  #hasEnded = false;
  #changed = Promise.withResolvers<void>();

  constructor(command: readonly string[], options: RunOptions = {}) {
    const [program = "", ...rest] = command;
    this.#name = rest.at(-1) ?? program;
    this.#child = new Deno.Command(program, {
      args: rest,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...(options.environment === undefined ? {} : { env: { ...options.environment } }),
      ...(options.directory === undefined ? {} : { cwd: options.directory }),
    }).spawn();
    this.ended = this.#end();
  }

  /** Its process: of the program itself, not of a wrapper. */
  get pid(): number {
    return this.#child.pid;
  }

  /** All lines so far, as one text. */
  get output(): string {
    return this.lines.join("\n");
  }

  /**
   * Waits for a line.
   *
   * @param from how many of the first lines to leave out: those that were there before.
   * @throws Error when the program ends or the deadline (milliseconds) passes before it came.
   */
  async line(pattern: RegExp, from = 0, deadline = 10_000): Promise<string> {
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, deadline);
    const end = performance.now() + deadline;
    try {
      let next = from;
      while (true) {
        const changed = this.#changed.promise;
        for (; next < this.lines.length; next++) {
          const line = this.lines[next] ?? "";
          if (pattern.test(line)) return line;
        }
        if (this.#hasEnded || performance.now() >= end) {
          const why = this.#hasEnded ? "it ended" : `not within ${deadline} ms`;
          throw new Error(`${this.#name}: no line ${pattern}: ${why}\n${this.output}`);
        }
        await Promise.race([changed, timeout.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal; nothing happens when the program has ended. */
  signal(signal: Deno.Signal): void {
    if (!this.#hasEnded) kill(this.#child, signal);
  }

  /** Asks the program to end, and makes it when it has not within the deadline (milliseconds). */
  async stop(deadline = 5000): Promise<Outcome> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), deadline);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the program at once, as a power cut does. */
  async kill(): Promise<Outcome> {
    this.signal("SIGKILL");
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(): Promise<Outcome> {
    const [status, stdout, stderr] = await Promise.all([
      this.#child.status,
      this.#read(this.#child.stdout),
      this.#read(this.#child.stderr),
    ]);
    this.#hasEnded = true;
    this.#announce();
    return { code: status.code, stdout, stderr };
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let rest = "";
    for await (const chunk of stream) {
      const piece = decoder.decode(chunk, { stream: true });
      text += piece;
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      if (lines.length > 0) this.#announce();
    }
    if (rest !== "") this.lines.push(rest);
    return text;
  }

  #announce(): void {
    const changed = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    changed.resolve();
  }
}

async function write(child: Deno.ChildProcess, text: string): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch (thrown) {
    // A program that ends without reading all of its input is no failure of the caller's.
    if (!(thrown instanceof Deno.errors.BrokenPipe)) throw thrown;
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (thrown) {
    // It ended between the question and the signal.
    if (!(thrown instanceof TypeError || thrown instanceof Deno.errors.NotFound)) throw thrown;
  }
}

/** Starts programs for the tests, and waits for lines of their output or for their end. */

import { messageOf } from "../../src/failure.ts";

/** The exit status and output of a program. */
export interface Outcome {
  /** Exit status; 128 + n when signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options for starting a program. */
export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Working directory of the program. */
  readonly directory?: string;
  /** Text for its standard input, which is empty by default. */
  readonly input?: string;
  /** Milliseconds after which the program is killed and the call fails. */
  readonly deadline?: number;
}

const defaultDeadline = 60_000;

/** Programs that {@link run} has started and that have not ended yet. */
const running = new Set<Deno.ChildProcess>();

/** Kills every program that a {@link run} waits for. A process calls this before it ends itself. */
export function killAll(): void {
  for (const child of running) kill(child, "SIGKILL");
}

/**
 * Runs a program and waits for its end.
 *
 * @throws Error when the deadline passes. A nonzero exit status is not an error.
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
 * @returns its standard output.
 * @throws Error with its whole output when its exit status is not 0.
 */
export async function must(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await run(command, options);
  if (outcome.code !== 0) throw new Error(describe(command, outcome));
  return outcome.stdout;
}

/** Returns a program, its exit status and its output as text for an error message. */
export function describe(command: readonly string[], outcome: Outcome): string {
  return `${command.join(" ")}\nexit status ${outcome.code}\n${outcome.stdout}${outcome.stderr}`;
}

/**
 * Calls a function until it returns a result, and fails if it does not in time. It is for conditions without an
 * event; to wait for a line of output, use {@link RunningProgram}.
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

/** Removes a file or directory to which a killed program may still be writing. */
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

/** A program that runs in parallel with the test, and the lines of its output. */
export class RunningProgram implements AsyncDisposable {
  /** Lines of standard output and standard error, in the order in which they arrived. */
  readonly lines: string[] = [];
  /** Resolves when the program has ended and its whole output was read. */
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

  /** The id of the program's own process, and not of a wrapper. */
  get pid(): number {
    return this.#child.pid;
  }

  /** All lines until now, as one text. */
  get output(): string {
    return this.lines.join("\n");
  }

  /**
   * Waits for a line.
   *
   * @param from the number of lines at the beginning to ignore, because they were there before.
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

  /** Sends a signal. Does nothing if the program has ended. */
  signal(signal: Deno.Signal): void {
    if (!this.#hasEnded) kill(this.#child, signal);
  }

  /** Sends SIGTERM, and kills the program if it has not ended within the deadline (milliseconds). */
  async stop(deadline = 5000): Promise<Outcome> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), deadline);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Kills the program, as a power cut does. */
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
    // It is not an error if a program ends without reading its whole input.
    if (!(thrown instanceof Deno.errors.BrokenPipe)) throw thrown;
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (thrown) {
    // It ended between the check and the signal.
    if (!(thrown instanceof TypeError || thrown instanceof Deno.errors.NotFound)) throw thrown;
  }
}

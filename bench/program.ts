/** Programs that are measured: each runs on one core, and is observed through proc(5). */

/** The core for servers, and the core for programs that put load on them. */
const SERVERS = "0";
const LOAD = "1";

/** How long a program may take until it listens, in milliseconds. */
const PATIENCE = 20_000;

/** A running program. */
export class Program implements AsyncDisposable {
  /** The TCP port on loopback. */
  readonly port: number;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /**
   * Starts a server and waits until it accepts connections.
   *
   * @param command words that include the port.
   * @param log file for its output.
   * @param accepts tells whether the server accepts connections; by default it tries to connect.
   * @throws when the server ends, or does not accept connections in time.
   */
  static async listening(
    command: readonly string[],
    port: number,
    log: string,
    accepts: (port: number, pid: number) => Promise<boolean> = canConnect,
  ): Promise<Program> {
    const child = onCore(
      SERVERS,
      ["sh", "-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", log]
        .concat(command),
    ).spawn();
    let ended = false;
    void child.status.then(() => ended = true);
    const program = new Program(child, port);
    const deadline = performance.now() + PATIENCE;
    while (!await accepts(port, child.pid)) {
      if (ended || performance.now() > deadline) {
        await program[Symbol.asyncDispose]();
        throw new Error(`${command[0]} does not listen:\n${await Deno.readTextFile(log)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return program;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Processor time in seconds, with a resolution of 0.01; includes children and ended threads. */
  async cpuSeconds(): Promise<number> {
    let ticks = 0;
    for (const process of await this.#processes()) {
      const stat = await Deno.readTextFile(`/proc/${process}/stat`);
      // Fields are counted after the name, which may contain spaces: utime and stime are 14 and 15
      // (proc(5)).
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      ticks += Number(fields[11]) + Number(fields[12]);
    }
    return ticks / 100;
  }

  /** How often each thread was woken up; the keys are the threads' directories in /proc. */
  async wakeUps(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const task of await this.#tasks()) {
      const status = await Deno.readTextFile(`${task}/status`);
      counts.set(task, field(status, "voluntary_ctxt_switches"));
    }
    return counts;
  }

  /** Resident memory now and at its peak, in megabytes (10⁶ bytes). */
  async resident(): Promise<{ readonly now: number; readonly peak: number }> {
    const status = await Deno.readTextFile(`/proc/${this.#child.pid}/status`);
    return { now: field(status, "VmRSS") * 1.024e-3, peak: field(status, "VmHWM") * 1.024e-3 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    try {
      this.#child.kill("SIGTERM");
    } catch (error) {
      // The program has ended by itself.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
    await this.#child.status;
    clearTimeout(timer);
  }

  async #processes(): Promise<string[]> {
    const { pid } = this.#child;
    const children = (await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).trim();
    return [String(pid), ...children.split(" ").filter((word) => word !== "")];
  }

  async #tasks(): Promise<string[]> {
    return (await this.#processes()).flatMap((process) =>
      [...Deno.readDirSync(`/proc/${process}/task`)].map(({ name }) =>
        `/proc/${process}/task/${name}`
      )
    );
  }
}

/** Runs a command that puts load on a server; returns its output. */
export async function load(command: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await onCore(LOAD, command, "piped").output();
  if (!success) throw new Error(`${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Milliseconds that a command takes from start to end. */
export async function duration(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  const [program = "", ...args] = command;
  const start = performance.now();
  const { success, stderr } = await new Deno.Command(program, {
    args,
    env: environment,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return performance.now() - start;
}

/** A TCP port that is free now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function onCore(
  core: string,
  command: readonly string[],
  output: "null" | "piped" = "null",
): Deno.Command {
  // With one core there is no choice.
  const words = navigator.hardwareConcurrency > 1 ? ["taskset", "-c", core, ...command] : command;
  const [program = "", ...args] = words;
  return new Deno.Command(program, { args, stdin: "null", stdout: output, stderr: output });
}

async function canConnect(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** True when a process listens on a TCP port in its own network namespace. */
export async function listensInside(port: number, pid: number): Promise<boolean> {
  const sockets = await Deno.readTextFile(`/proc/${pid}/net/tcp`);
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`;
  return sockets.includes(end);
}

function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? NaN);
}

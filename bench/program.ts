/** Programs that are measured: started on one core, looked at through /proc(5), stopped. */

/** The core of the servers, and the one of what puts load on them. */
const SERVERS = "0";
const LOAD = "1";

/** Milliseconds that a program has until it listens. */
const PATIENCE = 20_000;

/** A program that runs. */
export class Program implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /**
   * Starts a server and waits until it accepts connections.
   *
   * @param command with the port in it.
   * @param log where its output goes.
   * @throws when it does not.
   */
  static async listening(command: readonly string[], port: number, log: string): Promise<Program> {
    const child = onCore(
      SERVERS,
      ["sh", "-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", log]
        .concat(command),
    ).spawn();
    let ended = false;
    void child.status.then(() => ended = true);
    const program = new Program(child, port);
    const deadline = performance.now() + PATIENCE;
    while (!await accepts(port)) {
      if (ended || performance.now() > deadline) {
        await program[Symbol.asyncDispose]();
        throw new Error(`${command[0]} does not listen:\n${await Deno.readTextFile(log)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return program;
  }

  /** Seconds of processor time, of its children too. */
  async cpuSeconds(): Promise<number> {
    let nanoseconds = 0;
    for (const task of await this.#tasks()) {
      const [running = "0"] = (await Deno.readTextFile(`${task}/schedstat`)).split(" ");
      nanoseconds += Number(running);
    }
    return nanoseconds / 1e9;
  }

  /** How often each of its threads was woken up, by the thread's directory in /proc. */
  async wakeUps(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const task of await this.#tasks()) {
      const status = await Deno.readTextFile(`${task}/status`);
      counts.set(task, field(status, "voluntary_ctxt_switches"));
    }
    return counts;
  }

  /** Megabytes (10⁶ bytes) that are resident now, and that were at most. */
  async resident(): Promise<{ readonly now: number; readonly peak: number }> {
    const status = await Deno.readTextFile(`/proc/${this.#child.pid}/status`);
    return { now: field(status, "VmRSS") * 1.024e-3, peak: field(status, "VmHWM") * 1.024e-3 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    try {
      this.#child.kill("SIGTERM");
    } catch (error) {
      // It ended by itself.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
    await this.#child.status;
    clearTimeout(timer);
  }

  async #tasks(): Promise<string[]> {
    const { pid } = this.#child;
    const children = (await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).trim();
    const processes = [String(pid), ...children.split(" ").filter((word) => word !== "")];
    return processes.flatMap((process) =>
      [...Deno.readDirSync(`/proc/${process}/task`)].map(({ name }) =>
        `/proc/${process}/task/${name}`
      )
    );
  }
}

/** Runs something that puts load on a server and gives back what it printed. */
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
  // With one core there is nothing to choose.
  const words = navigator.hardwareConcurrency > 1 ? ["taskset", "-c", core, ...command] : command;
  const [program = "", ...args] = words;
  return new Deno.Command(program, { args, stdin: "null", stdout: output, stderr: output });
}

async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? NaN);
}

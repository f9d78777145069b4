/** Running upload servers with their directories, and curl. */

import { run, RunningProgram } from "../lan/process.ts";

/** The result of curl. */
export interface CurlOutcome {
  /** Exit status. */
  readonly code: number;
  /** Status of the reply; 0 without one. */
  readonly status: number;
  readonly body: string;
}

/** A server on an upload directory. */
export class Inbox implements AsyncDisposable {
  private constructor(
    readonly program: RunningProgram,
    readonly directory: string,
    readonly port: number,
    /** Number of files of a killed server that it removed. */
    readonly swept: number,
  ) {}

  /**
   * Starts a server, with the permissions of the confined worker, and waits until it listens.
   *
   * @param before shell commands that run first, in the private mount namespace of the server
   */
  static async start(directory: string, options?: object, before?: string): Promise<Inbox> {
    const command = [
      Deno.execPath(),
      "run",
      "--frozen",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      `--allow-read=${directory}`,
      `--allow-write=${directory}`,
      "--allow-sys=networkInterfaces",
      new URL("server.ts", import.meta.url).pathname,
      directory,
      JSON.stringify(options ?? {}),
    ];
    const namespace = ["unshare", "--mount", "--map-root-user", "sh", "-ec"];
    const program = new RunningProgram(
      before === undefined ? command : [...namespace, `${before}; exec "$@"`, "sh", ...command],
    );
    const { port, swept } = JSON.parse(await program.line(/^{"port"/, 0, 30_000));
    return new Inbox(program, directory, port, swept);
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Returns the names in the directory, in the server's mount namespace. */
  names(): string[] {
    const seen = `/proc/${this.program.pid}/root${this.directory}`;
    return [...Deno.readDirSync(seen)].map(({ name }) => name).sort();
  }

  /** Returns the peak of resident memory in MiB. */
  peakMemory(): number {
    const status = Deno.readTextFileSync(`/proc/${this.program.pid}/status`);
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.kill();
  }
}

/** Runs curl. */
export async function curl(...args: string[]): Promise<CurlOutcome> {
  const command = ["curl", "-s", "-w", "\n%{http_code}", ...args];
  const { code, stdout } = await run(command, { deadline: 120_000 });
  const cut = stdout.lastIndexOf("\n");
  return { code, status: Number(stdout.slice(cut + 1)), body: stdout.slice(0, cut) };
}

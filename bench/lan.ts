/** Peers on loopback, to measure how packages are found. */

import { fileURLToPath } from "node:url";

/** The name of package number `index` of peer number `peer`. */
export function packageName(peer: number, index: number): string {
  return `package${index}-of${peer}-1.0-1-any.pkg.tar.zst`;
}

/** Peers in a separate process. */
export class Lan implements AsyncDisposable {
  readonly bases: readonly string[];
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(
    child: Deno.ChildProcess,
    lines: ReadableStreamDefaultReader<string>,
    bases: readonly string[],
  ) {
    this.#child = child;
    this.#lines = lines;
    this.#writer = child.stdin.getWriter();
    this.bases = bases;
  }

  /** Starts `count` peers, numbered from `first`, each with 200 packages that no other has. */
  static async start(
    count: number,
    kind: "ours" | "original" = "ours",
    first = 0,
  ): Promise<Lan> {
    const script = fileURLToPath(import.meta.resolve("./lan_process.ts"));
    const args = ["run", "--frozen", "-A", script, String(count), kind, String(first)];
    const child = new Deno.Command(Deno.execPath(), {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value } = await lines.read();
    if (value === undefined) throw new Error("the peers did not start");
    return new Lan(child, lines, JSON.parse(value));
  }

  /** How many messages the peers got since the last call. */
  async messages(): Promise<number> {
    await this.#writer.write(new TextEncoder().encode("\n"));
    return Number((await this.#lines.read()).value);
  }

  /** Kills the peers, so that they cannot say goodbye. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  /** Stops the peers: the kernel still accepts connections, but nobody answers. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // They may have been killed already.
    if (await ended(this.#child)) return;
    await this.kill();
  }
}

async function ended(child: Deno.ChildProcess): Promise<boolean> {
  return await Promise.race([
    child.status.then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 0)),
  ]);
}

/** Starts the real servers on this machine, like their tasks in `deno.json`. */

import { programCommand } from "./lan/pacserve.ts";
import { RunningProgram, type RunOptions } from "./lan/process.ts";

/** A running server and its URL. */
export interface RunningServer extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly port: number;
  /** `http://127.0.0.1:8000`, without a slash at its end. */
  readonly base: string;
}

/** Starts `pacserve` or `quickserve` on 127.0.0.1, on a port that the kernel chooses. */
export async function startServer(
  name: "pacserve" | "quickserve",
  words: readonly string[],
  options: RunOptions = {},
): Promise<RunningServer> {
  const listening = ["--address", "127.0.0.1", "--port", "0"];
  return await startListening([...programCommand(name), ...listening, ...words], options);
}

/** Starts a command that prints its URL like a server. */
export async function startListening(
  command: readonly string[],
  options: RunOptions = {},
): Promise<RunningServer> {
  const program = new RunningProgram(command, options);
  try {
    const line = await program.line(/^ +address +http/, 0, 30_000);
    const base = /https?:\/\/[^/]+/.exec(line)?.[0] ?? "";
    const port = Number(/\d+$/.exec(base)?.[0]);
    return { program, port, base, [Symbol.asyncDispose]: async () => void await program.stop() };
  } catch (error) {
    await program.kill();
    throw error;
  }
}

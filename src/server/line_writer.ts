/** Writes lines to standard output in the background, so that requests never wait for the output. */

import { fileProblem } from "../failure.ts";
import { writeAll } from "../files.ts";

/** How much may wait for the reader of the output, in characters. */
const MAX_WAITING = 1024 * 1024;

/** Milliseconds between two writes. Under load, a write for each line would cost more than the request. */
const PAUSE = 20;

const encoder = new TextEncoder();
let waiting = "";
let dropped = 0;
/** True after the warning that lines are lost. */
let isTold = false;
let writing: Promise<void> | null = null;

/**
 * Writes a line after those before it. When the reader of the output is far too slow, lines are dropped,
 * and a line with their number is written instead.
 */
export function writeLine(line: string): void {
  if (waiting.length > MAX_WAITING) {
    dropped += 1;
    return;
  }
  waiting += line + "\n";
  writing ??= writeWaiting();
}

/** Resolves when everything is written. */
export async function flushLines(): Promise<void> {
  await writing;
}

async function writeWaiting(): Promise<void> {
  // Lines of the same turn of the event loop are written together.
  await Promise.resolve();
  try {
    while (waiting !== "") {
      const bytes = encoder.encode(waiting);
      waiting = dropped === 0
        ? ""
        : `(${dropped} lines were dropped: the reader of this output is too slow)\n`;
      dropped = 0;
      await writeAll(Deno.stdout, bytes);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  } catch (error) {
    // The server continues without a log, for example when the disk is full. A reader may have closed the pipe.
    waiting = "";
    if (error instanceof Deno.errors.BrokenPipe || isTold) return;
    isTold = true;
    console.error(`standard output cannot be written: ${fileProblem(error)}`);
  } finally {
    writing = null;
  }
}

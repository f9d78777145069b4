/** Lines to standard output, without ever making a request wait for the terminal or the journal. */

import { fileProblem } from "../failure.ts";

/** The most that waits for a reader that is slower than the log, in characters. */
const MAX_WAITING = 1024 * 1024;

/** Milliseconds between two writes: under load a write for each line costs more than the request. */
const PAUSE = 20;

const encoder = new TextEncoder();
let waiting = "";
let dropped = 0;
/** It was said that lines are lost. */
let isTold = false;
let writing: Promise<void> | null = null;

/**
 * Writes a line, in order with those before it. When the reader is far too slow, lines are dropped
 * and their number is said instead.
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
  // Lines of the same turn of the event loop go out in one write.
  await Promise.resolve();
  try {
    while (waiting !== "") {
      const bytes = encoder.encode(waiting);
      waiting = dropped === 0 ? "" : `(${dropped} lines were dropped: the reader is too slow)\n`;
      dropped = 0;
      for (let offset = 0; offset < bytes.length;) {
        offset += await Deno.stdout.write(bytes.subarray(offset));
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  } catch (error) {
    // That the log cannot be written, as on a full disk, is no reason to serve no more.
    waiting = "";
    if (error instanceof Deno.errors.BrokenPipe || isTold) return;
    isTold = true;
    console.error(`standard output cannot be written: ${fileProblem(error)}`);
  } finally {
    writing = null;
  }
}

/** Writes lines to standard output in the background, so that requests never wait for the output. */

import { fileProblem } from "../failure.ts";
import { writeAll } from "../files.ts";

/** How much may wait for the reader of the output, in bytes. */
const MAX_WAITING = 1024 * 1024;

/** Bytes of lines that are collected in one buffer. */
const BUFFER = 32 * 1024;

/** Milliseconds between two writes. Under load, a write for each line would cost more than the request. */
const PAUSE = 20;

const encoder = new TextEncoder();
/**
 * The last lines, encoded. As strings, with all their parts, they would be copied each time that V8 collects
 * garbage, which under load would take longer than to make them.
 */
let buffer = new Uint8Array();
/** Bytes of {@link buffer} that are in use. */
let used = 0;
/** The lines before those in {@link buffer}. */
let full: Uint8Array[] = [];
let fullLength = 0;
let dropped = 0;
/** True after the warning that lines are lost. */
let isTold = false;
let writing: Promise<void> | null = null;

/**
 * Writes a line after those before it. When the reader of the output is far too slow, lines are dropped,
 * and a line with their number is written instead.
 */
export function writeLine(line: string): void {
  if (fullLength > MAX_WAITING) {
    dropped += 1;
    return;
  }
  add(line + "\n");
  writing ??= writeWaiting();
}

function add(text: string): void {
  // A character takes up to three bytes.
  const most = 3 * text.length;
  if (used + most > buffer.length) {
    closeBuffer();
    buffer = new Uint8Array(Math.max(BUFFER, most));
  }
  used += encoder.encodeInto(text, buffer.subarray(used)).written;
}

/** Moves what is in the buffer to the lines before it. */
function closeBuffer(): void {
  if (used > 0) full.push(buffer.subarray(0, used));
  fullLength += used;
  buffer = buffer.subarray(used);
  used = 0;
}

/** Takes all lines that wait. */
function takeLines(): Uint8Array[] {
  closeBuffer();
  const lines = full;
  full = [];
  fullLength = 0;
  return lines;
}

/** Resolves when everything is written. */
export async function flushLines(): Promise<void> {
  await writing;
}

async function writeWaiting(): Promise<void> {
  // Lines of the same turn of the event loop are written together.
  await Promise.resolve();
  try {
    for (let lines = takeLines(); lines.length > 0; lines = takeLines()) {
      if (dropped > 0) {
        add(`(${dropped} lines were dropped: the reader of this output is too slow)\n`);
      }
      dropped = 0;
      for (const bytes of lines) await writeAll(Deno.stdout, bytes);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  } catch (error) {
    // The server continues without a log, for example when the disk is full. A reader may have closed the pipe.
    takeLines();
    if (error instanceof Deno.errors.BrokenPipe || isTold) return;
    isTold = true;
    console.error(`standard output cannot be written: ${fileProblem(error)}`);
  } finally {
    writing = null;
  }
}

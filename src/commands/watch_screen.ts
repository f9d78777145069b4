/** Shows a changing text on the whole terminal until the user ends it. */

import { writeOutput } from "../files.ts";
import { terminalSize } from "./terminal.ts";

/** Enters and leaves the terminal's alternate screen without a cursor (xterm's private modes 1049 and 25). */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";

/** Text between these appears at once (private mode 2026). Terminals without that mode ignore them. */
const BEGIN_FRAME = "\x1b[?2026h\x1b[H";
const END_FRAME = "\x1b[J\x1b[?2026l";

/** Clears the rest of the line, so that nothing is left of a longer line before it. */
const END_LINE = "\x1b[K\r\n";

/** Signals that end it: Ctrl-C, a terminal that is closed, and kill(1). */
const END_SIGNALS = ["SIGINT", "SIGHUP", "SIGTERM"] as const;

/** Signals that make it draw the whole screen again: a new size, and a continuation after Ctrl-Z. */
const REDRAW_SIGNALS = ["SIGWINCH", "SIGCONT"] as const;

/**
 * Draws the text repeatedly, each frame over the previous one, so that nothing flickers. At the end it
 * restores the terminal.
 *
 * @param pause milliseconds between two frames.
 * @param frame returns the text, in lines that fit the width. Lines that do not fit the height are not shown.
 * @throws the error of `frame`, after the terminal is restored.
 */
export async function watchScreen(pause: number, frame: () => Promise<string>): Promise<void> {
  let isOver = false;
  let wake = (): void => {};
  let shown = "";
  const end = (): void => {
    isOver = true;
    wake();
  };
  const redraw = (): void => {
    shown = "";
    wake();
  };
  for (const signal of END_SIGNALS) Deno.addSignalListener(signal, end);
  for (const signal of REDRAW_SIGNALS) Deno.addSignalListener(signal, redraw);
  try {
    await draw(ENTER);
    while (!isOver) {
      const text = await frame();
      if (isOver) break;
      if (text !== shown) await draw(drawn(text));
      shown = text;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause);
        wake = (): void => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    for (const signal of END_SIGNALS) Deno.removeSignalListener(signal, end);
    for (const signal of REDRAW_SIGNALS) Deno.removeSignalListener(signal, redraw);
    await draw(LEAVE);
  }
}

function drawn(text: string): string {
  const lines = text.trimEnd().split("\n").slice(0, terminalSize().rows - 1);
  return BEGIN_FRAME + lines.map((line) => line + END_LINE).join("") + END_FRAME;
}

async function draw(text: string): Promise<void> {
  try {
    await writeOutput(text);
  } catch {
    // The terminal was closed. SIGHUP reports that, so ignore it here.
  }
}

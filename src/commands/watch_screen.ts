/** Shows a text that changes on the whole terminal, until the user has seen enough. */

/** The terminal's other screen, without a cursor (xterm's private modes 1049 and 25). */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";

/** What is written between these appears at once (private mode 2026); other terminals ignore them. */
const BEGIN_FRAME = "\x1b[?2026h\x1b[H";
const END_FRAME = "\x1b[J\x1b[?2026l";

/** To the end of the line nothing is left of what stood there. */
const END_LINE = "\x1b[K\r\n";

/** Signals that end it, of which the last two are a terminal that is closed, and kill(1). */
const END_SIGNALS = ["SIGINT", "SIGHUP", "SIGTERM"] as const;

/** Signals after which the screen is drawn anew: another size, and back from Ctrl-Z. */
const REDRAW_SIGNALS = ["SIGWINCH", "SIGCONT"] as const;

/**
 * Draws again and again, each line over the one before it, so that nothing flickers. At the end the
 * terminal is as it was.
 *
 * @param pause milliseconds between two frames.
 * @param frame gives the text, in lines that fit the width; what does not fit the height is cut off.
 * @throws what `frame` throws, when the terminal is as it was.
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
    await print(ENTER);
    while (!isOver) {
      const text = await frame();
      if (isOver) break;
      if (text !== shown) await print(drawn(text));
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
    await print(LEAVE);
  }
}

function drawn(text: string): string {
  const lines = text.trimEnd().split("\n").slice(0, rows() - 1);
  return BEGIN_FRAME + lines.map((line) => line + END_LINE).join("") + END_FRAME;
}

function rows(): number {
  try {
    return Deno.consoleSize().rows || 24;
  } catch {
    // A terminal that does not say has as many as the first ones had.
    return 24;
  }
}

async function print(text: string): Promise<void> {
  let rest = new TextEncoder().encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(await Deno.stdout.write(rest));
  } catch {
    // A terminal that was closed shows nothing any more, and a signal says so.
  }
}

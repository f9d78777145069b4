/** A QR code in a terminal, for a phone. */

import qrcode from "qrcode-generator";

/** Modules of white that a reader needs around the code (ISO/IEC 18004, "quiet zone"), at the least. */
const MARGIN = 2;

/**
 * Draws a QR code with half-block characters: two rows of it in a line of text. Its colours are set
 * with escape sequences, dark on light, so that it can be read on dark and light terminals.
 *
 * @returns several lines, each ended by a line feed.
 */
export function qrCode(text: string): string {
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  const isDark = (row: number, column: number): boolean =>
    row >= 0 && row < size && column >= 0 && column < size && code.isDark(row, column);
  let drawing = "";
  for (let row = -MARGIN; row < size + MARGIN; row += 2) {
    let line = "";
    for (let column = -MARGIN; column < size + MARGIN; column++) {
      const top = isDark(row, column);
      const bottom = isDark(row + 1, column);
      line += top ? (bottom ? "█" : "▀") : bottom ? "▄" : " ";
    }
    drawing += `\x1b[30;107m${line}\x1b[0m\n`;
  }
  return drawing;
}

import { banner } from "../../../src/commands/serve/banner.ts";
import { assert, assertEquals, assertNotEquals } from "../../assert.ts";
import { configurationOf } from "../../server_configuration.ts";

/** Returns the QR code that a server on this port of 127.0.0.1 prints below its banner. */
async function qrCode(port: number): Promise<string> {
  const text = await banner(configurationOf(), port, true);
  return text.slice(text.indexOf("\x1b"));
}

/** Returns the modules of a drawn code; true means dark. */
function modules(drawing: string): boolean[][] {
  const rows: boolean[][] = [];
  for (const line of drawing.trimEnd().split("\n")) {
    const cells = [...line.replaceAll(/\p{Cc}\[[\d;]*m/gu, "")];
    rows.push(cells.map((cell) => cell === "█" || cell === "▀"));
    rows.push(cells.map((cell) => cell === "█" || cell === "▄"));
  }
  return rows;
}

Deno.test("banner: its QR code has its finder patterns within a quiet zone, and sets its colours on every line", async () => {
  const drawing = await qrCode(8000);
  const grid = modules(drawing);
  const size = (grid[0]?.length ?? 0) - 4;
  assertEquals((size - 17) % 4, 0);
  const finder = ["███████", "█     █", "█ ███ █", "█ ███ █", "█ ███ █", "█     █", "███████"];
  for (const [top, left] of [[0, 0], [0, size - 7], [size - 7, 0]] as const) {
    for (const [row, cells] of finder.entries()) {
      const found = grid[2 + top + row]?.slice(2 + left, 9 + left);
      assertEquals(found, [...cells].map((cell) => cell === "█"));
    }
  }
  for (const row of [0, 1]) assert(grid[row]?.every((dark) => !dark));
  for (const line of drawing.trimEnd().split("\n")) {
    assert(line.startsWith("\x1b[30;107m") && line.endsWith("\x1b[0m"));
  }
  assertNotEquals(drawing, await qrCode(8001));
});

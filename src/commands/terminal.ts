/** The terminal at standard output: its size, and writing to it. */

import { writeAll } from "../files.ts";

/** Returns the size; 80 columns and 24 rows if the terminal does not report it. */
export function terminalSize(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, rows: rows || 24 };
  } catch {
    return { columns: 80, rows: 24 };
  }
}

/** Writes a text to standard output. */
export async function write(text: string): Promise<void> {
  await writeAll(Deno.stdout, new TextEncoder().encode(text));
}

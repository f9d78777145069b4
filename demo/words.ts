/** Prints the output of the demonstration in the terminal. */

const colours = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");

/** Prints a line. */
export function tell(line: string): void {
  console.log(line);
}

/** Prints the title of a step. */
export function step(title: string): void {
  console.log(`\n${colours ? `\x1b[1m${title}\x1b[0m` : title}`);
}

/** Prints rows in aligned columns. Sizes are aligned to the right. */
export function table(rows: readonly (readonly string[])[]): void {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => widths[index] = Math.max(widths[index] ?? 0, cell.length));
  }
  for (const row of rows) {
    const cells = row.map((cell, index) => {
      const width = widths[index] ?? 0;
      return / [KM]?i?B$/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
    });
    console.log(`  ${cells.join("   ").trimEnd()}`);
  }
}

/** Formats a number of bytes in pacman's units: `20.00 MiB`. */
export function size(bytes: number): string {
  const kibibytes = bytes / 1024;
  if (kibibytes < 1) return `${bytes} B`;
  return kibibytes < 1024 ? `${kibibytes.toFixed(2)} KiB` : `${(kibibytes / 1024).toFixed(2)} MiB`;
}

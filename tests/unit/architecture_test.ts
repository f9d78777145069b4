/** The walls of src/: imports go down the README's table of rooms only, and never in a circle. */

import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../assert.ts";

const top = fileURLToPath(new URL("../../", import.meta.url));

/** Each source file, by its path from `src`, with those that it imports: types count, too. */
const imports = new Map(
  sourceFiles(join(top, "src")).map((file) => [
    relative(join(top, "src"), file),
    importsOf(file).map((target) => relative(join(top, "src"), target)),
  ]),
);

Deno.test("the README's table names every room of src/, and none that is not there", () => {
  const rooms = [...Deno.readDirSync(join(top, "src"))]
    .map(({ name, isDirectory }) => isDirectory ? name + "/" : name);
  assertEquals(roomsOfReadme().toSorted(), rooms.toSorted());
});

Deno.test("no room imports one that stands above it in the README's table", () => {
  const rooms = roomsOfReadme();
  const upwards: string[] = [];
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const [from, to] = [rooms.indexOf(roomOf(file)), rooms.indexOf(roomOf(target))];
      if (to < from) upwards.push(`${file} imports ${target}`);
    }
  }
  assertEquals(upwards, []);
});

Deno.test("no file imports itself through others", () => {
  assert([...imports.values()].flat().length > 300, "the imports were not found");
  assertEquals(circles(imports), []);
});

Deno.test("a circle and its files are found", () => {
  const three = new Map([["a", ["b"]], ["b", ["c", "d"]], ["c", ["b"]], ["d", []]]);
  assertEquals(circles(three), ["b -> c -> b"]);
});

/** `peers/`, or `std.ts`, of a path from `src`. */
function roomOf(file: string): string {
  const slash = file.indexOf("/");
  return slash < 0 ? file : file.slice(0, slash + 1);
}

/** The rooms of the README's table, from the door inwards. */
function roomsOfReadme(): string[] {
  const lines = Deno.readTextFileSync(join(top, "README.md")).split("\n");
  const start = lines.findIndex((line) => /^\| room +\|/.test(line)) + 2;
  const rows = lines.slice(start, lines.findIndex((line, i) => i >= start && line === ""));
  return rows.flatMap((row) => {
    const cell = row.split("|")[1] ?? "";
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, room]) => room ?? "");
  });
}

function sourceFiles(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    const path = join(directory, name);
    return isDirectory ? sourceFiles(path) : basename(path).endsWith(".ts") ? [path] : [];
  });
}

/** The files that one imports, of the code around it: `import`, `export … from` and `import()`. */
function importsOf(file: string): string[] {
  const text = Deno.readTextFileSync(file);
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+\.ts)"/g)]
    .map(([, specifier]) => join(dirname(file), specifier ?? ""));
}

/** Each circle that a walk along the arrows comes upon, as `a -> b -> a`. */
function circles(arrows: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const seen = path.indexOf(file);
    if (seen >= 0) found.push([...path.slice(seen), file].join(" -> "));
    if (seen >= 0 || done.has(file)) return;
    for (const next of arrows.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of arrows.keys()) walk(file, []);
  return found;
}

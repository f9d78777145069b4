/** The walls of src/: imports go down the list of rooms in doc/architecture.md only, and never in a circle. */

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

Deno.test("doc/architecture.md lists every room of src/, and no other", () => {
  const rooms = [...Deno.readDirSync(join(top, "src"))]
    .map(({ name, isDirectory }) => isDirectory ? name + "/" : name);
  assertEquals(listedRooms().toSorted(), rooms.toSorted());
});

Deno.test("no room imports one that stands above it in doc/architecture.md", () => {
  const rooms = listedRooms();
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

Deno.test("the main thread of a server, pacsrv and pacserve-status load nothing that makes the start slow", () => {
  const slow: string[] = [];
  const seen = new Set<string>();
  const walk = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const specifier of loadedBy(file)) {
      if (specifier.startsWith(".")) walk(join(dirname(file), specifier));
      // Each module of `node:` takes 8 ms, and this library reads the global `process`, which takes 15.
      else if (/^node:|^lru-cache$/.test(specifier)) slow.push(`${file}: ${specifier}`);
    }
  };
  for (const command of ["serve/run.ts", "pacsrv.ts", "pacserve_status.ts"]) {
    walk(join(top, "src/commands", command));
  }
  assert(seen.size > 50, "the imports were not found");
  assertEquals(slow, []);
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

/** The rooms that doc/architecture.md lists, from the door inwards. */
function listedRooms(): string[] {
  const text = Deno.readTextFileSync(join(top, "doc/architecture.md"));
  const start = text.indexOf("\n- `main.ts`");
  const items = text.slice(start, text.indexOf("\n\n", start)).split("\n- ").slice(1);
  return items.flatMap((item) => {
    const [names = ""] = item.split(": ");
    return [...names.matchAll(/`([^`]+)`/g)].map(([, room]) => room ?? "");
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

/** What a file loads when it is loaded: neither types nor `import()`. */
function loadedBy(file: string): string[] {
  const text = Deno.readTextFileSync(file);
  return [...text.matchAll(/^(?:import|export) (?!type )(?:([^;"]*?) from )?"([^"]+)"/gm)]
    .filter(([, names]) => names === undefined || !/^\{(?:\s*type [^,]*,?)*\s*\}$/.test(names))
    .map(([, , specifier]) => specifier ?? "");
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

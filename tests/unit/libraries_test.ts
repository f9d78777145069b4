/** Libraries are pinned, used, and named in CONTRIBUTING.md with their purpose. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch } from "../assert.ts";

const top = fileURLToPath(new URL("../../", import.meta.url));
const { imports }: { imports: Record<string, string> } = JSON.parse(
  Deno.readTextFileSync(join(top, "deno.json")),
);
/** The names by which source files import; types alone are found by the compiler itself. */
const names = Object.keys(imports).filter((name) => !name.startsWith("@types/"));

Deno.test("each library is pinned to one version", () => {
  for (const specifier of Object.values(imports)) {
    assertMatch(specifier, /^npm:(?:@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+(?:\/|$)/);
  }
});

Deno.test("each library is used", () => {
  const used = new Set<string>();
  for (const directory of ["src", "tests", "scripts", "bench", "fuzz", "soak", "demo"]) {
    for (const text of sources(join(top, directory))) {
      for (const [, name] of text.matchAll(/(?:from |import\()"([^"]+)"/g)) used.add(name ?? "");
    }
  }
  assert(used.has("node:path"), "the imports were not found");
  assertEquals(names.filter((name) => !used.has(name)), []);
});

Deno.test("CONTRIBUTING.md says what each library is used for", () => {
  const text = Deno.readTextFileSync(join(top, "CONTRIBUTING.md"));
  const unnamed = names.filter((name) => {
    return !text.includes(name.startsWith("@std/") ? "`deno-std`" : `\`${name}\``);
  });
  assertEquals(unnamed, []);
});

function* sources(directory: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const path = join(directory, name);
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) yield Deno.readTextFileSync(path);
  }
}

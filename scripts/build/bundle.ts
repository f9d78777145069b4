/** Bundles the program: our modules and the libraries that they use, in a few files. */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import manifest from "../../deno.json" with { type: "json" };
import { Failure } from "../../src/failure.ts";
import { copy, copyDirectory, emptyDirectory, write } from "./files.ts";

/**
 * Libraries in CommonJS require the modules that are built into the runtime. This asks for no
 * permission, of which the worker has none to spare.
 */
const BUILTIN_REQUIRE = "const require=(name)=>process.getBuiltinModule(name);";

/** The entry of workers that may import more than others, in `src/server`. */
const WITH_EXTRAS = "worker_with_extras";

/**
 * The table of media types, as text that is parsed when it is needed. Of a literal the runtime makes a
 * syntax tree when the program starts, and keeps it: 3 MB.
 */
const TABLE_AS_TEXT: Plugin = {
  name: "table as text",
  setup: ({ onLoad }) =>
    onLoad({ filter: /[/]media_types[/]vendor[/]db[.]js$/ }, async ({ path }) => {
      const { default: table } = await import(pathToFileURL(path).href) as { default: unknown };
      return { contents: `export default JSON.parse(${JSON.stringify(JSON.stringify(table))});` };
    }),
};

/** How a bundle imports another of its files: at once, or later. */
const IMPORT = /(?<=\bfrom|\bimport)"(?<atOnce>[.][/][^"]+)"|\bimport\("(?<later>[.][/][^"]+)"/g;

/**
 * Bundles `src/` into `output`: `main.js`, both entries of workers, and what they share.
 *
 * esbuild names what is shared after a hash of the paths of its sources. So everything is laid out in
 * one place first, and the same sources give the same bytes wherever the checkout and that place lie.
 *
 * @param checkout path of the repository, with a slash at its end.
 * @param place a directory of the bundler's own, for sources and libraries.
 * @throws when a module or library cannot be found.
 */
export async function bundle(checkout: string, place: string, output: string): Promise<void> {
  await installLibraries(checkout, place);
  await copyDirectory(`${checkout}src`, `${place}/src`);
  await emptyDirectory(output);
  await build({
    absWorkingDir: await Deno.realPath(place),
    entryPoints: {
      main: "src/main.ts",
      worker: "src/server/worker.ts",
      [WITH_EXTRAS]: `src/server/${WITH_EXTRAS}.ts`,
    },
    outdir: resolve(output),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "esnext",
    chunkNames: "[name]-[hash]",
    banner: { js: BUILTIN_REQUIRE },
    alias: libraryAliases(),
    // Names of functions and classes are kept: they stand in messages.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    plugins: [TABLE_AS_TEXT],
    logLevel: "warning",
  });
}

/**
 * Hides from the runtime what the bundled program may import later. What it sees it reads and parses
 * when the program starts, and it keeps the syntax trees: 20 times the size of the source.
 *
 * The main thread may import what it wants whenever it wants. A worker may not: what is not among its
 * extras it imports as before.
 */
export async function deferImports(bundles: string): Promise<void> {
  const extras = importsOf(await Deno.readTextFile(`${bundles}/${WITH_EXTRAS}.js`), "later");
  const worker = await reachedFrom(bundles, "worker.js");
  for (const { name } of [...Deno.readDirSync(bundles)]) {
    if (name === `${WITH_EXTRAS}.js`) continue;
    const text = await Deno.readTextFile(`${bundles}/${name}`);
    const deferred = text.replace(IMPORT, (whole, _, later) => {
      const known = later === undefined || worker.has(name) && !extras.includes(later);
      return known ? whole : `import(import.meta.resolve("${later}")`;
    });
    await write(`${bundles}/${name}`, deferred);
  }
}

/** The files that a file of a bundle imports, with it. */
async function reachedFrom(bundles: string, entry: string): Promise<ReadonlySet<string>> {
  const reached = new Set([entry]);
  for (const name of reached) {
    const text = await Deno.readTextFile(`${bundles}/${name}`);
    for (const when of ["atOnce", "later"] as const) {
      for (const address of importsOf(text, when)) reached.add(address.slice(2));
    }
  }
  return reached;
}

/** The addresses that the text of a bundle imports at once, or later. */
function importsOf(text: string, when: "atOnce" | "later"): string[] {
  return [...text.matchAll(IMPORT)].flatMap(({ groups }) => groups?.[when] ?? []);
}

/** Puts the libraries of the lock file beside the sources, from Deno's cache where it has them. */
async function installLibraries(checkout: string, place: string): Promise<void> {
  await emptyDirectory(place);
  // `src/version.ts` reads the version there, too.
  for (const file of ["deno.json", "deno.lock"]) await copy(checkout + file, `${place}/${file}`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--frozen", "--node-modules-dir=auto"],
    cwd: place,
  }).output();
  if (!success) throw new Failure(`no libraries: ${new TextDecoder().decode(stderr).trim()}`);
}

/** The names of the import map, as names of npm packages: `@std/html` is `deno-std/html/mod.js`. */
function libraryAliases(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(manifest.imports).flatMap(([name, specifier]) => {
      const path = specifier.replace(/^npm:/, "").replace(/(?<=.)@[^/]+/, "");
      return path === name ? [] : [[name, path]];
    }),
  );
}

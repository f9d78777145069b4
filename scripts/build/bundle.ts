/** Bundles the program: our modules and the libraries that they use, in a few files. */

import { resolve } from "node:path";
import { build } from "esbuild";
import manifest from "../../deno.json" with { type: "json" };
import { Failure } from "../../src/failure.ts";
import { copy, copyDirectory, emptyDirectory } from "./files.ts";

/**
 * Libraries in CommonJS require the modules that are built into the runtime. This asks for no
 * permission, of which the worker has none to spare.
 */
const BUILTIN_REQUIRE = "const require=(name)=>process.getBuiltinModule(name);";

/**
 * Bundles `src/` into `output`: `main.js`, the two workers and what they share.
 *
 * esbuild names what is shared after a hash of the paths of its sources. So everything is laid out in
 * one place first, and the same sources give the same bytes wherever the checkout and that place lie.
 *
 * @param checkout path of the repository, with a slash at its end.
 * @param place a directory of the bundler's own, for sources and libraries.
 * @returns the files whose text is in the bundles, as absolute paths.
 * @throws when a module or library cannot be found.
 */
export async function bundle(checkout: string, place: string, output: string): Promise<string[]> {
  await installLibraries(checkout, place);
  await copyDirectory(`${checkout}src`, `${place}/src`);
  await emptyDirectory(output);
  const directory = await Deno.realPath(place);
  const { metafile } = await build({
    absWorkingDir: directory,
    entryPoints: {
      main: "src/main.ts",
      worker: "src/server/worker.ts",
      database_worker: "src/server/database_worker.ts",
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
    logLevel: "warning",
    metafile: true,
  });
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    // What was left out of the bundles is listed with no bytes.
    Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  );
  return [...new Set(used.map(([path]) => resolve(directory, path)))];
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

/** Bundles our modules and the libraries that they use into a few files. */

import { isBuiltin } from "node:module";
import { resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import manifest from "../../deno.json" with { type: "json" };
import { Failure } from "../../src/failure.ts";
import { copy, copyDirectory, emptyDirectory } from "./files.ts";

/**
 * Lets libraries in CommonJS `require` built-in modules of the runtime, as imports. The worker does not have the
 * permissions that Deno's own `require` needs, and `process.getBuiltinModule` takes it 4 ms at the start.
 */
const BUILTIN_REQUIRES: Plugin = {
  name: "builtin-requires",
  setup({ onResolve, onLoad }): void {
    onResolve(
      { filter: /^/ },
      ({ path, kind }) =>
        kind === "require-call" && isBuiltin(path)
          ? { path: path.replace(/^(?!node:)/, "node:"), namespace: "builtin" }
          : null,
    );
    onLoad({ filter: /^/, namespace: "builtin" }, ({ path }) => ({
      contents: `export * from ${JSON.stringify(path)};`,
    }));
  },
};

/**
 * Bundles `src/` into `output`: `main.js`, the two workers, and chunks that they share.
 *
 * esbuild names a chunk after a hash of the relative paths of its sources. All sources are therefore
 * first copied into one directory, so that the bytes of the result do not depend on the path of the
 * checkout.
 *
 * @param checkout path of the repository, with a slash at its end.
 * @param place a directory that the bundler may use for sources and libraries.
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
    alias: libraryAliases(),
    plugins: [BUILTIN_REQUIRES],
    // Identifiers are not minified, because names of functions and classes appear in messages.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
  });
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    // Files that were left out of the bundles are listed with 0 bytes.
    Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  );
  return [...new Set(used.map(([path]) => resolve(directory, path)))];
}

/** Installs the libraries of the lock file next to the sources, from Deno's cache if possible. */
async function installLibraries(checkout: string, place: string): Promise<void> {
  await emptyDirectory(place);
  // `src/version.ts` also reads the version from deno.json.
  for (const file of ["deno.json", "deno.lock"]) await copy(checkout + file, `${place}/${file}`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--frozen", "--node-modules-dir=auto"],
    cwd: place,
  }).output();
  if (!success) {
    throw new Failure(`cannot install the libraries: ${new TextDecoder().decode(stderr).trim()}`);
  }
}

/** The paths in npm packages for the names of the import map: `deno-std/html/mod.js` for `@std/html`. */
function libraryAliases(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(manifest.imports).flatMap(([name, specifier]) => {
      const path = specifier.replace(/^npm:/, "").replace(/(?<=.)@[^/]+/, "");
      return path === name ? [] : [[name, path]];
    }),
  );
}

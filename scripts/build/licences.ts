/** The licence notices of the libraries in the bundles, made from their npm packages. */

import { Failure } from "../../src/failure.ts";
import { write } from "./files.ts";

/** A library in the bundles. */
interface Library {
  readonly name: string;
  readonly version: string;
  /** SPDX identifier of its licence. */
  readonly licence: string;
  readonly author: string;
}

/** The directory of the npm package that a file belongs to. */
const PACKAGE_DIRECTORY = /^.*[/]node_modules[/](?:@[^/]+[/])?[^/]+[/]/;

/** Names of files with licence notices. */
const NOTICE = /^(licen[cs]e|copying|notice)\b/i;

/** Block comments, and comments of lines that begin with slashes. */
const COMMENT = /\/\*[^]*?\*\/|(?:^[ \t]*\/\/.*\n)+/gm;

/** The text of the MIT licence after the copyright line; our own notice contains it. */
const MIT_TEXT = /Permission is hereby granted[^]*$/;

/** The text of the Apache licence without its appendix, which is a template for projects. */
const APACHE_TEXT = /^\s*Apache License[^]*END OF TERMS AND CONDITIONS$/m;

/**
 * Writes a file with the notices of each library into `output`.
 *
 * @param files that are in the bundles; those of libraries are in `node_modules`.
 * @param checkout path of the repository, with a slash at its end.
 * @throws {Failure} for a library without a licence, or when the text of its licence is not found.
 */
export async function writeLicences(
  files: readonly string[],
  checkout: string,
  output: string,
): Promise<void> {
  const directories = new Set(files.flatMap((file) => PACKAGE_DIRECTORY.exec(file) ?? []));
  for (const directory of directories) {
    const library = await readManifest(directory);
    const notices = await noticeFiles(directory);
    if (notices.length === 0) {
      notices.push(`Copyright ${library.author}`, await standardText(library, checkout, directory));
    }
    notices.push(...await noticeComments(files.filter((file) => file.startsWith(directory))));
    const { name, version, licence } = library;
    const text = [`${name} ${version}`, `License: ${licence}`, ...notices].join("\n\n");
    await write(`${output}/${name.replace("/", "+")}.txt`, `${text}\n`);
  }
}

async function readManifest(directory: string): Promise<Library> {
  const { name, version, license, author } = JSON.parse(
    await Deno.readTextFile(`${directory}package.json`),
  ) as { name: string; version: string; license?: string; author?: string | { name: string } };
  if (license === undefined) {
    throw new Failure(`the library ${name} has no licence in its package.json`);
  }
  const authorName = typeof author === "string" ? author : author?.name;
  return { name, version, licence: license, author: authorName ?? `the authors of ${name}` };
}

/** The notices in a package, including those of third-party code in its directories. */
async function noticeFiles(directory: string): Promise<string[]> {
  const notices: string[] = [];
  const entries = await Array.fromAsync(Deno.readDir(directory));
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (isDirectory) {
      if (name !== "node_modules") notices.push(...await noticeFiles(`${directory}${name}/`));
    } else if (NOTICE.test(name)) {
      notices.push((await Deno.readTextFile(directory + name)).trim());
    }
  }
  return notices;
}

/** The copyright comments in the sources, because the bundler removes all comments. */
async function noticeComments(files: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
  const comments = texts.flatMap((text) => text.match(COMMENT) ?? [])
    .filter((comment) => /\bcopyright\b/i.test(comment))
    .map((comment) =>
      comment.replace(/^[ \t]*(?:\/\*+!?|\*+\/|\*|\/\/)[ \t]?|\*+\/\s*$/gm, "").trim()
    );
  return [...new Set(comments)].sort();
}

/** The standard text of a licence, for a package that does not contain the text. */
async function standardText(
  { name, licence }: Library,
  checkout: string,
  directory: string,
): Promise<string> {
  // Take the text of the Apache licence from another library in the lock file.
  const apache = directory.replace(/[/]node_modules[/].*/, "/node_modules/playwright-core/LICENSE");
  const places: Readonly<Record<string, readonly [string, RegExp]>> = {
    "MIT": [`${checkout}LICENSE`, MIT_TEXT],
    "Apache-2.0": [apache, APACHE_TEXT],
  };
  const [file, pattern] = places[licence] ?? [];
  const text = file === undefined ? null : pattern?.exec(await Deno.readTextFile(file));
  if (text === null || text === undefined) {
    throw new Failure(
      `the library ${name} does not contain the text of its licence, ${licence}, and neither do we`,
    );
  }
  return text[0].trim();
}

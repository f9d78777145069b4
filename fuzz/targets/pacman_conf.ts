/** pacman.conf: inserting only adds lines, and the output of pacman-conf is parsed correctly. */

import fc from "fast-check";
import { directive, repositoryName, splitLines } from "../../src/pacman/lines.ts";
import { includePattern } from "../../src/pacman/included_files.ts";
import { insertInclude, PACSERVE_INCLUDE } from "../../src/pacman/insert.ts";
import { parsePacmanConfiguration } from "../../src/pacman/read_configuration.ts";
import { assert, assertEquals } from "../../tests/assert.ts";
import { byteText, wordText } from "../bytes.ts";
import { target } from "../target.ts";

const configuration = fc.oneof(
  wordText([
    "[core]",
    "[options]",
    "[extra]",
    "[",
    "]",
    "\n",
    "\n",
    "\r\n",
    "#",
    " ",
    "\t",
    "\v",
    "Include",
    " = ",
    "=",
    PACSERVE_INCLUDE,
    `Include = ${PACSERVE_INCLUDE}`,
    "Server = http://m/$repo",
    "SigLevel = Never",
    "\0",
  ], 40).map((text) => text.replace(/[^\0-\xff]/g, "\xff")),
  byteText(200),
);

/** A second insertion changes nothing, and without the inserted lines the text is the original. */
export const pacmanConf = target("pacman-conf", configuration, (text) => {
  const { text: inserted, repositories } = insertInclude(text);
  assertEquals(insertInclude(inserted), { text: inserted, repositories });
  const before = splitLines(text);
  const after = splitLines(inserted);
  let added = 0;
  for (const { content } of after) {
    if (content === before[added]?.content) added++;
    else assertEquals(content, `Include = ${PACSERVE_INCLUDE}`);
  }
  assertEquals(added, before.length);
  assertEquals(/\n$/.test(inserted), /\n$/.test(text));
  for (const [index, { content }] of after.entries()) {
    if (repositoryName(content) === null) continue;
    const first = after.slice(index + 1).map((line) => directive(line.content))
      .find((found) => found !== null);
    assertEquals(first, { key: "Include", value: PACSERVE_INCLUDE });
  }
  for (const line of text.split("\n")) {
    const pattern = includePattern(line);
    assert(pattern === null || (pattern.trim() === pattern && pattern !== ""));
  }
});

const word = fc.stringMatching(/^[a-z0-9][a-z0-9._:/@+-]{0,15}$/);
const levels = ["PackageRequired", "PackageOptional", "DatabaseNever", "PackageTrustedOnly"];

const printed = fc.record({
  caches: fc.uniqueArray(word.map((name) => `/${name.replace(/\/+$/, "")}`), { maxLength: 3 }),
  repositories: fc.uniqueArray(
    fc.record({
      name: fc.oneof(word, fc.constantFrom("__proto__", "constructor", "a = b")),
      servers: fc.uniqueArray(word.map((name) => `http://${name.replace(/\/+$/, "")}`)),
      level: fc.subarray(levels),
    }),
    { selector: ({ name }) => name, maxLength: 5 },
  ),
  noise: wordText(["[", "]", "Server", " = ", "[options]", "\n"]),
});

/** The output of pacman-conf is parsed into the configuration that it describes. */
export const pacmanConfOutput = target(
  "pacman-conf-output",
  printed,
  ({ caches, repositories, noise }) => {
    const text = [
      "[options]",
      ...caches.map((cache) => `CacheDir = ${cache}/`),
      ...repositories.flatMap(({ name, servers, level }) => [
        `[${name}]`,
        "Usage = All",
        ...servers.map((server) => `Server = ${server}`),
        ...(level.length > 0 ? level : ["DatabaseNever"]).map((word) => `SigLevel = ${word}`),
      ]),
    ].join("\n");
    const read = parsePacmanConfiguration(text);
    assertEquals(read.cacheDirectories, caches);
    assertEquals(
      read.repositories,
      repositories.map(({ name, servers, level }) => ({
        name,
        servers,
        packageSignatureRequired: level.includes("PackageRequired"),
      })),
    );
    parsePacmanConfiguration(noise);
  },
);

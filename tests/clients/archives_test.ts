/** Common programs read zip archives of any size and with any names. */

import { existsSync } from "node:fs";
import { crc32 } from "node:zlib";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import {
  BlockWriter,
  centralHeader,
  dataDescriptor,
  endOfArchive,
  localHeader,
  sizeInBlocks,
} from "../../src/quickserve/archive/zip_records.ts";
import { must } from "../lan/process.ts";
import { Served } from "../program.ts";
import { inScratch, UTF8 as environment } from "../scratch.ts";
import { ODD_NAMES } from "./odd_names.ts";

const GIB = 2 ** 30;

/** True if this machine has Java's archive program. */
const hasJava = existsSync("/usr/bin/jar");

/** Serves a directory `files`, and saves its archive as a sparse file. */
async function withArchive(
  fill: (files: string) => void,
  body: (archive: string, directory: string) => Promise<void>,
): Promise<void> {
  await inScratch(async (directory) => {
    Deno.mkdirSync(`${directory}/files`);
    fill(`${directory}/files`);
    await using server = await Served.start("quickserve", ["--tar", "zip", `${directory}/files`]);
    const save = `curl -fsS "$0" | cp --sparse=always /dev/stdin saved.zip`;
    const address = `${server.address}/files/?tar=zip`;
    await must(["bash", "-o", "pipefail", "-c", save, address], { directory, deadline: 300_000 });
    const told = await server.fetch("/files/?tar=zip", { method: "HEAD" });
    const size = String(Deno.statSync(`${directory}/saved.zip`).size);
    const length = told.headers.get("Content-Length");
    assert(length === size || length === null, `${length}, but it has ${size} bytes`);
    await body(`${directory}/saved.zip`, directory);
  });
}

/**
 * Returns the output of Python's zipfile: one line `name size` for each entry, after reading and checking
 * all.
 */
function readByPython(archive: string, check = true): Promise<string> {
  const script = `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
${check ? "assert z.testzip() is None" : ""}
for i in z.infolist(): print(i.filename, i.file_size)
`;
  return must(["/usr/bin/python3", "-c", script, archive], { environment, deadline: 300_000 });
}

Deno.test("zip: unzip, bsdtar and Python unpack an archive with names of all kinds", () =>
  withArchive(
    (files) => {
      for (const name of ODD_NAMES) Deno.writeTextFileSync(`${files}/${name}`, name);
      Deno.mkdirSync(`${files}/empty`);
      Deno.utimeSync(`${files}/per%cent`, 1_700_000_001, 1_700_000_001);
    },
    async (archive, directory) => {
      const unpack = [
        ["unzip", "-q", archive],
        ["bsdtar", "-xf", archive],
        ["bash", "-c", `bsdtar -xf - < "$0"`, archive],
        ["/usr/bin/python3", "-m", "zipfile", "-e", archive, "."],
      ];
      for (const [index, command] of unpack.entries()) {
        const into = `${directory}/${index}`;
        Deno.mkdirSync(into);
        await must(command, { directory: into, environment });
        const names = [...Deno.readDirSync(`${into}/files`)].map(({ name }) => name).sort();
        // libarchive composes letters with their accents.
        const composed = (name: string): string => {
          return command.join().includes("bsdtar") ? name.normalize("NFC") : name;
        };
        const expected = [...ODD_NAMES, "empty"].map(composed).sort();
        assertEquals(names, expected, command[0]);
        for (const name of ODD_NAMES) {
          assertEquals(Deno.readTextFileSync(`${into}/files/${composed(name)}`), name, command[0]);
        }
      }
      // Times are exact to the second in any time zone. Python's library does not restore them.
      for (const index of [0, 1, 2]) {
        const { mtime } = Deno.statSync(`${directory}/${index}/files/per%cent`);
        assertEquals(mtime?.getTime(), 1_700_000_001_000, unpack[index]?.join(" "));
      }
    },
  ));

const count = 65_536;

Deno.test(`zip: unzip, bsdtar and Python read an archive of ${count} files completely`, () =>
  withArchive(
    (files) => {
      for (let number = 1; number <= count; number++) {
        Deno.writeTextFileSync(`${files}/${number}`, `${number}`);
      }
    },
    async (archive) => {
      const deadline = 300_000;
      // The directory is an entry, too.
      const total = `${count + 1} files`;
      assertStringIncludes(await must(["unzip", "-Z", "-t", archive], { deadline }), total);
      assertStringIncludes(await must(["unzip", "-tq", archive], { deadline }), "No errors");
      const listed = await must(["bsdtar", "-tf", archive], { deadline });
      assertEquals(listed.trimEnd().split("\n").length, count + 1);
      const read = await readByPython(archive);
      assertEquals(read.trimEnd().split("\n").length, count + 1);
      assertStringIncludes(read, `files/${count} ${String(count).length}\n`);
    },
  ));

Deno.test("zip: unzip, bsdtar and Python read an archive with files above 4 GiB, and the entries after them", () =>
  withArchive(
    (files) => {
      Deno.writeTextFileSync(`${files}/1`, "first");
      Deno.writeTextFileSync(`${files}/2`, "");
      Deno.truncateSync(`${files}/2`, 4 * GIB + 1);
      Deno.writeTextFileSync(`${files}/3`, "last");
    },
    async (archive) => {
      const deadline = 300_000;
      const listed = await readByPython(archive, false);
      assertStringIncludes(listed, `files/2 ${4 * GIB + 1}\nfiles/3 4\n`);
      assertStringIncludes(await must(["unzip", "-tq", archive], { deadline }), "No errors");
      for (
        const command of [
          ["unzip", "-p", archive, "files/3"],
          ["bsdtar", "-xOf", archive, "files/3"],
          ["bash", "-c", `bsdtar -xOf - files/3 < "$0"`, archive],
        ]
      ) assertEquals(await must(command, { deadline }), "last", command.join(" "));
    },
  ));

Deno.test("zip: Java reads an archive as a stream, also files of several blocks and empty ones", {
  ignore: !hasJava,
}, () =>
  withArchive(
    (files) => {
      for (const name of ODD_NAMES) Deno.writeTextFileSync(`${files}/${name}`, name);
      // A block of deflate has up to 65,535 bytes.
      for (const size of [0, 1, 65_534, 65_535, 65_536, 131_070, 1_000_000]) {
        Deno.writeFileSync(`${files}/${size}`, new Uint8Array(size).map((_, index) => index % 251));
      }
    },
    async (archive, directory) => {
      Deno.mkdirSync(`${directory}/out`);
      const unpack = ["bash", "-c", `jar x < "$0"`, archive];
      await must(unpack, { directory: `${directory}/out`, environment, deadline: 60_000 });
      await must(["diff", "-r", "files", "out/files"], { directory });
    },
  ));

Deno.test("zip: unzip reads the entry after a file of exactly 4 GiB - 1 byte", () =>
  inScratch(async (directory) => {
    const encoder = new TextEncoder();
    const content = encoder.encode("last");
    const blocks = new BlockWriter();
    const entries = [
      { name: encoder.encode("1"), size: 4 * GIB - 1, modified: 0, crc: 0, offset: 0 },
      { name: encoder.encode("2"), size: 4, modified: 0, crc: crc32(content), offset: 0 },
    ];
    // The content of the first file is a hole: unzip does not read it.
    using file = Deno.openSync(`${directory}/a.zip`, { write: true, createNew: true });
    let length = 0;
    const write = (bytes: Uint8Array): void => void (length += file.writeSync(bytes));
    for (const entry of entries) {
      entry.offset = length;
      write(localHeader(entry));
      blocks.begin(entry.size);
      if (entry.size === content.length) write(blocks.put(content));
      else length = file.seekSync(sizeInBlocks(entry.size), Deno.SeekMode.Current);
      write(dataDescriptor(entry.size, entry.crc));
    }
    const start = length;
    for (const entry of entries) write(centralHeader(entry));
    write(endOfArchive(entries.length, start, length - start));
    assertEquals(await must(["unzip", "-p", `${directory}/a.zip`, "2"], { environment }), "last");
    const total = `2 files, ${4 * GIB + 3} bytes uncompressed`;
    assertStringIncludes(await must(["unzip", "-Z", "-t", `${directory}/a.zip`]), total);
  }));

/** Zip archives of any size and with any names, read by the programs that people have. */

import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { must } from "../lan/process.ts";
import { Served } from "../program.ts";
import { inScratch } from "../scratch.ts";
import { ODD_NAMES } from "./odd_names.ts";

const GIB = 2 ** 30;

/** In a locale with UTF-8, as everybody has: else unzip writes names as it pleases. */
const environment = { LC_ALL: "C.UTF-8" };

/** Serves a directory `files`, and saves its archive, with holes where it has only zeros. */
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

/** What Python's zipfile says of an archive: `name size` a line, once all was read and checked. */
function readByPython(archive: string, check = true): Promise<string> {
  const script = `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
${check ? "assert z.testzip() is None" : ""}
for i in z.infolist(): print(i.filename, i.file_size)
`;
  return must(["/usr/bin/python3", "-c", script, archive], { environment, deadline: 300_000 });
}

Deno.test("a zip with names of all kinds is unpacked by unzip, bsdtar and Python", () =>
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
        // libarchive composes letters and their accents.
        const composed = (name: string): string => {
          return command.join().includes("bsdtar") ? name.normalize("NFC") : name;
        };
        const expected = [...ODD_NAMES, "empty"].map(composed).sort();
        assertEquals(names, expected, command[0]);
        for (const name of ODD_NAMES) {
          assertEquals(Deno.readTextFileSync(`${into}/files/${composed(name)}`), name, command[0]);
        }
      }
      // To the second, whatever the time zone of who unpacks it; Python's library keeps no times.
      for (const index of [0, 1, 2]) {
        const { mtime } = Deno.statSync(`${directory}/${index}/files/per%cent`);
        assertEquals(mtime?.getTime(), 1_700_000_001_000, unpack[index]?.join(" "));
      }
    },
  ));

const count = 65_536;

Deno.test(`a zip of ${count} files is whole to unzip, bsdtar and Python`, () =>
  withArchive(
    (files) => {
      for (let number = 1; number <= count; number++) {
        Deno.writeTextFileSync(`${files}/${number}`, `${number}`);
      }
    },
    async (archive) => {
      const deadline = 300_000;
      // With the directory.
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

Deno.test("a zip with files above 4 GiB is read by unzip, bsdtar and Python, also what stands behind them", () =>
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

import { unpackTar } from "modern-tar";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { HttpRequest, Reply } from "../../../src/http/exchange.ts";
import { archiveReply } from "../../../src/quickserve/archive/archive.ts";
import { ARCHIVE_FORMATS } from "../../../src/quickserve/configuration.ts";
import type { ArchiveFormat } from "../../../src/quickserve/configuration.ts";
import { sizeOfTar } from "../../../src/quickserve/archive/tar.ts";
import { SharedTree } from "../../../src/quickserve/tree.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { readBody } from "../../reply.ts";
import { share, treeOf } from "./trees.ts";
import { inScratch, shell, writeFiles } from "../../scratch.ts";

const get: Pick<HttpRequest, "method"> = { method: "GET" };

function archive(
  tree: SharedTree,
  format: ArchiveFormat,
  { segments = ["s"], request = get }: { segments?: string[]; request?: typeof get } = {},
): Promise<Reply> {
  const directory = tree.lookup(segments);
  if (directory?.kind !== "directory") throw new Error("there is no such directory");
  return archiveReply({ request, tree, directory, format, rootName: "files" });
}

/** Unpacks an archive with bsdtar, which reads all formats, and returns the content of its files by path. */
async function unpacked(reply: Reply, directory: string): Promise<Record<string, string>> {
  const to = `${directory}/out`;
  await Deno.mkdir(to);
  await Deno.writeFile(`${directory}/archive`, await readBody(reply));
  shell(to, "bsdtar -xf ../archive");
  const found: Record<string, string> = {};
  const visit = (path: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(`${to}/${path}`)) {
      if (isDirectory) {
        found[`${path}${name}/`] = "";
        visit(`${path}${name}/`);
      } else found[path + name] = Deno.readTextFileSync(`${to}/${path}${name}`);
    }
  };
  visit("");
  await Deno.remove(to, { recursive: true });
  return found;
}

const long = "a-name-of-fifty-characters-so-that-paths-get-long--";

for (const format of ARCHIVE_FORMATS) {
  Deno.test(`archiveReply: an archive (${format}) contains the directory under its name`, () =>
    inScratch(async (directory) => {
      writeFiles(directory, {
        "src/a.txt": "a",
        "src/sub/naïve 日本語.txt": "unicode",
        "src/-rf": "dash",
        "src/empty file": "",
        "src/.hidden": "hidden",
        [`src/${long}/${long}/${long}/${long}/${long}/${long}/deep`]: "deep",
      });
      await Deno.mkdir(`${directory}/src/empty`);
      const tree = new SharedTree(treeOf([share("s", `${directory}/src`)]));
      const reply = await archive(tree, format);
      const bytes = await readBody(reply);
      const length = reply.headers["Content-Length"];
      const isSizeTold = format === "none" || format === "zip";
      assertEquals(length, isSizeTold ? String(bytes.length) : undefined);
      const expected: Record<string, string> = {
        "s/": "",
        "s/-rf": "dash",
        "s/a.txt": "a",
        "s/empty file": "",
        "s/empty/": "",
        "s/sub/": "",
        "s/sub/naïve 日本語.txt": "unicode",
      };
      for (let depth = 1; depth <= 6; depth++) expected[`s/${`${long}/`.repeat(depth)}`] = "";
      expected[`s/${`${long}/`.repeat(6)}deep`] = "deep";
      assertEquals(await unpacked({ ...reply, body: bytes }, directory), expected);
    }));
}

Deno.test("archiveReply: an archive has the files' times; times outside of its format do no harm", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { "src/new": "n", "src/ancient": "a" });
    await Deno.utime(`${directory}/src/new`, 1_700_000_000, 1_700_000_000);
    shell(`${directory}/src`, "touch -d 1901-02-03T04:05:06Z ancient");
    const tree = new SharedTree(treeOf([share("s", `${directory}/src`)]));
    const entries = await unpackTar(await readBody(await archive(tree, "none")), { strict: true });
    const times = Object.fromEntries(entries.map(({ header }) => [header.name, header.mtime]));
    assertEquals(times["s/new"], new Date(1_700_000_000_000));
    assertEquals(times["s/ancient"], new Date(0));
    assertEquals(Object.keys(await unpacked(await archive(tree, "zip"), directory)).length, 3);
  }));

Deno.test("archiveReply: the root's archive is named after `rootName`", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { "src/a": "a" });
    const tree = new SharedTree(treeOf([share("s", `${directory}/src`)]));
    const reply = await archive(tree, "zip", { segments: [] });
    assertEquals(reply.headers["Content-Disposition"], 'attachment; filename="files.zip"');
    assertEquals(await unpacked(reply, directory), {
      "files/": "",
      "files/s/": "",
      "files/s/a": "a",
    });
  }));

Deno.test("archiveReply: links to a parent end, and compressed archives match their names", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { "src/d/a": "a" });
    shell(`${directory}/src`, "ln -s .. d/up; ln -s . d/self");
    const tree = new SharedTree(treeOf([share("s", `${directory}/src`)]));
    const names = async (bytes: Uint8Array): Promise<string[]> =>
      (await unpackTar(bytes, { strict: true })).map(({ header }) => header.name);
    const expected = ["s/", "s/d/", "s/d/a"];
    const zst = await readBody(await archive(tree, "zst"));
    assertEquals(await names(zstdDecompressSync(zst)), expected);
    const gz = await readBody(await archive(tree, "gz"));
    assertEquals(await names(gunzipSync(gz)), expected);
  }));

for (const format of ["none", "zip"] as const) {
  Deno.test(`archiveReply: a changing file never yields a wrong archive that looks right (${format})`, () =>
    inScratch(async (directory) => {
      writeFiles(directory, { "src/a": "a".repeat(1000) });
      const tree = new SharedTree(treeOf([share("s", `${directory}/src`)]));
      const told = async (change: () => void): Promise<Uint8Array> => {
        const reply = await archive(tree, format);
        change();
        const bytes = await readBody(reply);
        assertEquals(reply.headers["Content-Length"], String(bytes.length));
        return bytes;
      };
      await told(() => Deno.writeTextFileSync(`${directory}/src/a`, "a".repeat(2000)));
      await assertRejects(
        () => told(() => Deno.writeTextFileSync(`${directory}/src/a`, "b")),
        Error,
        "s/a became shorter",
      );
      await assertRejects(
        () => told(() => Deno.removeSync(`${directory}/src/a`)),
        Error,
        "s/a was removed",
      );
    }));
}

Deno.test("archiveReply: an archive that is not read to its end leaves no file open", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { "src/a": "", "src/b": "" });
    await Deno.truncate(`${directory}/src/a`, 50_000_000);
    const tree = new SharedTree(treeOf([share("s", `${directory}/src`)]));
    const openFiles = (): number =>
      [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
        try {
          return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(directory);
        } catch {
          return false;
        }
      }).length;
    for (const format of ARCHIVE_FORMATS) {
      const { body } = await archive(tree, format);
      assert(body !== null && Symbol.asyncIterator in body);
      let chunks = 0;
      for await (const chunk of body) {
        if (chunk.length > 0 && ++chunks === 3) break;
      }
      // The compressor closes its input in a later turn of the event loop.
      const deadline = Date.now() + 5000;
      while (openFiles() > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assertEquals(openFiles(), 0, format);
    }
  }));

Deno.test("archiveReply: the reply to HEAD has the size and no body", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { "src/a": "a" });
    const tree = new SharedTree(treeOf([share("s", `${directory}/src`)]));
    const reply = await archive(tree, "none", { request: { method: "HEAD" } });
    assertEquals([reply.headers["Content-Length"], reply.body], [String(512 * 5), null]);
  }));

Deno.test("sizeOfTar: includes the extended header of files that are too large for ustar", () => {
  const file = {
    kind: "file",
    segments: [],
    localPath: "",
    modified: 0,
    changed: 0,
    device: 0,
    inode: 0,
  } as const;
  const size = 9 * 2 ** 30;
  const members = [{ path: "s/great", modified: 0, file: { ...file, size } }];
  assertEquals(sizeOfTar(members), size + 3 * 512 + 2 * 512);
});

Deno.test("archiveReply: Content-Disposition is valid for every name", () =>
  inScratch(async (directory) => {
    const dispositions: Record<string, string> = {
      "plain": 'attachment; filename="plain.zip"',
      'é"\\%\r\nX-Bad: 1':
        `attachment; filename="______X-Bad: 1.zip"; filename*=UTF-8''%C3%A9%22%5C%25%0D%0AX-Bad%3A%201.zip`,
      "it's (1)*": 'attachment; filename="it\'s (1)*.zip"',
    };
    for (const name of Object.keys(dispositions)) {
      Deno.mkdirSync(`${directory}/src/${name}`, { recursive: true });
    }
    const tree = new SharedTree(treeOf([share("s", `${directory}/src`)]));
    for (const [name, disposition] of Object.entries(dispositions)) {
      const reply = await archive(tree, "zip", { segments: ["s", name] });
      assertEquals(reply.headers["Content-Disposition"], disposition);
    }
  }));

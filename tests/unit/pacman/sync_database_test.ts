/** Tests with sync databases of the real repo-add, and with those that a hostile mirror could send. */

import { createHash } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { MAX_DATABASE_SIZE, parseSyncDatabase } from "../../../src/pacman/sync_database.ts";
import { PackageTable } from "../../../src/pacman/package_table.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../assert.ts";
import { inScratch, shell } from "../../scratch.ts";
import { addPackage, archive, description, type Entry, packageEntry } from "./databases.ts";

/** The table of an archive with these entries. */
async function tableOfEntries(...entries: Entry[]): Promise<PackageTable> {
  return await parseSyncDatabase(archive(entries));
}

/** The bytes of an archive with these entries. */
async function bytesOf(entries: Iterable<Entry>): Promise<Uint8Array> {
  return await new Response(archive(entries)).bytes();
}

/** The table of a file. */
async function tableOfFile(path: string): Promise<PackageTable> {
  using file = await Deno.open(path);
  return await parseSyncDatabase(file.readable);
}

/** Bytes as a stream, in pieces of this size. */
async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) {
    yield await Promise.resolve(bytes.subarray(start, start + size));
  }
}

for (const form of ["gz", "zst", "plain"]) {
  Deno.test(`parseSyncDatabase: a database of real repo-add (${form}) has the size and SHA-256 of each file`, async () => {
    await inScratch(async (directory) => {
      const name = form === "plain" ? "core.db.tar" : `core.db.tar.${form}`;
      const files = ["foo", "bar"].map((each) => addPackage(directory, name, each));
      const table = await tableOfFile(`${directory}/core.db`);
      assertEquals(table.size, 2);
      for (const file of files) {
        const bytes = await Deno.readFile(`${directory}/${file}`);
        const expected = table.find(file);
        assertEquals(expected?.size, bytes.length);
        assertEquals(
          expected?.sha256.toHex(),
          createHash("sha256").update(bytes).digest("hex"),
        );
      }
      assertEquals(table.find("baz-1:1.0+r2-1-any.pkg.tar.zst"), null);
    });
  });
}

Deno.test("parseSyncDatabase: an empty database of real repo-add has no packages", async () => {
  await inScratch(async (directory) => {
    const file = addPackage(directory, "core.db.tar.gz", "foo");
    assert(file.startsWith("foo"));
    shell(directory, "repo-remove -q core.db.tar.gz foo");
    assertEquals((await tableOfFile(`${directory}/core.db`)).size, 0);
  });
});

for (const [ending, program] of [["xz", "xz"], ["bz2", "bzip2"]] as const) {
  Deno.test(`parseSyncDatabase: a database packed with ${program} is refused with this reason`, async () => {
    await inScratch(async (directory) => {
      addPackage(directory, `core.db.tar.${ending}`, "foo");
      const reason = `it is packed with ${program}`;
      await assertRejects(() => tableOfFile(`${directory}/core.db`), Error, reason);
    });
  });
}

Deno.test("parseSyncDatabase: reads 15,000 packages, from pieces of any size", async () => {
  const entries = Array.from(
    { length: 15_000 },
    (_, at) => packageEntry(`p${at}.pkg`, at, at & 255),
  );
  const plain = await bytesOf(entries);
  for (const packed of [gzipSync(plain), zstdCompressSync(plain), plain]) {
    for (const size of [1000, 1 << 20]) {
      const table = await parseSyncDatabase(inPieces(packed, size));
      assertEquals(table.size, 15_000);
      // Make a table from a copy of the buffer, as another thread does.
      const copy = new PackageTable(structuredClone(table.buffer));
      assertEquals(copy.buffer.byteLength, 48 * 15_000);
      for (const at of [0, 1, 7_777, 14_999]) {
        assertEquals(copy.find(`p${at}.pkg`), {
          size: at,
          sha256: new Uint8Array(32).fill(at & 255),
        });
      }
      assertEquals(copy.find("p15000.pkg"), null);
    }
  }
});

Deno.test("parseSyncDatabase: a package with invalid values is left out, and no other", async () => {
  const sha256 = "ab".repeat(32);
  const good = { FILENAME: "x.pkg", CSIZE: 5, SHA256SUM: sha256 };
  const bad: Record<string, string | number>[] = [
    ...["", ".", "..", "../x.pkg", "a/x.pkg", "/x.pkg", ".x.pkg", "x\0.pkg", "x".repeat(256)]
      .map((name) => ({ ...good, FILENAME: name })),
    ...["", "-1", "+5", "5.0", "5e3", "0x5", "five", "9".repeat(17), "9007199254740993", " 5"]
      .map((size) => ({ ...good, CSIZE: size })),
    ...["", "ab", sha256 + "ab", "zz".repeat(32), `${sha256} `]
      .map((sum) => ({ ...good, SHA256SUM: sum })),
    { FILENAME: "x.pkg", CSIZE: 5 },
    { FILENAME: "x.pkg", SHA256SUM: sha256 },
    { CSIZE: 5, SHA256SUM: sha256 },
    {},
  ];
  for (const values of bad) {
    const entry = { name: "bad-1-1/desc", content: description(values) };
    const table = await tableOfEntries(entry, packageEntry("good.pkg", 3));
    assertEquals([values, table.size], [values, 1]);
    assertEquals(table.find("good.pkg")?.size, 3);
  }
});

Deno.test("parseSyncDatabase: reads descriptions only from regular files <package>/desc", async () => {
  const { content } = packageEntry("x.pkg", 5);
  const entries: Entry[] = [
    ...[
      "desc",
      "a/b/desc",
      "/desc",
      "x-1-1/description",
      "x-1-1/depends",
      "x-1-1/files",
      "x-1-1/desc/",
    ]
      .map((name) => ({ name, content })),
    { name: "x-1-1/desc", content, type: "symlink" },
    { name: "x-1-1/desc", content, type: "link" },
    { name: "x-1-1/desc", content, type: "fifo" },
  ];
  for (const entry of entries) {
    const table = await tableOfEntries(entry, packageEntry("good.pkg", 3));
    assertEquals([entry.name, entry.type, table.size], [entry.name, entry.type, 1]);
  }
});

Deno.test("parseSyncDatabase: a file with two descriptions is in the table only if they agree", async () => {
  const twice = [packageEntry("x.pkg", 5, 1), packageEntry("x.pkg", 5, 1)];
  assertEquals((await tableOfEntries(...twice)).find("x.pkg")?.size, 5);
  for (const other of [packageEntry("x.pkg", 6, 1), packageEntry("x.pkg", 5, 2)]) {
    const table = await tableOfEntries(...twice, other, ...twice, packageEntry("good.pkg", 3));
    assertEquals([table.find("x.pkg"), table.size], [null, 1]);
  }
});

Deno.test("parseSyncDatabase: a description of 2 MiB is ignored", async () => {
  const { name, content } = packageEntry("x.pkg", 5);
  const large = { name, content: content + "%DESC%\n" + "x".repeat(2 << 20) };
  const table = await tableOfEntries(large, packageEntry("good.pkg", 3));
  assertEquals([table.find("x.pkg"), table.size], [null, 1]);
});

Deno.test("parseSyncDatabase: a database that is truncated, or has a damaged header, is refused as a whole", async () => {
  const plain = await bytesOf([packageEntry("x.pkg", 5), packageEntry("y.pkg", 6)]);
  const truncated = Array.from({ length: 40 }, (_, at) => Math.floor(plain.length * at / 40));
  for (const length of truncated) {
    await assertRejects(() => parseSyncDatabase(inPieces(plain.subarray(0, length), 512)), Error);
    const packed = gzipSync(plain);
    const cut = packed.subarray(0, Math.floor(packed.length * length / plain.length));
    await assertRejects(() => parseSyncDatabase(inPieces(cut, 100)), Error);
    const other = zstdCompressSync(plain);
    const short = other.subarray(0, Math.floor(other.length * length / plain.length));
    await assertRejects(() => parseSyncDatabase(inPieces(short, 100)), Error);
  }
  for (const at of [0, 124, 148, 257]) {
    const changed = plain.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x55;
    await assertRejects(() => parseSyncDatabase(inPieces(changed, 512)), Error);
  }
});

Deno.test("parseSyncDatabase: impossible sizes in a header are refused", async () => {
  const plain = await bytesOf([packageEntry("x.pkg", 5)]);
  const sizes: Uint8Array[] = [
    // In the binary form of GNU tar: -1, and the greatest number.
    Uint8Array.of(...new Uint8Array(12).fill(0xff)),
    Uint8Array.of(0x80, 0x7f, ...new Uint8Array(10).fill(0xff)),
    new TextEncoder().encode("-0000000001\0"),
    new TextEncoder().encode("77777777777\0"),
  ];
  for (const size of sizes) {
    const lying = plain.slice();
    lying.set(size, 124);
    lying.set(checksum(lying.subarray(0, 512)), 148);
    await assertRejects(() => parseSyncDatabase(inPieces(lying, 512)), Error);
  }
});

Deno.test("parseSyncDatabase: endless entries and endless zeros are refused after 256 MiB", async () => {
  const entry = (await bytesOf([packageEntry("x.pkg", 5)])).subarray(0, 1024);
  const piece = new Uint8Array(1 << 20);
  for (let start = 0; start < piece.length; start += 1024) piece.set(entry, start);
  for (const bytes of [piece, new Uint8Array(1 << 20)]) {
    let given = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      while (true) {
        given += bytes.length;
        yield await Promise.resolve(bytes);
      }
    };
    const { message } = await assertRejects(() => parseSyncDatabase(endless()), Error);
    assertMatch(message, /more than 256 MiB unpacked/);
    assert(given <= MAX_DATABASE_SIZE + (8 << 20), `${given} bytes were read`);
  }
});

Deno.test("parseSyncDatabase: 300 MB of zeros compressed into 300 kB are refused", async () => {
  const zeros = new Uint8Array(300 << 20);
  for (const bomb of [gzipSync(zeros), zstdCompressSync(zeros)]) {
    assert(bomb.length < 1 << 20);
    await assertRejects(
      () => parseSyncDatabase(inPieces(bomb, 1 << 16)),
      Error,
      "more than 256 MiB",
    );
  }
});

Deno.test("parseSyncDatabase: an error page, an empty file and random bytes are refused", async () => {
  const encoder = new TextEncoder();
  const noise = crypto.getRandomValues(new Uint8Array(5000));
  const wrong = [
    new Uint8Array(),
    encoder.encode("<!DOCTYPE html><title>404 Not Found</title>"),
    encoder.encode("x".repeat(5000)),
    noise,
    Uint8Array.of(0x1f, 0x8b, ...noise),
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...noise),
  ];
  for (const bytes of wrong) {
    await assertRejects(() => parseSyncDatabase(inPieces(bytes, 100)), Error);
  }
});

/** The checksum field of a tar header, computed with spaces in place of the field (POSIX.1-2017, pax). */
function checksum(header: Uint8Array): Uint8Array {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  return new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `);
}

/** The files by which packages are verified: sync databases and detached signatures. */

import fc from "fast-check";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { parseSyncDatabase } from "../../src/pacman/sync_database.ts";
import { fits, parseSignature } from "../../src/pacserve/signature.ts";
import { assert, assertEquals } from "../../tests/assert.ts";
import { archive, type Entry } from "../../tests/unit/pacman/databases.ts";
import { bytesOf, byteText, wordText } from "../bytes.ts";
import { target } from "../target.ts";

const digest = "ab".repeat(32);

const content = fc.oneof(
  wordText([
    ...["%FILENAME%\n", "%CSIZE%\n", "%SHA256SUM%\n", "%DESC%\n", "\n"],
    ...["x.pkg", "../x.pkg", "5", "-5", "99999999999999999999", digest, digest.toUpperCase(), "\0"],
  ]),
  fc.constant(`%FILENAME%\nx.pkg\n\n%CSIZE%\n5\n\n%SHA256SUM%\n${digest}\n\n`),
);

const entry: fc.Arbitrary<Entry> = fc.record({
  name: fc.constantFrom("x-1-1/desc", "desc", "a/b/desc", "x-1-1/files", "x-1-1/", "/desc"),
  content,
  type: fc.constantFrom("file", "file", "file", "directory", "symlink", "link", "fifo"),
});

const database = fc.record({
  entries: fc.array(entry, { maxLength: 5 }),
  packing: fc.constantFrom("gzip", "zstd", "none"),
  /** Replacements: the position (in thousandths), how many bytes are removed, and the new bytes. */
  damage: fc.array(
    fc.record({ at: fc.nat(999), removed: fc.nat(600), added: byteText(20) }),
    { maxLength: 3 },
  ),
  pieceSize: fc.integer({ min: 1, max: 2000 }),
  anything: byteText(2000),
});

const packers = {
  gzip: (bytes: Uint8Array): Uint8Array => gzipSync(bytes),
  zstd: (bytes: Uint8Array): Uint8Array => zstdCompressSync(bytes),
  none: (bytes: Uint8Array): Uint8Array => bytes,
};

/** Any bytes give a table or an error with a reason; an undamaged archive always gives the same table. */
export const databases = target("databases", database, async (input) => {
  const plain = await new Response(archive(input.entries)).bytes();
  const packed = packers[input.packing as keyof typeof packers](plain);
  const table = await assertTable(packed, input.pieceSize);
  assert(table !== null, "a valid archive was refused");
  assertEquals(await assertTable(plain, 4096), table);

  let damaged = packed;
  for (const { at, removed, added } of input.damage) {
    const start = Math.floor(damaged.length * at / 1000);
    damaged = Uint8Array.of(
      ...damaged.subarray(0, start),
      ...bytesOf(added),
      ...damaged.subarray(start + removed),
    );
  }
  await assertTable(damaged, input.pieceSize);
  await assertTable(bytesOf(input.anything), input.pieceSize);
});

/** The bytes of the table; null when the database was refused. */
async function assertTable(bytes: Uint8Array, pieceSize: number): Promise<string | null> {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < bytes.length; start += pieceSize) {
      yield await Promise.resolve(bytes.subarray(start, start + pieceSize));
    }
  };
  try {
    const table = await parseSyncDatabase(pieces());
    const found = table.find("x.pkg");
    assert(found === null || Number.isSafeInteger(found.size) && found.size >= 0);
    assertEquals(table.find("../x.pkg"), null);
    return new Uint8Array(table.buffer).toHex();
  } catch (error) {
    assert(error instanceof Error && error.message !== "", `no reason: ${error}`);
    assert(!(error instanceof TypeError || error instanceof RangeError), String(error.stack));
    return null;
  }
}

/** Pieces of signature packets, so that not every input is refused at its first byte. */
const packet = fc.oneof(
  wordText([
    ...["\x88", "\x89", "\xc2", "\x04\x00\x16\x0a", "\x06\x00\x1b\x08", "\x00\x00", "\x00\x06"],
    ...["\x05\x02\x01\x02\x03\x04", "\x01\x00", "\x00\x08\xff", "\xff\xff\xff\xff", "\x10"],
  ], 20).map((text) => text.replace(/[^\0-\xff]/g, "\xfe")),
  byteText(17 << 10),
);

const shaped = fc.record({
  version: fc.constantFrom(4, 6),
  algorithm: fc.constantFrom(1, 17, 19, 22, 27, 28, 99),
  hash: fc.constantFrom(2, 8, 9, 10, 11, 12, 14, 99),
  hashed: byteText(300),
  unhashed: byteText(300),
  rest: byteText(100),
});

/** An accepted signature is exactly one packet, and can be compared with any file. */
export const signatures = target(
  "signatures",
  fc.record({ packet, shaped, file: byteText(100) }),
  async ({ packet, shaped, file }) => {
    await assertSignature(bytesOf(packet), bytesOf(file));
    const { version, algorithm, hash } = shaped;
    const [hashed, unhashed] = [bytesOf(shaped.hashed), bytesOf(shaped.unhashed)];
    const lengthOf = (bytes: Uint8Array): number[] => {
      const length = [bytes.length >> 8, bytes.length & 0xff];
      return version === 4 ? length : [0, 0, ...length];
    };
    const body = [version, 0, algorithm, hash, ...lengthOf(hashed), ...hashed];
    body.push(...lengthOf(unhashed), ...unhashed, ...bytesOf(shaped.rest));
    await assertSignature(
      Uint8Array.of(0x89, body.length >> 8, body.length & 0xff, ...body),
      bytesOf(file),
    );
  },
);

async function assertSignature(bytes: Uint8Array, file: Uint8Array): Promise<void> {
  const signature = parseSignature(bytes);
  if (signature === null) return;
  await fits(signature, [file]);
  assert(bytes.length <= 16 << 10);
  // With a byte more or a byte less it is not accepted.
  assertEquals(parseSignature(Uint8Array.of(...bytes, 0)), null);
  assertEquals(parseSignature(bytes.subarray(0, -1)), null);
}

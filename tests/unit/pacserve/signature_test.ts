/** Tests the check of detached signatures, with real ones of gpg, and with other data from servers. */

import fc from "fast-check";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { fits, MAX_SIGNATURE_SIZE, parseSignature } from "../../../src/pacserve/signature.ts";
import { assert, assertEquals } from "../../assert.ts";
import { inScratch, shell } from "../../scratch.ts";

const PACKAGE = new TextEncoder().encode("the bytes of a package".repeat(1000));
const OTHER = new TextEncoder().encode("the bytes of another package");

/** The algorithms of keys, with gpg's names, and the hashes with which they can sign. */
const KEYS = [
  { algorithm: "rsa4096", hashes: ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"] },
  { algorithm: "ed25519", hashes: ["SHA256", "SHA384", "SHA512"] },
  { algorithm: "nistp256", hashes: ["SHA256", "SHA512"] },
  { algorithm: "dsa2048", hashes: ["SHA256", "SHA512"] },
];

/** Signatures of both packages by real gpg with each key and hash, created once for all tests. */
let signed: Promise<ReadonlyMap<string, { good: Uint8Array; other: Uint8Array }>> | null = null;

function signatures(): NonNullable<typeof signed> {
  signed ??= sign();
  return signed;
}

async function sign(): Promise<Map<string, { good: Uint8Array; other: Uint8Array }>> {
  const made = new Map<string, { good: Uint8Array; other: Uint8Array }>();
  await inScratch(async (directory) => {
    await Deno.writeFile(`${directory}/package`, PACKAGE);
    await Deno.writeFile(`${directory}/other`, OTHER);
    const gpg = `gpg --homedir ${directory} --quiet --batch --yes --passphrase ''`;
    for (const { algorithm, hashes } of KEYS) {
      const user = `${algorithm}@test`;
      shell(directory, `${gpg} --quick-generate-key ${user} ${algorithm} sign never 2>&1`);
      for (const hash of hashes) {
        for (const file of ["package", "other"]) {
          shell(directory, `${gpg} -u ${user} --digest-algo ${hash} --detach-sign ${file} 2>&1`);
        }
        made.set(`${algorithm} ${hash}`, {
          good: await Deno.readFile(`${directory}/package.sig`),
          other: await Deno.readFile(`${directory}/other.sig`),
        });
      }
    }
    shell(directory, `gpgconf --homedir ${directory} --kill gpg-agent`);
  });
  return made;
}

/** Returns one of the signatures, and checks that it is accepted. */
async function goodSignature(): Promise<Uint8Array> {
  const good = (await signatures()).get("ed25519 SHA512")?.good ?? new Uint8Array();
  assert(await isGood(good));
  return good;
}

/** True when a signature is accepted, and fits the package. */
async function isGood(signature: Uint8Array, file = PACKAGE): Promise<boolean> {
  const parsed = parseSignature(signature);
  return parsed !== null && await fits(parsed, pieces(file));
}

function* pieces(file: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < file.length; start += 7001) yield file.subarray(start, start + 7001);
}

Deno.test("parseSignature, fits: gpg's signatures fit their own package and no other", async () => {
  const made = await signatures();
  assertEquals(made.size, 12);
  for (const [name, { good, other }] of made) {
    assertEquals([name, await isGood(good)], [name, true]);
    assertEquals([name, await isGood(other)], [name, false]);
    assertEquals([name, await isGood(other, OTHER)], [name, true]);
  }
});

Deno.test("parseSignature: data that is not a single signature is refused", async () => {
  const good = await goodSignature();
  const text = (words: string): Uint8Array => new TextEncoder().encode(words);
  const refused: Record<string, Uint8Array> = {
    "nothing": new Uint8Array(),
    "HTML": text("<!DOCTYPE html><title>404</title>"),
    "armor": text(
      `-----BEGIN PGP SIGNATURE-----\n\n${good.toBase64()}\n-----END PGP SIGNATURE-----`,
    ),
    "two packets": Buffer.concat([good, good]),
    "a byte after it": Buffer.concat([good, Uint8Array.of(0)]),
    "a newline after it": Buffer.concat([good, text("\n")]),
    "without its last byte": good.subarray(0, -1),
    "a package": PACKAGE,
  };
  for (const [name, bytes] of Object.entries(refused)) {
    assertEquals([name, parseSignature(bytes)], [name, null]);
  }
});

Deno.test("parseSignature: a signature of 16 KiB is accepted, a longer one is refused", async () => {
  const good = await goodSignature();
  // Add an unhashed subpacket for private use, which needs no key.
  const longer = (size: number): Uint8Array => {
    const { hashed, rest } = parts(good);
    const unhashedSize = size - 3 - hashed.length - 2 - (rest.length);
    const subpacket = new Uint8Array(unhashedSize);
    subpacket[0] = 255;
    new DataView(subpacket.buffer).setUint32(1, unhashedSize - 5);
    subpacket[5] = 100;
    return packet(Buffer.concat([hashed, uint16(unhashedSize), subpacket, rest]));
  };
  assertEquals(longer(MAX_SIGNATURE_SIZE).length, MAX_SIGNATURE_SIZE);
  assert(await isGood(longer(MAX_SIGNATURE_SIZE)));
  assertEquals(parseSignature(longer(MAX_SIGNATURE_SIZE + 1)), null);
  assertEquals(parseSignature(longer(17 << 10)), null);
});

Deno.test("parseSignature: accepts both formats of the packet header, with each type of length", async () => {
  const good = await goodSignature();
  const body = good.subarray(bodyStart(good));
  const [size, first, second] = [body.length, body.length >> 8, body.length & 0xff];
  assertEquals(first, 0);
  const taken = [[0x88, size], [0x89, 0, size], [0x8a, 0, 0, 0, size], [0xc2, 255, 0, 0, 0, size]];
  // A length below 192 has one byte in the new format.
  if (second < 192) taken.push([0xc2, size]);
  for (const header of taken) {
    assert(await isGood(Uint8Array.of(...header, ...body)), `${header}`);
  }
  const refused = [
    [0x8b], // indeterminate length
    [0xc2, 0xe7, ...body.subarray(0, 128), size - 128], // partial lengths
    [0x88, size + 1],
    [0x88, size - 1],
    [0x8a, 0xff, 0xff, 0xff, 0xff],
    [0xc2, 255, 0xff, 0xff, 0xff, 0xff],
    [0x08, size], // not a packet
    [0x84, size], // an encrypted session key
    [0xc6, size], // a public key
  ];
  for (const header of refused) {
    assertEquals(parseSignature(Uint8Array.of(...header, ...body)), null, `${header}`);
  }
});

Deno.test("parseSignature: wrong lengths inside the packet are refused", async () => {
  const good = await goodSignature();
  const start = bodyStart(good);
  const hashedSize = good.subarray(start + 4, start + 6);
  assert((hashedSize[1] ?? 0) > 0);
  for (const lie of [0, 1, (hashedSize[1] ?? 0) - 1, (hashedSize[1] ?? 0) + 1, 255, 0xffff]) {
    const lying = good.slice();
    lying.set(uint16(lie), start + 4);
    assertEquals([lie, parseSignature(lying)], [lie, null]);
  }
});

Deno.test("parseSignature: version 3, signatures of text, and unknown algorithms are refused", async () => {
  const good = await goodSignature();
  const start = bodyStart(good);
  const fields: [string, number, number[]][] = [
    ["version", 0, [0, 3, 5, 7]],
    ["type", 1, [0x01, 0x10, 0x40]],
    ["public-key algorithm", 2, [0, 2, 16, 18, 99]],
    ["hash algorithm", 3, [0, 1, 3, 99]],
  ];
  for (const [name, offset, values] of fields) {
    for (const value of values) {
      const changed = good.slice();
      changed[start + offset] = value;
      assertEquals([name, value, parseSignature(changed)], [name, value, null]);
    }
  }
});

Deno.test("fits: the salt of version 6 is hashed first", async () => {
  const salt = new Uint8Array(16).fill(7);
  const created = Uint8Array.of(5, 2, 1, 2, 3, 4);
  const hashed = Uint8Array.of(6, 0, 27, 8, 0, 0, 0, created.length, ...created);
  const trailer = Uint8Array.of(6, 0xff, 0, 0, 0, hashed.length);
  const digest = createHash("sha256").update(salt).update(PACKAGE).update(hashed).update(trailer)
    .digest();
  const body = (saltSize: number): Uint8Array =>
    Uint8Array.of(
      ...hashed,
      ...[0, 0, 0, 0],
      ...digest.subarray(0, 2),
      saltSize,
      ...salt.subarray(0, saltSize),
      ...new Uint8Array(64),
    );
  assert(await isGood(packet(body(16))));
  assertEquals(await isGood(packet(body(16)), OTHER), false);
  assertEquals(parseSignature(packet(body(15))), null);
});

Deno.test("parseSignature, fits: a flipped bit in the hashed part is noticed, with few exceptions", async () => {
  const good = await goodSignature();
  const start = bodyStart(good);
  const { hashed } = parts(good);
  const end = start + hashed.length;
  let unnoticed = 0;
  for (let bit = start * 8; bit < end * 8; bit++) {
    const flipped = good.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (await isGood(flipped)) unnoticed++;
  }
  // Only two bytes are compared. Some public-key algorithms have signatures of the same form.
  assert(unnoticed <= 3, `${unnoticed} flipped bits were not noticed`);
});

Deno.test("parseSignature: accepts or refuses any bytes, and never throws", async () => {
  const good = await goodSignature();
  const mutated = fc.record({
    at: fc.nat(good.length - 1),
    removed: fc.nat(8),
    added: fc.uint8Array({ maxLength: 8 }),
  }).map(({ at, removed, added }) =>
    Buffer.concat([good.subarray(0, at), added, good.subarray(at + removed)])
  );
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      const parsed = parseSignature(bytes);
      if (parsed === null) return;
      assert(parsed.left >= 0 && parsed.left <= 0xffff);
      assert(parsed.after.length <= bytes.length + 6);
    }),
    { numRuns: 3000 },
  );
});

/** Returns the position of the body in a packet of gpg, whose header has the old format. */
function bodyStart(signature: Uint8Array): number {
  return 1 + (1 << ((signature[0] ?? 0) & 3));
}

/** Returns the hashed part of a packet of version 4, and the rest after the unhashed subpackets. */
function parts(signature: Uint8Array): { hashed: Uint8Array; rest: Uint8Array } {
  const body = signature.subarray(bodyStart(signature));
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const hashedEnd = 6 + view.getUint16(4);
  const unhashedEnd = hashedEnd + 2 + view.getUint16(hashedEnd);
  return { hashed: body.subarray(0, hashedEnd), rest: body.subarray(unhashedEnd) };
}

/** Returns a packet with this body. */
function packet(body: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(0x89), uint16(body.length), body]);
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

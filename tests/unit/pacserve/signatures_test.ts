/** Tests how long a signature waits until its package is hashed. */

import { createHash } from "node:crypto";
import { Signatures } from "../../../src/pacserve/relay/signatures.ts";
import type { Source } from "../../../src/pacserve/relay/source.ts";
import { parseSignature } from "../../../src/pacserve/signature.ts";
import { assert, assertEquals } from "../../assert.ts";
import { makeDownload, streamOf } from "./downloads.ts";

/** A valid signature packet that belongs to no package: its hash begins with zeros. */
const wrong = Uint8Array.of(0xc2, 74, 4, 0, 27, 10, 0, 0, 0, 0, 0, 0, ...new Uint8Array(64));

function sourceOf(kind: Source["kind"], signature = wrong): Source {
  return {
    kind,
    name: kind,
    key: kind,
    open: () => {
      let isRead = false;
      return Promise.resolve({
        from: 0,
        size: signature.length,
        lastModified: null,
        read: (buffer) => {
          if (isRead) return Promise.resolve(null);
          isRead = true;
          buffer.set(signature);
          return Promise.resolve(signature.length);
        },
        close: () => {},
      });
    },
  };
}

/** Returns a package of two pieces. Reading each piece takes some time. */
function slow(
  milliseconds: number,
): { received: number; peek: () => number; fits: () => null } {
  return {
    received: 200,
    fits: () => null,
    peek: () => {
      const end = performance.now() + milliseconds;
      while (performance.now() < end);
      return 100;
    },
  };
}

async function find(kind: Source["kind"], milliseconds: number): Promise<string | null> {
  const sources = [sourceOf(kind)];
  const found = await new Signatures({ signatureCheck: 500 }).find(
    "key",
    { next: () => Promise.resolve(sources.pop() ?? null) },
    slow(milliseconds),
  );
  return found?.source.name ?? null;
}

Deno.test("Signatures.find: a signature that does not fit its package is refused, from a mirror and from a peer", async () => {
  assertEquals([await find("mirror", 0), await find("copy", 0)], [null, null]);
});

Deno.test("Signatures.find: if the package is not hashed in time, a mirror's signature is accepted, and a peer's is not", async () => {
  const begun = performance.now();
  assertEquals(await find("mirror", 550), "mirror");
  assert(performance.now() - begun < 1_000, "the check took too long");
  assertEquals(await find("copy", 550), null);
});

/** The package of the tests below. */
const file = new Uint8Array(300_000).map((_, index) => index % 251);

/** Returns a signature packet for a file, with the right beginning of the hash. No key is used. */
function signatureOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const hash = createHash("sha512").update(bytes).update(parseSignature(wrong)!.after).digest();
  const signature = wrong.slice();
  signature.set(hash.subarray(0, 2), 10);
  return signature;
}

/**
 * Downloads the file, whose signature comes when some of it has arrived.
 *
 * @param before bytes that arrive before the signature.
 * @param restartedAt number of wrong bytes that are discarded after it.
 * @returns true when the signature is accepted. The package may not be read again for that.
 */
async function isAccepted(
  signature: Uint8Array<ArrayBuffer>,
  before: number,
  restartedAt = 0,
): Promise<boolean> {
  const download = makeDownload({
    size: file.length,
    sha256: createHash("sha256").update(file).digest(),
  });
  const source = sourceOf("copy");
  download.append(restartedAt > 0 ? new Uint8Array(before) : file.subarray(0, before), source);
  const signatures = new Signatures({ signatureCheck: 500 });
  const sources = [sourceOf("mirror", signature)];
  const next = (): Promise<Source | null> => Promise.resolve(sources.pop() ?? null);
  const hashed = Promise.withResolvers<void>();
  signatures.fetchEarly("key", { next }, () => ({
    hashFor: (parsed): void => {
      download.hashFor(parsed);
      hashed.resolve();
    },
  }));
  await hashed.promise;
  let at = before;
  if (restartedAt > 0) {
    download.append(new Uint8Array(restartedAt - before), source);
    download.restart();
    download.begin(streamOf(file.length), source);
    at = 0;
  }
  while (at < file.length) {
    const piece = file.subarray(at, at + 70_000);
    download.append(piece, source);
    at += piece.length;
  }
  assertEquals(download.state, "complete");
  const signed = {
    received: file.length,
    peek: (): number => {
      throw new Error("the package was read again");
    },
    fits: download.fits.bind(download),
  };
  return await signatures.find("key", { next }, signed) !== null;
}

Deno.test("Signatures.find: a package is hashed for an early signature while it arrives, and not again", async () => {
  const right = signatureOf(file);
  for (const before of [0, 1, 250_000]) {
    assertEquals(await isAccepted(right, before), true, `${before} bytes came before it`);
    assertEquals(await isAccepted(wrong, before), false, `${before} bytes came before it`);
  }
});

Deno.test("Signatures.find: bytes that were discarded do not count for an early signature", async () => {
  assertEquals(await isAccepted(signatureOf(file), 1_000, 100_000), true);
  assertEquals(await isAccepted(wrong, 1_000, 100_000), false);
});

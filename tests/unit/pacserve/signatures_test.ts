/** Tests how long a signature waits until its package is hashed. */

import { Signatures } from "../../../src/pacserve/relay/signatures.ts";
import type { Source } from "../../../src/pacserve/relay/source.ts";
import { assert, assertEquals } from "../../assert.ts";

/** A valid signature packet that belongs to no package: its hash begins with zeros. */
const wrong = Uint8Array.of(0xc2, 74, 4, 0, 27, 10, 0, 0, 0, 0, 0, 0, ...new Uint8Array(64));

function sourceOf(kind: Source["kind"]): Source {
  return {
    kind,
    name: kind,
    key: kind,
    open: () => {
      let isRead = false;
      return Promise.resolve({
        from: 0,
        size: wrong.length,
        lastModified: null,
        read: (buffer) => {
          if (isRead) return Promise.resolve(null);
          isRead = true;
          buffer.set(wrong);
          return Promise.resolve(wrong.length);
        },
        close: () => {},
      });
    },
  };
}

/** Returns a package of two pieces. Reading each piece takes some time. */
function slow(milliseconds: number): { received: number; peek: () => number } {
  return {
    received: 200,
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

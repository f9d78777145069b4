import fc from "fast-check";
import {
  applied,
  decodeIndex,
  difference,
  encodeIndex,
  hashesOf,
  hashOf,
  includes,
} from "../../../../src/peers/index/format.ts";
import { assert, assertEquals } from "../../../assert.ts";

const names = fc.uniqueArray(fc.string({ unit: "grapheme", maxLength: 40 }), { maxLength: 50 });
const none = new Uint32Array();

Deno.test("encodeIndex: an index contains every name that was put into it", () => {
  fc.assert(fc.property(names, (list) => {
    const message = { changes: false, watched: true, added: hashesOf(list), removed: none };
    const read = decodeIndex(encodeIndex(message));
    assertEquals(read, message);
    assert(list.every((name) => read !== null && includes(read.added, hashOf(name))));
  }));
});

Deno.test("applied: changes turn one index into another", () => {
  fc.assert(fc.property(names, names, (before, after) => {
    const [one, two] = [hashesOf(before), hashesOf(after)];
    const changes = {
      changes: true,
      watched: false,
      added: difference(two, one),
      removed: difference(one, two),
    };
    assertEquals(applied(one, decodeIndex(encodeIndex(changes)) ?? changes), two);
  }));
});

Deno.test("hashOf: hashes are the same on every machine", () => {
  assertEquals(hashOf(""), 0xab3e7c0b);
  assertEquals(hashOf("a"), 0x1a80b1b3);
  assertEquals(hashOf("foo-1:2.0+r1-1-any.pkg.tar.zst"), 0x75ca4ff);
  assertEquals(hashOf("ü"), 0xc15d99c6);
  assertEquals(hashesOf(["b", "a", "b"]).length, 2);
});

Deno.test("encodeIndex: an index of 10,000 packages and their signatures is small", () => {
  const list = Array.from({ length: 10_000 }, (_, i) => `package-${i}-1.${i}-1-x86_64.pkg.tar.zst`);
  const added = hashesOf([...list, ...list.map((name) => name + ".sig")]);
  assert(added.length > 19_990);
  const message = { changes: false, watched: true, added, removed: none };
  assert(encodeIndex(message).length < 65_000);
});

Deno.test("decodeIndex: refuses bytes that are not an index", () => {
  const good = encodeIndex({
    changes: false,
    watched: true,
    added: Uint32Array.of(0, 7, 0xffffffff),
    removed: Uint32Array.of(9),
  });
  assert(decodeIndex(good) !== null);
  for (let length = 0; length < good.length; length++) {
    assertEquals(decodeIndex(good.slice(0, length)), null, `cut to ${length}`);
  }
  const head = [0x50, 0x53, 0x49, 0x31];
  const bad: number[][] = [
    [...good, 0],
    [...head, 8, 0, 0],
    [...head, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0],
    [...head, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [...head, 0, 2, 1, 0, 0],
    [...head, 0, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0],
    [0x50, 0x53, 0x49, 0x32, 0, 0, 0],
  ];
  for (const bytes of bad) assertEquals(decodeIndex(Uint8Array.from(bytes)), null, String(bytes));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const index = decodeIndex(Uint8Array.from([...head, ...bytes]));
    for (const list of [index?.added ?? none, index?.removed ?? none]) {
      assert(list.every((hash, i) => i === 0 || hash > (list[i - 1] ?? 0)));
    }
  }));
});

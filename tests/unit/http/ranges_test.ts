import fc from "fast-check";
import { parseRanges } from "../../../src/http/ranges.ts";
import { assert, assertEquals } from "../../assert.ts";

Deno.test("parseRanges: the examples of RFC 9110 §14.1.2", () => {
  const single = (field: string): unknown => parseRanges(field, 10_000);
  assertEquals(single("bytes=0-499"), [{ start: 0, end: 499 }]);
  assertEquals(single("bytes=500-999"), [{ start: 500, end: 999 }]);
  assertEquals(single("bytes=-500"), [{ start: 9500, end: 9999 }]);
  assertEquals(single("bytes=9500-"), [{ start: 9500, end: 9999 }]);
  assertEquals(single("bytes=0-0,-1"), [{ start: 0, end: 0 }, { start: 9999, end: 9999 }]);
  assertEquals(single("bytes= 0-0 , 5-9,, "), [{ start: 0, end: 0 }, { start: 5, end: 9 }]);
  assertEquals(single("bytes=500-600,601-999"), [{ start: 500, end: 999 }]);
  assertEquals(single("bytes=500-700,601-999"), [{ start: 500, end: 999 }]);
  assertEquals(single("BYTES=5-5"), [{ start: 5, end: 5 }]);
});

Deno.test("parseRanges: null for malformed fields, unsatisfiable for ranges without a byte", () => {
  for (
    const field of [
      "",
      "bytes",
      "bytes=",
      "bytes=,",
      "bytes=-",
      "bytes=1",
      "bytes=2-1",
      "seconds=1-2",
    ]
      .concat(["bytes=1-2;3-4", "bytes=0x1-2", "bytes=+1-2", "bytes=1.5-2", "bytes=1-2-3"])
      .concat([`bytes=${"9".repeat(400)}-`, `bytes=${"0-0,".repeat(1000)}`])
  ) assertEquals(parseRanges(field, 100), null, field);
  for (const field of ["bytes=100-", "bytes=100-200,300-", "bytes=-0"]) {
    assertEquals(parseRanges(field, 100), "unsatisfiable", field);
  }
  for (const field of ["bytes=0-", "bytes=-1", "bytes=0-0"]) {
    assertEquals(parseRanges(field, 0), "unsatisfiable", field);
  }
});

Deno.test("parseRanges: a well-formed field gives exactly the bytes that it names, each once", () => {
  const spec = fc.oneof(
    fc.tuple(fc.nat(60), fc.nat(60)).map(([first, more]) => `${first}-${first + more}`),
    fc.nat(60).map((first) => `${first}-`),
    fc.nat(60).map((suffix) => `-${suffix}`),
  );
  fc.assert(
    fc.property(fc.nat(50), fc.array(spec, { minLength: 1, maxLength: 8 }), (size, specs) => {
      const named = new Set<number>();
      for (const text of specs) {
        const [first = "", last = ""] = text.split("-");
        for (let position = 0; position < size; position++) {
          const isIn = first === ""
            ? position >= size - Number(last)
            : position >= Number(first) && (last === "" || position <= Number(last));
          if (isIn) named.add(position);
        }
      }
      const ranges = parseRanges(`bytes=${specs.join(",")}`, size);
      if (named.size === 0) {
        assertEquals(ranges, "unsatisfiable");
        return;
      }
      assert(ranges !== null && ranges !== "unsatisfiable");
      const given = ranges.flatMap(({ start, end }) =>
        Array.from({ length: end - start + 1 }, (_, index) => start + index)
      );
      assertEquals(given.length, new Set(given).size);
      assertEquals([...given].sort((a, b) => a - b), [...named].sort((a, b) => a - b));
    }),
  );
});

Deno.test("parseRanges: never throws", () => {
  fc.assert(fc.property(fc.string(), fc.nat(), (text, size) => {
    parseRanges(text, size);
    parseRanges(`bytes=${text}`, size);
  }));
});

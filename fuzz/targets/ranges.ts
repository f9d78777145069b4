/** Range fields: they are parsed correctly, and replies have exactly the bytes that they claim. */

import fc from "fast-check";
import { FileReplies } from "../../src/quickserve/file_reply.ts";
import { parseRanges } from "../../src/http/ranges.ts";
import { SharedTree } from "../../src/quickserve/tree.ts";
import { assert, assertEquals } from "../../tests/assert.ts";
import { readBody } from "../../tests/reply.ts";
import { makeRequest } from "../../tests/request.ts";
import { share, treeOf } from "../../tests/unit/quickserve/trees.ts";
import { wordText } from "../bytes.ts";
import { target, targetWith } from "../target.ts";

const number = fc.oneof(fc.nat(300), fc.nat(), fc.constantFrom(0, 1, 2 ** 31, 2 ** 53));

/** A well-formed range: first-last, first-, -suffix. */
const spec = fc.oneof(
  fc.tuple(number, fc.nat(300)).map(([first, more]) => `${first}-${first + more}`),
  number.map((first) => `${first}-`),
  number.map((suffix) => `-${suffix}`),
);

const field = fc.oneof(
  fc.array(spec, { minLength: 1, maxLength: 70 }).map((specs) => `bytes=${specs.join(",")}`),
  wordText(["bytes", "=", "-", ",", " ", "0", "1", "99", "100", "9007199254740993", "\t", "none"]),
);

/** Parsed ranges are inside the file, do not overlap, and contain exactly the requested bytes. */
export const ranges = target(
  "ranges",
  fc.record({ field, size: fc.nat(300) }),
  ({ field, size }) => {
    const parsed = parseRanges(field, size);
    if (parsed === null) return;
    const wanted = bytesWanted(field, size);
    if (parsed === "unsatisfiable") return assertEquals(wanted.size, 0);
    const given = new Set<number>();
    for (const { start, end } of parsed) {
      assert(start >= 0 && start <= end && end < size, "a range leaves the file");
      for (let at = start; at <= end; at++) {
        assert(!given.has(at), "a byte would be sent twice");
        given.add(at);
      }
    }
    assertEquals([...given].sort(), [...wanted].sort());
  },
);

/** The positions of all bytes that a field asks for (RFC 9110 §14.1.2). */
function bytesWanted(field: string, size: number): Set<number> {
  const wanted = new Set<number>();
  for (const [, first = "", last = ""] of field.matchAll(/(\d*)-(\d*)/g)) {
    for (let at = 0; at < size; at++) {
      const inside = first === ""
        ? at >= size - Number(last)
        : at >= Number(first) && (last === "" || at <= Number(last));
      if (inside) wanted.add(at);
    }
  }
  return wanted;
}

/** A small file, which is kept in memory, and one that is too large for that. */
interface Files {
  readonly directory: string;
  readonly replies: FileReplies;
  readonly tree: SharedTree;
  readonly contents: Readonly<Record<string, Uint8Array>>;
}

const files = {
  async open(): Promise<Files> {
    const directory = await Deno.makeTempDir({ prefix: "pacserve-fuzz-" });
    const contents = { small: counting(251), large: counting(600_000) };
    for (const [name, bytes] of Object.entries(contents)) {
      await Deno.writeFile(`${directory}/${name}`, bytes);
    }
    const tree = await SharedTree.create(treeOf([share("s", directory)]));
    const replies = new FileReplies(tree, "file");
    return { directory, replies, tree, contents };
  },
  async close({ directory, replies }: Files): Promise<void> {
    replies.close();
    await Deno.remove(directory, { recursive: true });
  },
};

function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
}

/** For any Range field, each part of the reply has the bytes that its Content-Range names. */
export const rangeReplies = targetWith(
  "range-replies",
  files,
  fc.record({
    field,
    name: fc.constantFrom("small", "large"),
    method: fc.constantFrom("GET", "HEAD"),
    ifRange: fc.option(wordText(['"', "W/", "mwseztm4", "Sun, 22 Nov 2026 22:35:12 GMT"], 3)),
  }),
  async ({ field, name, method, ifRange }, { tree, replies, contents }) => {
    const found = tree.lookup(["s", name]);
    assert(found?.kind === "file");
    const headers = { range: field, ...(ifRange === null ? {} : { "if-range": ifRange }) };
    const reply = await replies.reply(
      found,
      makeRequest({ method, target: `/s/${name}`, headers }),
    );
    assert(reply !== null);
    const body = await readBody(reply);
    const whole = contents[name] ?? new Uint8Array();
    const type = String(reply.headers["Content-Type"]);
    if (method === "HEAD") assertEquals(body.length, 0);
    else if (reply.status === 200) assertSame(body, whole);
    else if (reply.status === 206) {
      assertEquals(String(body.length), reply.headers["Content-Length"]);
      const boundary = /^multipart\/byteranges; boundary="?([^"]+)/.exec(type)?.[1];
      if (boundary === undefined) {
        assertSame(body, sliceOf(whole, String(reply.headers["Content-Range"])));
      } else assertParts(body, boundary, whole);
    } else assertEquals(reply.status, 416);
  },
);

function assertParts(body: Uint8Array, boundary: string, whole: Uint8Array): void {
  const text = Array.from(body, (byte) => String.fromCharCode(byte)).join("");
  let at = 0;
  let parts = 0;
  while (true) {
    const head = text.indexOf("\r\n\r\n", at);
    if (head < 0) break;
    const header = text.slice(at, head);
    assert(header.includes(`--${boundary}`), "a part begins with the boundary");
    const slice = sliceOf(whole, /Content-Range: (.*)/i.exec(header)?.[1] ?? "");
    assertSame(body.subarray(head + 4, head + 4 + slice.length), slice);
    at = head + 4 + slice.length;
    parts++;
  }
  assert(parts > 1, "a multipart body needs more than one part");
  assertEquals(text.slice(at).trim(), `--${boundary}--`);
}

function sliceOf(whole: Uint8Array, contentRange: string): Uint8Array {
  const match = /^bytes (\d+)-(\d+)\/(\d+)\r?$/.exec(contentRange);
  assert(match !== null && Number(match[3]) === whole.length, contentRange);
  return whole.subarray(Number(match[1]), Number(match[2]) + 1);
}

function assertSame(one: Uint8Array, other: Uint8Array): void {
  assert(
    one.length === other.length && one.every((byte, at) => byte === other[at]),
    "the bytes differ",
  );
}

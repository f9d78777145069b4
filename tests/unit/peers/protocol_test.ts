import fc from "fast-check";
import {
  canBeAsked,
  decodeFirst,
  decodeFound,
  decodeListing,
  decodeMessage,
  encodeFound,
  encodeListing,
  encodeMessage,
  MAX_PATHS,
  type Message,
  pathSegments,
  sizeInMessage,
} from "../../../src/peers/protocol.ts";
import { assertEquals } from "../../assert.ts";

const body = (json: string): string => "json=" + encodeURIComponent(json);
const decode = (json: string): ReturnType<typeof decodeMessage> => decodeMessage(body(json));

Deno.test("encodeMessage: messages have the form of the original", () => {
  assertEquals(
    encodeMessage({ type: "nudge", uri: "http://ungabunga:15678/" }),
    "json=%7B%22type%22%3A%22nudge%22%2C%22uri%22%3A%22http%3A%2F%2Fungabunga%3A15678%2F%22%7D",
  );
  assertEquals(
    decodeURIComponent(
      encodeMessage({ type: "file check", paths: ["pkg/foo-1-1-any.pkg.tar.zst"], hops: 0 }),
    ),
    'json={"type":"file check","paths":["pkg/foo-1-1-any.pkg.tar.zst"],"hops":0}',
  );
});

Deno.test("decodeMessage: parses messages in the form that Python writes", () => {
  assertEquals(
    decodeMessage(
      "json=%7B%22type%22%3A+%22file+check%22%2C+%22paths%22%3A+%5B%22pkg%2Ffoo%22%5D%2C+%22hops%22%3A+1%7D",
    ),
    { type: "file check", paths: ["pkg/foo"], hops: 1 },
  );
});

Deno.test("decodeMessage: restores every encoded message", () => {
  const hops = fc.nat({ max: 9 });
  const message: fc.Arbitrary<Message> = fc.oneof(
    fc.record({ type: fc.constant("nudge" as const), uri: fc.string({ maxLength: 300 }) }),
    fc.record({
      type: fc.constant("file check" as const),
      paths: fc.array(fc.string({ unit: "grapheme" }), { maxLength: 20 }),
      hops,
    }),
    fc.record({ type: fc.constant("directory listing" as const), path: fc.string(), hops }),
  );
  fc.assert(fc.property(message, (sent) => {
    assertEquals(decodeMessage(encodeMessage(sent)), { ...sent });
  }));
});

Deno.test("decodeMessage: a body that is not a JSON object with a type is malformed", () => {
  const bodies = [
    "",
    "json=",
    "json",
    "x=1",
    "json=%",
    "json=%ff%fe",
    body("null"),
    body("[]"),
    body('"nudge"'),
    body("{}"),
    body('{"type":7}'),
    body('{"__proto__":{"type":"nudge","uri":"http://x/"}}'),
    body("[".repeat(10_000) + "]".repeat(10_000)),
    body('{"type":"nudge"'),
  ];
  for (const text of bodies) assertEquals(decodeMessage(text), "malformed", text.slice(0, 60));
});

Deno.test("decodeMessage: a message with a wrong field is unfit", () => {
  const messages = [
    '{"type":"shutdown"}',
    '{"type":"__proto__"}',
    '{"type":"constructor"}',
    '{"type":"nudge"}',
    '{"type":"nudge","uri":null}',
    '{"type":"nudge","uri":["http://x/"]}',
    `{"type":"nudge","uri":"${"x".repeat(2000)}"}`,
    '{"type":"file check"}',
    '{"type":"file check","paths":"pkg/foo"}',
    '{"type":"file check","paths":{"0":"pkg/foo"}}',
    '{"type":"file check","paths":[1]}',
    '{"type":"file check","paths":[["a"]]}',
    '{"type":"file check","paths":[],"hops":-1}',
    '{"type":"file check","paths":[],"hops":"1"}',
    '{"type":"file check","paths":[],"hops":1.5}',
    '{"type":"file check","paths":[],"hops":1e999}',
    `{"type":"file check","paths":${JSON.stringify(Array(MAX_PATHS + 1).fill("a"))}}`,
    `{"type":"file check","paths":["${"a".repeat(5000)}"]}`,
    `{"type":"file check","paths":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
    '{"type":"directory listing"}',
    '{"type":"directory listing","path":7}',
    '{"type":"directory listing","path":"/","hops":null,"hops":[]}',
  ];
  for (const text of messages) assertEquals(decode(text), "unfit", text.slice(0, 80));
});

Deno.test("decodeMessage: no text causes an error", () => {
  fc.assert(fc.property(fc.string(), (text) => void decodeMessage(text)));
  fc.assert(fc.property(fc.json(), (text) => void decode(text)));
  fc.assert(fc.property(fc.json(), (text) => void decodeListing(text, 10)));
  fc.assert(fc.property(fc.json(), (text) => void decodeFound(text, ["a"], "http://x:1/")));
});

Deno.test("decodeFound: accepts only locations on the peer itself", () => {
  const base = "http://10.0.0.2:15678/";
  const found = (place: unknown): string[] => [
    ...decodeFound(JSON.stringify({ "pkg/a": place }), ["pkg/a"], base) ?? ["null"],
  ];
  assertEquals(found("pkg/a"), ["pkg/a"]);
  assertEquals(found("/pkg/a"), ["pkg/a"]);
  assertEquals(found(base + "pkg/a"), ["pkg/a"]);
  const elsewhere = [
    "http://10.0.0.3:15678/pkg/a",
    "https://10.0.0.2:15678/pkg/a",
    "http://10.0.0.2:15678@evil/pkg/a",
    "//evil/pkg/a",
    "pkg/b",
    "pkg/../pkg/a",
    true,
    1,
    null,
    ["pkg/a"],
    { "pkg/a": "pkg/a" },
  ];
  for (const place of elsewhere) assertEquals(found(place), [], String(place));
});

Deno.test("decodeFound: ignores paths that were not in the question", () => {
  const answer = '{"pkg/a":"pkg/a","pkg/b":"pkg/b","__proto__":"__proto__"}';
  assertEquals([...decodeFound(answer, ["pkg/b"], "http://x:1/") ?? []], ["pkg/b"]);
  assertEquals([...decodeFound("{}", ["__proto__", "toString"], "http://x:1/") ?? []], []);
  assertEquals([...decodeFound(answer, ["__proto__"], "http://x:1/") ?? []], ["__proto__"]);
  for (const garbage of ["", "true", "[]", "<html>", "{"]) {
    assertEquals(decodeFound(garbage, ["a"], "http://x:1/"), null, garbage);
  }
  assertEquals(decodeFound("null", ["a"], "http://x:1/"), new Set());
});

Deno.test("decodeFound: a file can be called __proto__", () => {
  assertEquals(encodeFound(new Map([["__proto__", "__proto__"]])), '{"__proto__":"__proto__"}');
});

Deno.test("decodeListing: restores encoded listings, without impossible entries", () => {
  const entry = { href: "/pkg/a", size: 7, mtime: 1.5, dir: false };
  const listing = new Map([["a", [entry]], ["__proto__", [entry]]]);
  assertEquals(decodeListing(encodeListing(listing), 10), listing);
  assertEquals(decodeListing(encodeListing(null), 10), null);
  const hostile = JSON.stringify({
    "..": [entry],
    "a/b": [entry],
    "": [entry],
    "a\0": [entry],
    [`${"x".repeat(300)}`]: [entry],
    "no list": entry,
    "no entries": [],
    "bad size": [-1, 1.5, 1e300, "7"].map((size) => ({ ...entry, size })),
    "bad time": [{ ...entry, mtime: "now" }],
    "bad href": [{ ...entry, href: 1 }],
    good: [{ href: "x" }, 7, null],
  });
  assertEquals([...decodeListing(hostile, 10)?.keys() ?? []], ["good"]);
  assertEquals(decodeListing('{"a":[{"href":"a"}],"b":[{"href":"b"}]}', 1)?.size, 1);
});

Deno.test("pathSegments: paths in messages are not encoded", () => {
  assertEquals(pathSegments("pkg/foo-1:2.0+r1-1-any.pkg.tar.zst"), [
    "pkg",
    "foo-1:2.0+r1-1-any.pkg.tar.zst",
  ]);
  assertEquals(pathSegments("/a%2Fb/"), ["a%2Fb"]);
  assertEquals(pathSegments("/"), []);
  for (const path of ["..", "a/../b", "./a", "a\0b"]) assertEquals(pathSegments(path), null, path);
});

Deno.test("canBeAsked: true exactly for the paths that decodeMessage accepts", () => {
  const name = "n".repeat(255);
  const cases: [string, boolean][] = [
    ["pkg/foo-1-1-any.pkg.tar.zst", true],
    [`a/${name}`, true],
    [`a/${name}n`, false],
    [`a/${"é".repeat(127)}`, true],
    [`a/${"é".repeat(128)}`, false],
    [`${name}/`.repeat(16), true],
    [`${name}/`.repeat(16) + "a", false],
    ["a/../b", false],
    ["a\ud800", false],
  ];
  for (const [path, asked] of cases) {
    assertEquals(canBeAsked(path), asked, path.slice(0, 20));
    if (!asked) continue;
    const taken = decodeMessage(encodeMessage({ type: "file check", paths: [path], hops: 0 }));
    assertEquals(typeof taken, "object");
  }
});

Deno.test("sizeInMessage: predicts the size of a message", () => {
  const paths = ["pkg/a", '"', "é", "\u0001", "a+b:c"];
  const size = (paths: readonly string[]): number =>
    encodeMessage({ type: "file check", paths, hops: 0 }).length;
  const sum = paths.reduce((sum, path) => sum + sizeInMessage(path), 0);
  // There is no comma after the last path. An encoded comma takes three bytes.
  assertEquals(size(paths) - size([]), sum - 3);
});

const digest = "0123456789abcdef".repeat(4);

Deno.test("decodeMessage accepts a want, and adds missing fields", () => {
  assertEquals(decode(`{"type": "want", "file": "a.pkg.tar", "digest": "${digest}"}`), {
    type: "want",
    file: "a.pkg.tar",
    digest,
    have: 0,
    failed: [],
    ended: false,
  });
});

Deno.test("decodeMessage refuses a want with a wrong field", () => {
  const good = { type: "want", file: "a.pkg.tar", digest, have: 5, failed: ["instance-1"] };
  const bad: readonly Record<string, unknown>[] = [
    { file: "../a" },
    { file: "a/b" },
    { file: "" },
    { file: 5 },
    { digest: digest.toUpperCase() },
    { digest: digest.slice(1) },
    { have: -1 },
    { have: 0.5 },
    { have: "5" },
    { failed: "instance-1" },
    { failed: ["short"] },
    { failed: [{}] },
    { failed: Array(17).fill("instance-1") },
    { ended: 1 },
  ];
  for (const each of bad) assertEquals(decode(JSON.stringify({ ...good, ...each })), "unfit");
});

Deno.test("decodeFirst accepts only an instance", () => {
  assertEquals(decodeFirst('{"first": "instance-1"}'), { first: "instance-1", age: 0 });
  assertEquals(decodeFirst('{"first": "instance-1", "age": 7}'), { first: "instance-1", age: 7 });
  for (
    const each of [
      "null",
      "",
      "[]",
      '{"first": "http://10.0.0.1/"}',
      '{"first": 5}',
      '{"first": "instance-1", "age": -1}',
    ]
  ) assertEquals(decodeFirst(each), null);
});

/** What peers send: datagrams, messages in JSON, and indexes. */

import fc from "fast-check";
import { encodePath } from "../../src/http/target.ts";
import { Answers } from "../../src/peers/answers.ts";
import { formatAnnouncement, ownUri, parseAnnouncement } from "../../src/peers/announcement.ts";
import { applied, decodeIndex, encodeIndex, hashesOf } from "../../src/peers/index/format.ts";
import {
  decodeFound,
  decodeListing,
  decodeMessage,
  encodeFound,
  encodeListing,
  encodeMessage,
  type Listing,
  type Message,
  pathSegments,
} from "../../src/peers/protocol.ts";
import { isFileName } from "../../src/quickserve/visibility.ts";
import { assert, assertEquals, assertMatch } from "../../tests/assert.ts";
import { makeRequest } from "../../tests/request.ts";
import { bytesOf, byteText, wordText } from "../bytes.ts";
import { target } from "../target.ts";

const program = fc.constantFrom("pacserve" as const, "quickserve" as const);
const scheme = fc.constantFrom("http" as const, "https" as const);

const datagram = fc.oneof(
  wordText([
    "ThreadedServers.Pacserve/",
    "ThreadedServers.PeeredQuickserve/",
    "2013.05.12",
    " ",
    "http://",
    "https:",
    "ungabunga",
    "user:password@",
    "[::1]",
    ":15678",
    ":0",
    ":65536",
    "/",
    "/../",
    "?q",
    "#f",
    "\0",
    "\n",
  ], 12).map((text) => text.replace(/[^\0-\xff]/g, "\xfe")),
  byteText(1200),
);

/** The host of a peer is where its datagram came from, whatever it says. */
export const datagrams = target(
  "datagrams",
  fc.record({ program, scheme, port: fc.integer({ min: 1, max: 65535 }), datagram }),
  ({ program, scheme, port, datagram }) => {
    const own = formatAnnouncement(program, ownUri(scheme, port));
    const heard = parseAnnouncement(own, program, "10.0.0.7", 1);
    assertEquals(heard, { scheme, host: "10.0.0.7", port, path: "/" });
    const other = program === "pacserve" ? "quickserve" : "pacserve";
    assertEquals(parseAnnouncement(own, other, "10.0.0.7", 1), null);

    const address = parseAnnouncement(bytesOf(datagram), program, "10.0.0.7", 15678);
    if (address === null) return;
    assertEquals(address.host, "10.0.0.7");
    assert(address.port >= 1 && address.port <= 65535);
    assertMatch(address.path, /^\/(.*\/)?$/);
    assert(!address.path.split("/").includes(".."), "a path that climbs");
  },
);

const path = fc.oneof(
  wordText([
    ...["pkg/", "/", "..", ".", "foo-1-1-any.pkg.tar.zst", "__proto__", "\0", "%2f", "é"],
    ...["\ud800", "\udfff"],
  ], 6),
  fc.constantFrom("__proto__", "constructor", "toString", "pkg/__proto__"),
);
const hops = fc.nat(9);
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constant("nudge" as const), uri: fc.string({ maxLength: 100 }) }),
  fc.record({
    type: fc.constant("file check" as const),
    paths: fc.array(path, { maxLength: 8 }),
    hops,
  }),
  fc.record({ type: fc.constant("directory listing" as const), path, hops }),
);

/** Objects with the fields of messages, of any type, and with others. */
const hostile = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(
    fc.constantFrom("type", "uri", "paths", "path", "hops", "__proto__", "toString"),
    fc.oneof(
      fc.constantFrom("nudge", "file check", "directory listing", -1, 1.5, 1e300, null),
      path,
      fc.array(path, { maxLength: 4 }),
      fc.jsonValue(),
    ),
  ),
  fc.dictionary(
    path,
    fc.oneof(path, fc.array(fc.record({ href: path, size: fc.double(), mtime: fc.double() }))),
  ),
);

const body = fc.oneof(
  hostile.map((value) => `json=${encodeURIComponent(JSON.stringify(value))}`),
  wordText(["json=", "&", "%7B", "%22", "type", "%", "+", "{", "}", "["]),
);

/** Messages come out as they went in, and nobody can say what they were not asked. */
export const messages = target(
  "messages",
  fc.record({ message, body, hostile, paths: fc.array(path, { maxLength: 4 }) }),
  async ({ message, body, hostile, paths }) => {
    assertEquals(decodeMessage(encodeMessage(message)), message);
    await assertAnswered(body);
    await assertAnswered(encodeMessage(message));

    const answer = JSON.stringify(hostile) ?? "";
    const found = decodeFound(answer, paths, "http://10.0.0.7:1/");
    for (const one of found ?? []) assert(paths.includes(one), "a path that nobody asked for");
    const good = new Map(paths.map((one) => [one, one]));
    assertEquals(decodeFound(encodeFound(good), paths, "http://p/"), new Set(paths));
    const elsewhere = new Map(paths.map((one) => [one, `http://elsewhere/${one}`]));
    assertEquals(decodeFound(encodeFound(elsewhere), paths, "http://p/"), new Set());
    assertListing(answer);
  },
);

async function assertAnswered(body: string): Promise<void> {
  const segmentsAreNames = (segments: readonly string[]): void => {
    for (const segment of segments) {
      encodePath([segment]);
      // Longer names than the kernel knows are not there, and no harm.
      assert(isFileName(segment.slice(0, 200)), `no name: ${segment}`);
    }
  };
  const answers = new Answers(
    { find: () => Promise.resolve(null), list: () => Promise.resolve([]) },
    { nudged: () => {} },
    {
      answer: (want, first) => Promise.resolve((segmentsAreNames([want.file]), { first, age: 0 })),
    },
  );
  answers.share({
    has: (segments) => (segmentsAreNames(segments), true),
    listing: (segments) => (segmentsAreNames(segments), Promise.resolve(null)),
    packageNames: () => Promise.resolve({ names: [], isGrowing: false }),
  });
  const { status, body: reply } = await answers.answer(makeRequest({
    method: "POST",
    body: [new TextEncoder().encode(body)],
  }));
  if (status === 200) JSON.parse(new TextDecoder().decode(reply as Uint8Array));
  else assertEquals(status, 400);
}

function assertListing(answer: string): void {
  const listing = decodeListing(answer, 100);
  if (listing === null) return;
  for (const [name, entries] of listing) {
    assertEquals(pathSegments(name), [name]);
    encodePath([name]);
    for (const { mtime, size } of entries) {
      assert(Number.isFinite(mtime) && (size === null || size >= 0), "numbers that can be shown");
    }
  }
  const again: Listing | null = decodeListing(encodeListing(listing), 100);
  assertEquals(again, listing);
}

const names = fc.array(fc.string({ maxLength: 20 }), { maxLength: 40 });

/** Indexes come out as they went in; of other bytes comes an index that can be used, or nothing. */
export const indexes = target(
  "indexes",
  fc.record({
    names,
    removed: names,
    changes: fc.boolean(),
    watched: fc.boolean(),
    bytes: byteText(200),
  }),
  ({ names, removed, changes, watched, bytes }) => {
    const message = { changes, watched, added: hashesOf(names), removed: hashesOf(removed) };
    assertEquals(decodeIndex(encodeIndex(message)), message);
    for (const text of [bytes, `PSI1${bytes}`]) {
      const decoded = decodeIndex(bytesOf(text));
      if (decoded === null) continue;
      const index = applied(message.added, decoded);
      assert(index.every((hash, at) => at === 0 || hash > (index[at - 1] ?? 0)), "sorted");
    }
  },
);

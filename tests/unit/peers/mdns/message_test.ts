import dns from "dns-packet";
import fc from "fast-check";
import {
  formatMessage,
  MAX_DATAGRAM,
  type Message,
  parseMessage,
} from "../../../../src/peers/mdns/message.ts";
import { assert, assertEquals } from "../../../assert.ts";

const NOTHING: Message = {
  isResponse: false,
  truncated: false,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};

/** Returns a header with these counts, followed by these bytes. */
function packet(counts: readonly [number, number, number, number], ...rest: number[]): Uint8Array {
  const header = [0, 0, 0x84, 0, ...counts.flatMap((count) => [count >> 8, count & 255])];
  return new Uint8Array([...header, ...rest]);
}

/** Returns the type, class, TTL 120 and length of a record, followed by its data. */
const pointerRecord = (
  ...data: number[]
): number[] => [0, 12, 0, 1, 0, 0, 0, 120, 0, data.length, ...data];

Deno.test("parseMessage parses the datagrams of formatMessage", () => {
  const message: Message = {
    ...NOTHING,
    isResponse: true,
    answers: [
      {
        name: "_pacserve._tcp.local",
        ttl: 120,
        flush: false,
        type: "PTR",
        data: "a._pacserve._tcp.local",
      },
      {
        name: "a.local",
        ttl: 120,
        flush: true,
        type: "SRV",
        data: { target: "b.local", port: 15678 },
      },
      { name: "a.local", ttl: 0, flush: true, type: "TXT", data: ["id=arch", "arch=x86_64"] },
    ],
    additionals: [
      { name: "b.local", ttl: 120, flush: true, type: "A", data: "10.0.0.1" },
      { name: "b.local", ttl: 120, flush: true, type: "AAAA", data: "fd00::1" },
    ],
  };
  assertEquals(formatMessage(message).map(parseMessage), [message]);
});

Deno.test("parseMessage returns names in lower case, but changes only ASCII letters", () => {
  const [datagram = new Uint8Array()] = formatMessage({
    ...NOTHING,
    questions: [{ name: "Pacserve on ÉCOLE._pacserve._tcp.local", type: "SRV" }],
  });
  assertEquals(parseMessage(datagram)?.questions, [
    { name: "pacserve on École._pacserve._tcp.local", type: "SRV" },
  ]);
});

Deno.test("formatMessage keeps a dot in the name of a service inside its label", () => {
  const name = "pacserve on birch.example.org._pacserve._tcp.local";
  const [datagram = new Uint8Array()] = formatMessage({
    ...NOTHING,
    questions: [{ name, type: "SRV" }],
    answers: [{ name: "_pacserve._tcp.local", ttl: 100, flush: false, type: "PTR", data: name }],
  });
  const label = "pacserve on birch.example.org";
  const bytes = [label.length, ...new TextEncoder().encode(label), "_pacserve".length];
  const text = String.fromCharCode(...datagram);
  assertEquals(text.split(String.fromCharCode(...bytes)).length, 3);
  assertEquals(parseMessage(datagram)?.questions, [{ name, type: "SRV" }]);
});

Deno.test("formatMessage splits known answers into datagrams with the flag that more follow", () => {
  const answers = Array.from({ length: 200 }, (_, index) => ({
    name: "_pacserve._tcp.local",
    ttl: 100,
    flush: false,
    type: "PTR" as const,
    data: `pacserve on host${index}._pacserve._tcp.local`,
  }));
  const questions = [{ name: "_pacserve._tcp.local", type: "PTR" as const }];
  const datagrams = formatMessage({ ...NOTHING, questions, answers });
  assert(datagrams.length > 5 && datagrams.every(({ length }) => length <= 1_232));
  const messages = datagrams.map(parseMessage);
  assertEquals(messages.flatMap((message) => message?.answers), answers);
  assertEquals(messages.flatMap((message) => message?.questions), questions);
  const last = messages.length - 1;
  assertEquals(messages.map((message) => message?.truncated), messages.map((_, i) => i < last));
});

const hostile: Readonly<Record<string, Uint8Array>> = {
  "an empty datagram": new Uint8Array(),
  "half a header": packet([0, 0, 0, 0]).subarray(0, 11),
  "a name that points to itself": packet([0, 1, 0, 0], 0xc0, 12, ...pointerRecord(0xc0, 12)),
  "a name that points forward": packet([0, 1, 0, 0], 0xc0, 14, 1, 97, 0, ...pointerRecord(0)),
  "data that points to itself": packet([0, 1, 0, 0], 0, ...pointerRecord(0xc0, 23)),
  "two names that point to each other": packet(
    [0, 1, 0, 0],
    ...[1, 97, 0xc0, 16, 1, 97, 0xc0, 12],
    ...pointerRecord(0xc0, 12),
  ),
  "counts larger than the number of records": packet(
    [0, 65_535, 65_535, 65_535],
    0,
    ...pointerRecord(0),
  ),
  "a label of a reserved kind": packet([1, 0, 0, 0], 0x80, 0, 0, 12, 0, 1),
  "data that ends after the datagram": packet([0, 1, 0, 0], 0, 0, 12, 0, 1, 0, 0, 0, 1, 1, 0, 5),
  "an unknown operation": packet([0, 0, 0, 0]).map((byte, index) => index === 2 ? 0x28 : byte),
  "a datagram longer than allowed": new Uint8Array(MAX_DATAGRAM + 1),
};
for (const [what, datagram] of Object.entries(hostile)) {
  Deno.test(`parseMessage refuses ${what}`, () => assertEquals(parseMessage(datagram), null));
}

Deno.test("parseMessage refuses a datagram in which every name has a long chain of pointers", () => {
  const chain = Array.from({ length: 126 }, () => [1, 97]).flat();
  const records = Array.from({ length: 700 }, () => [0xc0, 12, ...pointerRecord(0xc0, 12)]).flat();
  const datagram = packet([0, 701, 0, 0], ...chain, 0, ...pointerRecord(0), ...records);
  assertEquals(parseMessage(datagram.subarray(0, MAX_DATAGRAM)), null);
});

Deno.test("parseMessage never throws, and its result can be encoded again", () => {
  const [datagram = new Uint8Array()] = formatMessage({
    ...NOTHING,
    isResponse: true,
    answers: [
      {
        name: "a._pacserve._tcp.local",
        ttl: 9,
        flush: true,
        type: "SRV",
        data: { target: "b.local", port: 1 },
      },
      { name: "b.local", ttl: 120, flush: true, type: "AAAA", data: "fd00::1" },
      { name: "b.local", ttl: 120, flush: true, type: "TXT", data: ["id=arch"] },
    ],
  });
  const changed = fc.array(fc.tuple(fc.nat(datagram.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => {
      const copy = datagram.slice();
      for (const [at, byte] of changes) copy[at] = byte;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      const message = parseMessage(bytes);
      if (message !== null) formatMessage(message);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("parseMessage ignores records of other types and classes", () => {
  const datagram = dns.encode({
    type: "response",
    answers: [
      { type: "HINFO", name: "a.local", ttl: 1, data: { cpu: "x", os: "y" } },
      { type: "A", name: "a.local", class: "CH", ttl: 1, data: "10.0.0.1" },
      { type: "A", name: "a.local", ttl: 1, data: "10.0.0.2" },
    ],
  });
  assertEquals(parseMessage(datagram)?.answers.map(({ data }) => data), ["10.0.0.2"]);
});

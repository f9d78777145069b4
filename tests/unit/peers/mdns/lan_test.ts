/** Many hosts, each with a responder and a browser, on a LAN with a simulated clock. */

import { formatMessage, parseMessage } from "../../../../src/peers/mdns/message.ts";
import { assert, assertEquals } from "../../../assert.ts";
import { VirtualLan } from "../../../mdns/virtual_lan.ts";

const places = (host: { readonly found: ReadonlyMap<string, unknown> }): string[] =>
  [...host.found.keys()].sort();

Deno.test("Link: a server is found within two seconds after its start, and finds the others", () => {
  const lan = new VirtualLan();
  const a = lan.add({ name: "alder", address: "10.0.0.1" });
  lan.run(30_000);
  const b = lan.add({ name: "birch", address: "10.0.0.2" });
  lan.run(2_000);
  assertEquals([places(a), places(b)], [["10.0.0.2:15678"], ["10.0.0.1:15678"]]);
});

Deno.test("Link: two hosts with the same name are distinguished, whichever was first", () => {
  for (const apart of [0, 100, 400, 5_000]) {
    const lan = new VirtualLan();
    const a = lan.add({ name: "alder", address: "10.0.0.1" });
    lan.run(apart);
    const b = lan.add({ name: "alder", address: "10.0.0.2" });
    const c = lan.add({ name: "cedar", address: "10.0.0.3" });
    lan.run(10_000);
    assertEquals(places(c), ["10.0.0.1:15678", "10.0.0.2:15678"], `${apart} ms apart`);
    assertEquals([places(a).length, places(b).length], [2, 2], `${apart} ms apart`);
  }
});

Deno.test("Link: when two LANs with hosts of the same name are joined, the hosts are distinguished", () => {
  const [one, other] = [new VirtualLan(1), new VirtualLan(2)];
  one.add({ name: "alder", address: "10.0.0.1" });
  const b = other.add({ name: "alder", address: "10.0.0.2" });
  one.run(10_000);
  other.run(10_000);
  one.hosts.push(b);
  const c = one.add({ name: "cedar", address: "10.0.0.3" });
  one.run(70_000);
  assertEquals(places(c), ["10.0.0.1:15678", "10.0.0.2:15678"]);
});

Deno.test("Link: two servers on one host are both found", () => {
  const lan = new VirtualLan();
  lan.add({ name: "alder", address: "10.0.0.1", port: 15678 });
  lan.add({ name: "alder", address: "10.0.0.1", port: 15679 });
  const c = lan.add({ name: "cedar", address: "10.0.0.3" });
  lan.run(5_000);
  assertEquals(places(c), ["10.0.0.1:15678", "10.0.0.1:15679"]);
});

for (const how of ["goodbye", "kill"] as const) {
  Deno.test(`Link: a restarted server is found again within two seconds after a ${how}`, () => {
    const lan = new VirtualLan();
    const a = lan.add({ name: "alder", address: "10.0.0.1" });
    const b = lan.add({ name: "birch", address: "10.0.0.2", instance: "first" });
    lan.run(20_000);
    a.events.length = 0;
    lan.remove(b, how === "goodbye");
    const again = lan.add({ name: "birch", address: "10.0.0.2", instance: "second" });
    lan.run(2_000);
    assertEquals(a.events.at(-1), "found 10.0.0.2:15678");
    assertEquals(places(again), ["10.0.0.1:15678"]);
  });
}

Deno.test("Link: a host that ends is lost at once with a goodbye, and after two minutes without one", () => {
  for (const cleanly of [true, false]) {
    const lan = new VirtualLan();
    const a = lan.add({ name: "alder", address: "10.0.0.1" });
    const b = lan.add({ name: "birch", address: "10.0.0.2" });
    lan.run(10_000);
    lan.remove(b, cleanly);
    lan.run(2_000);
    assertEquals(places(a), cleanly ? [] : ["10.0.0.2:15678"]);
    lan.run(120_000);
    assertEquals(places(a), []);
  }
});

Deno.test("Link: a host that the asker already knows does not answer", () => {
  const lan = new VirtualLan();
  lan.add({ name: "alder", address: "10.0.0.1" });
  lan.run(10_000);
  const before = lan.sent.length;
  const name = "_pacserve._tcp.local";
  const data = "pacserve on alder._pacserve._tcp.local";
  const query = {
    isResponse: false,
    truncated: false,
    questions: [{ name, type: "PTR" as const }],
    answers: [{ name, ttl: 60, flush: false, type: "PTR" as const, data }],
    authorities: [],
    additionals: [],
  };
  lan.send(formatMessage(query), "10.0.0.9");
  lan.run(1_000);
  assertEquals(lan.sent.length, before + 1);
  // The same is true when the known answers come in a second datagram.
  lan.send(formatMessage({ ...query, answers: [], truncated: true }).map(truncated), "10.0.0.9");
  lan.run(100);
  lan.send(formatMessage({ ...query, questions: [] }), "10.0.0.9");
  lan.run(1_000);
  assertEquals(lan.sent.length, before + 3);
  // With less than half of its time to live left, the record is sent again.
  const [known] = query.answers;
  lan.send(
    formatMessage({ ...query, answers: known === undefined ? [] : [{ ...known, ttl: 59 }] }),
    "10.0.0.9",
  );
  lan.run(1_000);
  assertEquals(lan.sent.length, before + 5);
});

/** Sets the flag that more known answers follow. */
function truncated(datagram: Uint8Array): Uint8Array {
  const copy = datagram.slice();
  copy[2] = (copy[2] ?? 0) | 2;
  return copy;
}

Deno.test("Link: a flood of questions is answered once a second", () => {
  const lan = new VirtualLan();
  lan.add({ name: "alder", address: "10.0.0.1" });
  lan.run(10_000);
  const before = lan.sent.length;
  const query = formatMessage({
    isResponse: false,
    truncated: false,
    questions: [
      { name: "_pacserve._tcp.local", type: "PTR" },
      { name: "pacserve on alder._pacserve._tcp.local", type: "ANY" },
      { name: "alder-pacserve.local", type: "A" },
    ],
    answers: [],
    authorities: [],
    additionals: [],
  });
  for (let index = 0; index < 1_000; index++) {
    lan.send(query, `10.0.1.${index % 250}`);
    lan.run(10);
  }
  const answers = lan.sent.slice(before).filter(({ source }) => source === "10.0.0.1");
  assert(answers.length <= 25, `${answers.length} in ten seconds`);
});

Deno.test("Link: 50 servers that start at the same moment find each other within two seconds", () => {
  const lan = new VirtualLan();
  for (let index = 1; index <= 50; index++) {
    lan.add({ name: `host${index}`, address: `10.0.0.${index}` });
  }
  lan.run(2_000);
  assertEquals(lan.informed, 50);
  lan.run(8_000);
  assert(lan.sent.length <= 6 * 50, `${lan.sent.length} datagrams`);
  const queries = lan.sent.filter(({ datagram }) => {
    const message = parseMessage(datagram);
    return message?.isResponse === false && message.authorities.length === 0;
  });
  assert(queries.length <= 40, `${queries.length} questions`);
});

import { Browser } from "../../../../src/peers/mdns/browser.ts";
import type { MdnsRecord, Message } from "../../../../src/peers/mdns/message.ts";
import { assert, assertEquals } from "../../../assert.ts";

const BOUNDS = { services: 1_024, incomplete: 64, perSource: 16, addresses: 8 };

const TYPE = "_pacserve._tcp.local";

interface Scene {
  readonly browser: Browser;
  readonly events: string[];
}

function scene(): Scene {
  const events: string[] = [];
  const browser = new Browser(
    { id: "arch", arch: "x86_64", random: () => 0.5 },
    { networks: ["10.0.0.1/24", "fd00::1/64", "fe80::1/64"], ownName: `own.${TYPE}` },
    {
      found: ({ kind, addresses, port }) =>
        events.push(`found ${kind} ${addresses.join()} ${port}`),
      seen: ({ addresses, port }) => events.push(`seen ${addresses.join()} ${port}`),
      lost: ({ addresses, port }) => events.push(`lost ${addresses.join()} ${port}`),
    },
    0,
  );
  return { browser, events };
}

function response(...answers: MdnsRecord[]): Message {
  const rest = { truncated: false, questions: [], authorities: [], additionals: [] };
  return { isResponse: true, answers, ...rest };
}

const pointer = (label: string, ttl = 120): MdnsRecord => (
  { name: TYPE, ttl, flush: false, type: "PTR", data: `${label}.${TYPE}` }
);
const location = (label: string, target: string, port = 15678): MdnsRecord => (
  { name: `${label}.${TYPE}`, ttl: 120, flush: true, type: "SRV", data: { target, port } }
);
const text = (label: string, ...data: string[]): MdnsRecord => (
  { name: `${label}.${TYPE}`, ttl: 120, flush: true, type: "TXT", data }
);
const address = (name: string, data: string, flush = true): MdnsRecord => (
  { name, ttl: 120, flush, type: data.includes(":") ? "AAAA" : "A", data }
);

/** Returns all records that announce a pacserve. */
const server = (label: string, host: string, instance = "1", port = 15678): MdnsRecord[] => [
  pointer(label),
  location(label, `${label}.local`, port),
  text(label, "id=arch", "arch=x86_64", "pacserve=1", `instance=${instance}`),
  address(`${label}.local`, host),
];

/** Returns the questions until a time in the form `<type> <name>`, each with its time. */
function asked(browser: Browser, until: number): string[] {
  const all: string[] = [];
  while (browser.next <= until) {
    const now = browser.next;
    for (const { questions } of browser.poll(now)) {
      all.push(...questions.map(({ name, type }) => `${type} ${name}`));
    }
  }
  return all;
}

Deno.test("Browser: a service is found only with addresses in the link's networks", () => {
  const { browser, events } = scene();
  browser.receive(response(...server("far", "192.0.2.1")), "10.0.0.7", 0);
  browser.receive(response(...server("loop", "127.0.0.1")), "10.0.0.7", 0);
  browser.receive(response(...server("linklocal", "fe80::7")), "10.0.0.7", 0);
  assertEquals(events, []);
  const both = [...server("near", "fd00::9"), address("near.local", "10.0.0.9")];
  browser.receive(response(...both, address("near.local", "203.0.113.5")), "10.0.0.7", 0);
  assertEquals(events, ["found pacserve 10.0.0.9,fd00::9 15678"]);
});

Deno.test("Browser: a pacredir host is found only with the same distribution and architecture", () => {
  const { browser, events } = scene();
  for (const [label, id, arch] of [["a", "arch", "aarch64"], ["b", "manjaro", "x86_64"]] as const) {
    const records = [text(label, `id=${id}`, `arch=${arch}`), address("x.local", "10.0.0.3")];
    browser.receive(
      response(pointer(label), location(label, "x.local"), ...records),
      "10.0.0.3",
      0,
    );
  }
  assertEquals(events, []);
  const records = [text("c", "id=arch", "arch=x86_64"), address("y.local", "10.0.0.4")];
  browser.receive(
    response(pointer("c"), location("c", "y.local", 7078), ...records),
    "10.0.0.4",
    0,
  );
  assertEquals(events, ["found pacredir 10.0.0.4 7078"]);
});

Deno.test("Browser: records that are missing in a response are requested", () => {
  const { browser, events } = scene();
  assertEquals(asked(browser, 500), [`PTR ${TYPE}`]);
  browser.receive(response(pointer("a")), "10.0.0.3", 500);
  assertEquals(asked(browser, 700), [`SRV a.${TYPE}`, `TXT a.${TYPE}`]);
  browser.receive(
    response(location("a", "a.local"), text("a", "pacserve=1")),
    "10.0.0.3",
    700,
  );
  assertEquals(asked(browser, 900), ["A a.local", "AAAA a.local"]);
  browser.receive(response(address("a.local", "10.0.0.3")), "10.0.0.3", 900);
  assertEquals(events, ["found pacserve 10.0.0.3 15678"]);
});

Deno.test("Browser: a restarted server is found again, and one that moved is lost first", () => {
  const { browser, events } = scene();
  browser.receive(response(...server("a", "10.0.0.3", "1")), "10.0.0.3", 0);
  browser.receive(response(...server("a", "10.0.0.3", "1")), "10.0.0.3", 10);
  assertEquals(events.splice(0), ["found pacserve 10.0.0.3 15678"]);
  browser.receive(response(...server("a", "10.0.0.3", "2")), "10.0.0.3", 20);
  assertEquals(events.splice(0), ["found pacserve 10.0.0.3 15678"]);
  browser.receive(response(...server("a", "10.0.0.3", "3", 9)), "10.0.0.3", 30);
  assertEquals(events, ["lost 10.0.0.3 15678", "found pacserve 10.0.0.3 9"]);
});

Deno.test("Browser: a server is lost at its goodbye, and found again if it is back within a second", () => {
  const { browser, events } = scene();
  browser.receive(response(...server("a", "10.0.0.3")), "10.0.0.3", 0);
  browser.receive(response(pointer("a", 0)), "10.0.0.3", 100);
  assertEquals(events.splice(0), ["found pacserve 10.0.0.3 15678", "lost 10.0.0.3 15678"]);
  browser.receive(response(...server("a", "10.0.0.3")), "10.0.0.3", 500);
  assertEquals(events.splice(0), ["found pacserve 10.0.0.3 15678"]);
  browser.poll(2_000);
  assertEquals([browser.size, events.length], [1, 0]);
});

Deno.test("Browser: the records of a silent server are requested, and it is lost when they expire", () => {
  const { browser, events } = scene();
  browser.receive(response(...server("a", "10.0.0.3")), "10.0.0.3", 0);
  const questions = asked(browser, 119_000);
  assert(questions.filter((question) => question === `PTR ${TYPE}`).length >= 4, questions.join());
  assert(questions.includes(`SRV a.${TYPE}`), questions.join());
  assertEquals(events.splice(0), ["found pacserve 10.0.0.3 15678"]);
  browser.poll(120_000);
  assertEquals([browser.size, events.splice(0)], [0, ["lost 10.0.0.3 15678"]]);
});

Deno.test("Browser: a time to live of years is limited to 75 minutes", () => {
  const { browser } = scene();
  browser.receive(response(pointer("a", 2 ** 31)), "10.0.0.3", 0);
  browser.poll(4_499_000);
  assertEquals(browser.size, 1);
  browser.poll(4_500_000);
  assertEquals(browser.size, 0);
});

Deno.test("Browser: this server's own service is not found", () => {
  const { browser } = scene();
  browser.receive(response(...server("own", "10.0.0.1")), "10.0.0.1", 0);
  assertEquals(browser.size, 0);
});

Deno.test("Browser: questions list the known services, which then do not answer", () => {
  const { browser } = scene();
  browser.receive(response(...server("a", "10.0.0.3")), "10.0.0.3", 0);
  const [message] = browser.poll(100);
  assertEquals(message?.answers.map(({ data, ttl }) => `${data} ${ttl}`), [`a.${TYPE} 119`]);
});

Deno.test("Browser: a question that another host has just asked is not repeated", () => {
  const { browser } = scene();
  const question: Message = {
    ...response(),
    isResponse: false,
    questions: [{ name: TYPE, type: "PTR" }],
  };
  browser.receive(question, "10.0.0.3", 10);
  assertEquals(asked(browser, 900), []);
  // The other host lists a service that is unknown here and will not answer, because it is listed.
  browser.receive({ ...question, answers: [pointer("b")] }, "10.0.0.3", 1_000);
  assertEquals(asked(browser, 2_200), [`PTR ${TYPE}`]);
});

Deno.test("Browser: the number of services is limited, for one host and in total", () => {
  const { browser } = scene();
  for (let index = 0; index < 100; index++) {
    browser.receive(response(...server(`a${index}`, "10.0.0.3")), "10.0.0.3", 0);
  }
  assertEquals(browser.size, BOUNDS.perSource);
  for (let index = 0; index < 5_000; index++) {
    const source = `10.0.${index >> 8}.${index & 255}`;
    browser.receive(response(...server(`b${index}`, "10.0.0.4")), source, 0);
  }
  assertEquals(browser.size, BOUNDS.services);
});

Deno.test("Browser: names without a service cause a limited number of questions", () => {
  const { browser } = scene();
  for (let index = 0; index < 5_000; index++) {
    browser.receive(response(pointer(`c${index}`)), `10.0.${index >> 8}.${index & 255}`, 0);
  }
  assertEquals(browser.size, BOUNDS.incomplete);
  const questions = browser.poll(10_000).flatMap((message) => message.questions);
  assert(questions.length <= 2 * BOUNDS.incomplete + 1, `${questions.length}`);
});

Deno.test("Browser: at most eight addresses of a host are stored", () => {
  const { browser, events } = scene();
  const records = Array.from(
    { length: 50 },
    (_, i) => address("a.local", `10.0.0.${i + 10}`, false),
  );
  browser.receive(response(...server("a", "10.0.0.3"), ...records), "10.0.0.3", 0);
  assertEquals(events[0]?.split(" ")[2]?.split(",").length, BOUNDS.addresses);
});

Deno.test("Browser: an address that its owner no longer announces is not used after a second", () => {
  const { browser, events } = scene();
  browser.receive(response(...server("a", "10.0.0.3")), "10.0.0.3", 0);
  browser.receive(response(address("a.local", "10.0.0.8")), "10.0.0.8", 5_000);
  browser.receive(response(...server("a", "10.0.0.8")), "10.0.0.8", 7_000);
  assertEquals(events, [
    "found pacserve 10.0.0.3 15678",
    "lost 10.0.0.3 15678",
    "found pacserve 10.0.0.8 15678",
  ]);
});

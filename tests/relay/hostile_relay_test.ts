/** Tests that hostile trackers and holders delay a download by half a second, and have no other effect. */

import { createHash } from "node:crypto";
import { assert, assertEquals } from "../assert.ts";
import { latin1, until, writeAll } from "../listening.ts";
import { paced } from "./hostile_source.ts";
import { bytes } from "./scene.ts";
import { download } from "./strict_client.ts";
import { FILE, Lan, type LanHost } from "./together.ts";

const MIB = 1024 * 1024;
const file = bytes(2 * MIB);
const instance = "instance-of-a-liar";

/** The behaviour of a hostile relay. */
interface Lies {
  /** The answer to a want; null for no answer. */
  readonly first: unknown;
  /** The answer to the request for the file. */
  readonly give: (request: Request) => Response | Promise<Response>;
  /** Milliseconds before the answer to a want. */
  readonly late?: number;
}

const never = (): Promise<Response> => new Promise(() => {});
const age = 9e15;
const whole = { "Content-Length": String(file.length) };

/** Returns a body with these bytes, which then sends nothing. */
function stream(...pieces: readonly Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => pieces.forEach((piece) => controller.enqueue(piece)),
  });
}

function flipped(at: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(file);
  copy[at] = copy[at]! ^ 1;
  return copy;
}

/** Hostile relays, with the maximum delay (ms) by each. Half a second of it is for a busy machine. */
const liars: readonly (readonly [string, number, Lies])[] = [
  ["names an unknown instance", 1_000, {
    first: { first: "instance-of-a-stranger", age },
    give: never,
  }],
  ["names an address", 1_000, { first: { first: "http://127.0.0.1:1/", age }, give: never }],
  ["answers a want with invalid data", 1_000, { first: [1, 2], give: never }],
  ["never answers a want", 1_000, { first: null, give: never }],
  ["names itself and never answers", 1_200, { first: { first: instance, age }, give: never }],
  ["names itself and answers 404", 1_000, {
    first: { first: instance, age },
    give: () => new Response("no", { status: 404 }),
  }],
  ["sends readers in a circle", 1_000, {
    first: { first: instance, age },
    give: () => new Response("", { status: 503, headers: { "Pacserve-Try": instance } }),
  }],
  ["redirects to another server", 1_000, {
    first: { first: instance, age },
    give: () => new Response("", { status: 307, headers: { "Location": "http://127.0.0.1:1/" } }),
  }],
  ["names the asker in Via", 1_000, {
    first: { first: instance, age },
    give: ({ headers }) => {
      const via = `1.1 ${instance}, 1.1 ${headers.get("Pacserve-Instance")}`;
      return new Response(new Uint8Array(file), { headers: { ...whole, Via: via } });
    },
  }],
  ["sends another file with the correct length", 1_000, {
    first: { first: instance, age },
    give: () => new Response(new Uint8Array(file.length), { headers: whole }),
  }],
  ["answers a want after a second, and sends wrong bytes at the end", 3_000, {
    first: { first: instance, age },
    give: () => new Response(flipped(file.length - 1), { headers: whole }),
    late: 1_000,
  }],
  ["sends another length", 1_000, {
    first: { first: instance, age },
    give: () => new Response(new Uint8Array(file.length + 1)),
  }],
  ["sends wrong bytes at the end", 1_000, {
    first: { first: instance, age },
    give: () => new Response(flipped(file.length - 1), { headers: whole }),
  }],
  ["sends half of the file and then nothing", 2_500, {
    first: { first: instance, age },
    give: () => half(),
  }],
  ["answers a want late, and sends half of the file and then nothing", 3_500, {
    first: { first: instance, age },
    give: () => half(),
    late: 200,
  }],
];

const half = (): Response =>
  new Response(stream(new Uint8Array(file.subarray(0, MIB))), { headers: whole });

async function took(others: readonly string[]): Promise<number> {
  let time = 0;
  const times = { inFlightSilence: 1_000 };
  await Lan.with({ file, hosts: 1, mirror: paced(2 * MIB), times, others }, async (lan) => {
    const [{ port }] = lan.hosts as [LanHost];
    const outcome = await download(port, "/own", file.length);
    assert(outcome.body.every((byte, i) => byte === file[i]), "other bytes");
    time = outcome.took;
  });
  return time;
}

Deno.test("Relay: hostile trackers and holders cause a short delay, and their bytes are never sent to the client", async (t) => {
  const alone = await took([]);
  for (const [what, most, { first, give, late = 0 }] of liars) {
    await t.step(`a relay that ${what}`, async () => {
      const mine = { "Pacserve-Instance": instance, "Pacserve-Relay": "1" };
      const server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        async (request) => {
          if (request.method !== "POST") return await give(request);
          const isWant = (await request.text()).includes("want");
          if (isWant && first === null) return await never();
          if (isWant) await new Promise((resolve) => setTimeout(resolve, late));
          return new Response(isWant ? JSON.stringify(first) : "true", { headers: mine });
        },
      );
      try {
        const time = await took([`http://127.0.0.1:${server.addr.port}/`]);
        assert(time < alone + most, `${time} ms, alone ${alone} ms`);
      } finally {
        await Promise.race([server.shutdown(), new Promise((resolve) => setTimeout(resolve, 100))]);
      }
    });
  }
  assertEquals(liars.length, 15);
});

Deno.test("Holder: readers that never read delay neither the holder nor other relays", async () => {
  const sha256 = createHash("sha256").update(file).digest("hex");
  const alone = await took([]);
  await Lan.with({ file, hosts: 2, mirror: paced(2 * MIB) }, async (lan) => {
    const [holder, other] = lan.hosts as [LanHost, LanHost];
    const first = download(holder.port, "/own", file.length);
    await until(() => lan.mirror.sent > 0, "the first has begun");
    using stack = new DisposableStack();
    for (let i = 0; i < 20; i++) {
      const { port } = holder;
      const connection = stack.use(await Deno.connect({ hostname: "127.0.0.1", port }));
      const request = `GET /pkg/${FILE} HTTP/1.1\r\nHost: lan\r\n` +
        `Pacserve-Instance: instance-${i}\r\nPacserve-Digest: sha256=${sha256}\r\n\r\n`;
      await writeAll(connection, latin1(request));
    }
    const outcomes = await Promise.all([first, download(other.port, "/own", file.length)]);
    for (const { body, took } of outcomes) {
      assert(body.every((byte, i) => byte === file[i]), "other bytes");
      assert(took < alone + 1_000, `${took} ms, alone ${alone} ms`);
    }
    assert(lan.copies < 2.01, `the mirror sent ${lan.copies} files`);
  });
});

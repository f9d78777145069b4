/** Tests which bytes of a download the holder sends to other relays, also to hostile ones. */

import { createHash } from "node:crypto";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { latin1, until, writeAll } from "../listening.ts";
import { type Behaviour, paced } from "./hostile_source.ts";
import { bytes } from "./scene.ts";
import { download } from "./strict_client.ts";
import { FILE, Lan, type LanHost } from "./together.ts";

const MIB = 1024 * 1024;
const file = bytes(3 * MIB);
const digest = createHash("sha256").update(file).digest("hex");
const own = "instance-of-a-test";

/** Returns the head of a request for the in-flight file. */
function requestFor(instance: string, more = ""): string {
  return `GET /pkg/${FILE} HTTP/1.1\r\nHost: lan\r\nPacserve-Instance: ${instance}\r\n` +
    `Pacserve-Digest: sha256=${digest}\r\n${more}\r\n`;
}

/** Sends a request, and returns the head of the answer. The connection stays open until it is disposed of. */
async function ask(
  { port }: LanHost,
  request: string = requestFor(own),
): Promise<{ readonly head: string } & Disposable> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(connection, latin1(request));
  const { head } = await headOf(connection);
  return { head, [Symbol.dispose]: () => connection.close() };
}

async function headOf(connection: Deno.Conn): Promise<{ readonly head: string }> {
  const buffer = new Uint8Array(1);
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    if (await connection.read(buffer) === null) break;
    head += String.fromCharCode(buffer[0]!);
  }
  return { head };
}

/** Returns a mirror that sends a third of the file, and the rest after `open` was called. */
function gated(): { readonly behaviour: Behaviour; open(): void } {
  const gate = Promise.withResolvers<void>();
  const behaviour: Behaviour = async (connection, _asked, right) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${right.length}\r\n\r\n`;
    await writeAll(connection, latin1(head));
    await writeAll(connection, right.subarray(0, MIB));
    await gate.promise;
    await writeAll(connection, right.subarray(MIB));
  };
  return { behaviour, open: () => gate.resolve() };
}

/** Runs `use` with a host that has a third of the file. */
async function withHolder(
  use: (holder: LanHost, lan: Lan, open: () => void) => Promise<void>,
): Promise<void> {
  const { behaviour, open } = gated();
  const times = { silence: 60_000, crawl: 60_000 };
  await Lan.with({ file, hosts: 1, mirror: behaviour, times }, async (lan) => {
    const [holder] = lan.hosts as [LanHost];
    const first = download(holder.port, "/own", file.length);
    await until(() => lan.mirror.sent >= MIB, "the holder has a third of the file");
    await use(holder, lan, open);
    open();
    await first;
  });
}

Deno.test("Holder: an in-flight file is sent only for a GET with an instance and the digest", async () => {
  await withHolder(async (holder) => {
    const good = requestFor(own);
    const other = digest.replace(/^./, (first) => first === "0" ? "1" : "0");
    for (
      const request of [
        good.replace(/^GET/, "HEAD"),
        good.replace(/Pacserve-Instance: [^\r]*\r\n/, ""),
        good.replace(/Pacserve-Instance: [^\r]*/, "Pacserve-Instance: short"),
        good.replace(/Pacserve-Digest: [^\r]*\r\n/, ""),
        good.replace(digest, other),
        good.replace(FILE, "another-1-1-any.pkg.tar.zst"),
        requestFor(own, "Range: bytes=-5\r\n"),
        requestFor(own, `Range: bytes=${file.length}-\r\n`),
      ]
    ) {
      using answer = await ask(holder, request);
      assertMatch(answer.head, /^HTTP\/1\.1 404 /, request);
    }
    assert(!holder.relay.holder.has(FILE));
    using answer = await ask(holder, good);
    assertMatch(answer.head, /^HTTP\/1\.1 200 /);
    assertMatch(answer.head, new RegExp(`Via: 1\\.1 ${holder.peers.instance}\\r`));
  });
});

Deno.test("Holder: the last 64 KiB of an in-flight file are not sent before the file is verified", async () => {
  await withHolder(async (holder, lan, open) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: holder.port });
    await writeAll(connection, latin1(requestFor(own)));
    await headOf(connection);
    const body = new Uint8Array(file.length);
    let received = 0;
    const read = async (to: number): Promise<void> => {
      while (received < to) {
        const count = await connection.read(body.subarray(received));
        if (count === null) throw new Error(`it breaks off at byte ${received}`);
        received += count;
      }
    };
    await read(MIB);
    assertEquals(received, MIB);
    open();
    await read(file.length);
    assert(body.every((byte, i) => byte === file[i]));
    assertEquals(lan.copies > 1.01, false);
  });
});

Deno.test("Holder: a file that turns out to be wrong is never sent completely", async () => {
  const wrong: Behaviour = (connection, asked, right) => {
    const copy = right.slice();
    copy[5] = copy[5]! ^ 1;
    return paced(2 * MIB)(connection, asked, copy);
  };
  await Lan.with({ file, hosts: 1, mirror: wrong }, async (lan) => {
    const [holder] = lan.hosts as [LanHost];
    const first = download(holder.port, "/own", file.length).catch(() => {});
    await until(() => lan.mirror.sent > 0, "the download has begun");
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: holder.port });
    await writeAll(connection, latin1(requestFor(own)));
    const text = await new Response(connection.readable).bytes().catch(() => new Uint8Array());
    assert(text.length < file.length - 60_000, `${text.length} bytes came`);
    await first;
  });
});

Deno.test("Holder: a file has four readers, and others get 503 with Pacserve-Try, each reader equally often", async () => {
  await withHolder(async (holder) => {
    using stack = new DisposableStack();
    for (let i = 0; i < 4; i++) {
      assertMatch(
        stack.use(await ask(holder, requestFor(`instance-${i}`))).head,
        /^HTTP\/1\.1 200/,
      );
    }
    const tried: string[] = [];
    for (let i = 0; i < 8; i++) {
      const { head } = stack.use(await ask(holder, requestFor(own)));
      assertMatch(head, /^HTTP\/1\.1 503 /);
      tried.push(/Pacserve-Try: (\S+)/.exec(head)?.[1] ?? "");
    }
    const each = (i: number): number => tried.filter((name) => name === `instance-${i}`).length;
    assertEquals([0, 1, 2, 3].map(each), [2, 2, 2, 2]);
  });
});

Deno.test("Holder: the place of a reader that closes its connection becomes free", async () => {
  await Lan.with({ file, hosts: 1, mirror: paced(MIB) }, async (lan) => {
    const [holder] = lan.hosts as [LanHost];
    const first = download(holder.port, "/own", file.length);
    await until(() => lan.mirror.sent > 0, "the download has begun");
    for (let i = 0; i < 20; i++) {
      using answer = await ask(holder, requestFor(`instance-${i}`));
      assertMatch(answer.head, /^HTTP\/1\.1 (200|503)/);
    }
    let head = "";
    // The holder notices a moment later that a reader has closed its connection.
    for (let tries = 0; tries < 200 && !/^HTTP\/1\.1 200 /.test(head); tries++) {
      using last = await ask(holder);
      head = last.head;
    }
    assertMatch(head, /^HTTP\/1\.1 200 /);
    await first;
  });
});

Deno.test("Holder: the spool of a package that is in the cache is closed after some seconds", async () => {
  await Lan.with({ file, hosts: 1, mirror: paced(3 * MIB) }, async (lan) => {
    const [holder] = lan.hosts as [LanHost];
    await download(holder.port, "/own", file.length);
    holder.isInCache = true;
    const since = performance.now();
    const statusNow = async (): Promise<string> => {
      using answer = await ask(holder, requestFor(own).replace("GET", "HEAD"));
      return answer.head.slice(9, 12);
    };
    // Peers notice the package in the cache a moment later, and use the spool until then.
    assertEquals(await statusNow(), "200");
    while (await statusNow() === "200") {
      assert(performance.now() - since < 15_000, "the spool is still open");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert(performance.now() - since > 3_000, "the spool was closed too early");
  });
});

Deno.test("Holder: a reader from which the bytes of the file come gets 503", async () => {
  await Lan.with({ file, hosts: 2, mirror: paced(MIB) }, async (lan) => {
    const [one, other] = lan.hosts as [LanHost, LanHost];
    const first = download(one.port, "/own", file.length);
    await until(() => lan.mirror.sent > 0, "the first has begun");
    const second = download(other.port, "/own", file.length);
    await until(() => lan.mirror.sent > MIB, "the second has begun");
    using answer = await ask(other, requestFor(one.peers.instance));
    assertMatch(answer.head, /^HTTP\/1\.1 503 /);
    assert(!answer.head.includes("Pacserve-Try"));
    await Promise.all([first, second]);
  });
});

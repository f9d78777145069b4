/** Tests that several relays which need the same file download it from the mirror only once. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { until } from "../listening.ts";
import { paced } from "./hostile_source.ts";
import { bytes } from "./scene.ts";
import { download, type Outcome } from "./strict_client.ts";
import { FILE, Lan, type LanHost } from "./together.ts";

const MIB = 1024 * 1024;
const file = bytes(8 * MIB + 5);

function all(lan: Lan, hosts: readonly LanHost[] = lan.hosts): Promise<Outcome[]> {
  return Promise.all(hosts.map(({ port }) => download(port, "/own", lan.file.length)));
}

function assertSame(outcomes: readonly Outcome[]): void {
  for (const { body } of outcomes) {
    assert(body.length === file.length && body.every((byte, i) => byte === file[i]), "other bytes");
  }
}

function logs(lan: Lan): string {
  return lan.hosts.map(({ log }, i) => log.map((line) => `${i}: ${line}`).join("\n")).join("\n");
}

Deno.test("Relay: five relays that need a file at the same moment download it from the mirror once", async () => {
  await Lan.with({ file, hosts: 5, mirror: paced(MIB) }, async (lan) => {
    assertSame(await all(lan));
    assert(lan.copies < 1.1, `the mirror sent ${lan.copies} files\n${logs(lan)}`);
    assertMatch(logs(lan), /from peer .* \(in flight\), verified/);
  });
});

Deno.test("Relay: relays that need the file later join the download", async () => {
  await Lan.with({ file, hosts: 4, mirror: paced(2 * MIB) }, async (lan) => {
    const downloads = lan.hosts.map(async ({ port }, i) => {
      const before = file.length * i / 5;
      await until(() => lan.mirror.sent >= before, "the mirror sends more");
      return await download(port, "/own", file.length);
    });
    assertSame(await Promise.all(downloads));
    assert(lan.copies < 1.1, `the mirror sent ${lan.copies} files\n${logs(lan)}`);
  });
});

Deno.test("Relay: when the holder is killed at half of the file, the others continue at the byte that they reached", async () => {
  await Lan.with({ file, hosts: 6, mirror: paced(3 * MIB) }, async (lan) => {
    const [first, ...others] = lan.hosts as [LanHost, ...LanHost[]];
    const lost = download(first.port, "/own", file.length).catch(() => {});
    await until(() => lan.mirror.sent > 0, "the first has begun");
    const rest = all(lan, others);
    await until(() => lan.mirror.sent > file.length / 2, "the mirror has sent half");
    await first.end();
    await lost;
    assertSame(await rest);
    assert(lan.copies < 1.3, `the mirror sent ${lan.copies} files\n${logs(lan)}`);
  });
});

Deno.test("Relay: when the holder's client closes its connection at half of the file, another relay continues", async () => {
  const times = { unread: 300 };
  await Lan.with({ file, hosts: 4, mirror: paced(3 * MIB), times }, async (lan) => {
    const [first, ...others] = lan.hosts as [LanHost, ...LanHost[]];
    using client = await Deno.connect({ hostname: "127.0.0.1", port: first.port });
    await client.write(new TextEncoder().encode("GET /own HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    await until(() => lan.mirror.sent > 0, "the first has begun");
    const rest = all(lan, others);
    await until(() => lan.mirror.sent > file.length / 2, "the mirror has sent half");
    client.close();
    assertSame(await rest);
    assert(lan.copies < 1.3, `the mirror sent ${lan.copies} files\n${logs(lan)}`);
  });
});

Deno.test("Holder: every peer gets a verified file, also after the client has closed its connection", async () => {
  await Lan.with({ file, hosts: 2, mirror: paced(8 * MIB) }, async (lan) => {
    const [one, other] = lan.hosts as [LanHost, LanHost];
    const address = `http://127.0.0.1:${one.port}/pkg/${FILE}`;
    assertEquals((await fetch(address, { method: "HEAD" })).status, 404);
    assertSame([await download(one.port, "/own", file.length)]);
    const head = await fetch(address, { method: "HEAD" });
    assertEquals(head.headers.get("Content-Length"), String(file.length));
    assert(one.relay.holder.has(FILE));
    assertSame([await download(one.port, `/pkg/${FILE}`, file.length)]);
    assertSame([await download(other.port, "/own", file.length)]);
    assert(lan.copies < 1.01, `the mirror sent ${lan.copies} files\n${logs(lan)}`);
  });
});

Deno.test("Holder: no peer gets a file that was downloaded with credentials, neither in flight nor verified", async () => {
  await Lan.with({ file, hosts: 2, mirror: paced(4 * MIB) }, async (lan) => {
    const [one, other] = lan.hosts as [LanHost, LanHost];
    one.isShared = false;
    const first = download(one.port, "/own", file.length);
    await until(() => lan.mirror.sent > 0, "the first has begun");
    assertSame(await Promise.all([first, download(other.port, "/own", file.length)]));
    assertEquals((await fetch(`http://127.0.0.1:${one.port}/pkg/${FILE}`)).status, 404);
    assert(!one.relay.holder.has(FILE));
    assert(!/bytes from .*in flight/.test(logs(lan)), logs(lan));
  });
});

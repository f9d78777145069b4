/** Tests which sources the relay requests, and how often, without faults and with slow sources. */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { Scratch } from "../scratch.ts";
import { latin1, until, writeAll } from "../listening.ts";
import { type Behaviour, head, honest, other, paced } from "./hostile_source.ts";
import { bytes, Scene } from "./scene.ts";
import { download } from "./strict_client.ts";

const MIB = 1024 * 1024;
const file = bytes(3 * MIB + 5);

Deno.test("Relay: a peer's copy is sent to the client, and no mirror is requested", async () => {
  await Scene.with({ file, peers: [honest], mirrors: [honest] }, async (scene) => {
    const { body } = await download(scene.port, "/file", file.length);
    assertSame(body, file);
    assertEquals(scene.mirrors[0]?.requests, []);
    assertEquals(scene.log, [
      `file: ${file.length} bytes from ${nameOf(scene.peers[0])}, verified`,
    ]);
  });
});

Deno.test("Relay: two clients and a later third one share one download", async () => {
  await Scene.with({ file, mirrors: [paced(3 * MIB)] }, async (scene) => {
    const both = await Promise.all([
      download(scene.port, "/file", file.length),
      download(scene.port, "/file", file.length),
    ]);
    const third = await download(scene.port, "/file", file.length);
    for (const { body } of [...both, third]) assertSame(body, file);
    assertEquals(scene.mirrors[0]?.requests, ["GET 0-"]);
  });
});

Deno.test("Relay: a mirror races a slow peer, and is preferred for the next file", async () => {
  const times = { raceAfter: 600, race: 200 };
  const parts = { file, peers: [paced(300_000)], mirrors: [honest], times };
  await Scene.with(parts, async (scene) => {
    const first = await download(scene.port, "/one", file.length);
    assertSame(first.body, file);
    assert(first.took < 3000, `${first.took} ms`);
    const second = await download(scene.port, "/two", file.length);
    assertSame(second.body, file);
    assertEquals(scene.peers[0]?.requests, ["GET 0-"]);
    assertMatch(scene.log.join("\n"), /is slower than a mirror/);
  });
});

Deno.test("Relay: a peer that is faster than the mirror wins the race, and is not raced again", async () => {
  const times = { raceAfter: 300, race: 300 };
  const parts = { file, peers: [paced(2 * MIB)], mirrors: [paced(200_000)], times };
  await Scene.with(parts, async (scene) => {
    for (const name of ["one", "two"]) {
      assertSame((await download(scene.port, `/${name}`, file.length)).body, file);
    }
    assertEquals(scene.peers[0]?.requests.length, 2);
    assertEquals(scene.mirrors[0]?.requests.length, 1);
    assert(scene.mirrors[0]!.sent < MIB, `the mirror sent ${scene.mirrors[0]?.sent} bytes`);
  });
});

Deno.test("Relay: a mirror's file that is wrong at its end is sent completely, and the next request downloads it again", async () => {
  const wrong: Behaviour = (connection, asked, right) => {
    const copy = right.slice();
    copy[copy.length - 1]! ^= 1;
    return paced(2 * MIB)(connection, asked, copy);
  };
  const times = { mirrorHold: 200 };
  await Scene.with({ file, mirrors: [wrong], peers: [], times }, async (scene) => {
    const { body } = await download(scene.port, "/file", file.length);
    // All bytes except the last one are correct. pacman deletes a complete wrong file.
    assertSame(body.subarray(0, -1), file.subarray(0, -1));
    assertMatch(scene.log.join("\n"), /does not match the database/);
    assertEquals(scene.mirrors[0]?.requests.length, 1);
    await download(scene.port, "/file", file.length);
    assertEquals(scene.mirrors[0]?.requests.length, 2);
  });
});

Deno.test("Relay: without a spool a mirror's file is sent through a window", async () => {
  const big = bytes(9 * MIB);
  await Scene.with({ file: big, mirrors: [honest], spoolSize: 0 }, async (scene) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: scene.port });
    await connection.write(new TextEncoder().encode("GET /file HTTP/1.1\r\nHost: x\r\n\r\n"));
    const first = new Uint8Array(1000);
    await connection.read(first);
    assertMatch(new TextDecoder("latin1").decode(first), /^HTTP\/1.1 200 OK\r\n/);
    assertSame((await download(scene.port, "/file", big.length)).body, big);
  });
});

Deno.test("Relay: without a spool, each of several simultaneous clients gets a separate download", async () => {
  const big = bytes(5 * MIB);
  for (const isDescribed of [true, false]) {
    const parts = { file: big, mirrors: [honest], spoolSize: 0, isDescribed };
    await Scene.with(parts, async (scene) => {
      for (let round = 0; round < 4; round++) {
        const outcomes = await Promise.all(
          Array.from({ length: 4 }, () => download(scene.port, `/${round}`, big.length)),
        );
        for (const { body } of outcomes) assertSame(body, big);
      }
    });
  }
});

Deno.test("SpoolDirectory: the directory has no files, also while spools are in use", async () => {
  await Scene.with({ file, mirrors: [honest] }, async (scene) => {
    await download(scene.port, "/file", file.length);
    assertEquals([...Deno.readDirSync(scene.spools)], []);
    // The spool still contains the file for the next request.
    await download(scene.port, "/file", file.length);
    assertEquals(scene.mirrors[0]?.requests.length, 1);
  });
});

Deno.test("Relay: after simultaneous requests for a file that no database describes, one spool is kept", async () => {
  await Scene.with({ file, mirrors: [honest], isDescribed: false }, async (scene) => {
    const requests = Array.from({ length: 4 }, () => download(scene.port, "/file", file.length));
    for (const { body } of await Promise.all(requests)) assertSame(body, file);
    await until(() => openSpools(scene) === 1, "one spool is kept");
  });
});

Deno.test("SpoolDirectory: a removed directory is created again, and older spools stay usable", async () => {
  await Scene.with({ file, mirrors: [honest] }, async (scene) => {
    assertSame((await download(scene.port, "/one", file.length)).body, file);
    Deno.removeSync(scene.spools);
    assertSame((await download(scene.port, "/two", file.length)).body, file);
    assertEquals(openSpools(scene), 2);
    assertSame((await download(scene.port, "/one", file.length)).body, file);
    assertEquals(scene.mirrors[0]?.requests.length, 2);
  });
});

Deno.test("Relay: when the client closes its connection the mirror is left, and the next request continues at that byte", async () => {
  const parts = { file, mirrors: [paced(MIB)], times: { unread: 50, mirrorHold: 50 } };
  await Scene.with(parts, async (scene) => {
    const [mirror] = scene.mirrors;
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: scene.port });
    await connection.write(new TextEncoder().encode("GET /file HTTP/1.1\r\nHost: x\r\n\r\n"));
    await until(() => mirror!.sent > MIB / 2, "the mirror sends");
    connection.close();
    await until(() => mirror!.connections === 0, "the mirror is left");
    assertSame((await download(scene.port, "/file", file.length)).body, file);
    const [first, second = ""] = mirror!.requests;
    assertEquals(first, "GET 0-");
    assertMatch(second, /^GET [1-9]\d{5,}-$/);
  });
});

Deno.test("Relay: a range is answered with 206 or 416, with a peer and with a mirror", async () => {
  const half = file.length >> 1;
  const ranges: readonly [field: string, from: number, to: number][] = [
    ["0-", 0, file.length],
    [`${half}-`, half, file.length],
    ["5-9", 5, 10],
    [`${half}-${half + 99}`, half, half + 100],
    ["-7", file.length - 7, file.length],
    ["3-4,100-200", 3, 5],
  ];
  for (const parts of [{ peers: [honest], mirrors: [honest] }, { mirrors: [honest] }]) {
    for (const [field, from, to] of ranges) {
      await Scene.with({ file, ...parts }, async (scene) => {
        const { head: answer, body } = await scene.ask(
          `GET /file HTTP/1.1\r\nRange: bytes=${field}`,
        );
        assertMatch(answer, /^HTTP\/1.1 206 /, field);
        assertMatch(
          answer,
          new RegExp(`Content-Range: bytes ${from}-${to - 1}/${file.length}\r\n`),
        );
        assertSame(body, file.subarray(from, to));
      });
    }
  }
  await Scene.with({ file, mirrors: [honest] }, async (scene) => {
    const { head } = await scene.ask(`GET /file HTTP/1.1\r\nRange: bytes=${file.length}-`);
    assertMatch(head, /^HTTP\/1.1 416 [^]*Content-Range: bytes \*\//);
    assertEquals(scene.mirrors[0]?.requests, []);
  });
});

Deno.test("Relay: only the missing rest is requested from a mirror, but the whole copy from a peer", async () => {
  const half = file.length >> 1;
  await Scene.with({ file, mirrors: [honest] }, async (scene) => {
    assertSame((await download(scene.port, "/file", file.length, half)).body, file.subarray(half));
    assertEquals(scene.mirrors[0]?.requests, [`GET ${half}-`]);
  });
  await Scene.with({ file, peers: [honest], mirrors: [honest] }, async (scene) => {
    assertSame((await download(scene.port, "/file", file.length, half)).body, file.subarray(half));
    assertEquals(scene.peers[0]?.requests, ["GET 0-"]);
    assertEquals(scene.mirrors[0]?.requests, []);
  });
});

Deno.test("Relay: HEAD returns the length without a download, and If-Modified-Since for a package returns 304", async () => {
  await Scene.with({ file, mirrors: [honest] }, async (scene) => {
    const { head } = await scene.ask("HEAD /file HTTP/1.1");
    assertMatch(head, new RegExp(`^HTTP/1.1 200 [^]*Content-Length: ${file.length}\r\n`));
    const since = "If-Modified-Since: Sun, 22 Nov 2026 10:00:00 GMT";
    assertMatch((await scene.ask(`GET /file HTTP/1.1\r\n${since}`)).head, /^HTTP\/1.1 304 /);
    assertEquals(scene.mirrors[0]?.requests, []);
  });
});

Deno.test("Relay: a file that no source has is a 404, also for a second request, which asks no source", async () => {
  const absent: Behaviour = async (connection) => {
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    );
  };
  await Scene.with({ file, mirrors: [absent, absent] }, async (scene) => {
    for (let time = 0; time < 2; time++) {
      assertMatch((await scene.ask("GET /file HTTP/1.1")).head, /^HTTP\/1.1 404 /);
    }
    assertEquals(scene.mirrors.map(({ requests }) => requests.length), [1, 1]);
  });
});

Deno.test("Relay: a file that no database describes is downloaded with the length that a mirror reports", async () => {
  await Scene.with({ file, mirrors: [honest], isDescribed: false }, async (scene) => {
    assertSame((await download(scene.port, "/file", file.length)).body, file);
    assertMatch(scene.log.join("\n"), /not verified/);
  });
});

Deno.test("Relay: bytes of two versions of a database are never combined", async () => {
  const half: Behaviour = async (connection, asked, right) => {
    const text = `HTTP/1.1 200 OK\r\nContent-Length: ${right.length}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(text));
    if (asked.method === "GET") await connection.write(bytes(10_000, 9));
  };
  const parts = { file, mirrors: [half, honest], isDescribed: false, isPackage: false };
  await Scene.with(parts, async (scene) => {
    assertSame((await download(scene.port, "/core.db", file.length)).body, file);
    assertEquals(scene.mirrors.map(({ requests }) => requests), [["GET 0-"], ["GET 0-"]]);
  });
});

/** Returns a behaviour that sends another build with this date, and breaks off at a position in the file. */
function build(seed: number, date: string, breaksOffAt: number = Infinity): Behaviour {
  return async (connection, { method, range }, { length }) => {
    const from = range?.[0] ?? 0;
    const status = range === null ? "200 OK" : "206 Partial Content";
    const part = range === null ? "" : `Content-Range: bytes ${from}-${length - 1}/${length}\r\n`;
    await writeAll(
      connection,
      latin1(
        `HTTP/1.1 ${status}\r\n${part}Content-Length: ${
          length - from
        }\r\nLast-Modified: ${date}\r\n\r\n`,
      ),
    );
    if (method === "HEAD") return;
    const end = Math.min(length, breaksOffAt);
    for (let at = from; at < end; at += MIB / 4) {
      await writeAll(connection, bytes(length, seed).subarray(at, Math.min(end, at + MIB / 4)));
      if (breaksOffAt < length) await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };
}

const MONDAY = "Mon, 23 Nov 2026 10:00:00 GMT";
const TUESDAY = "Tue, 24 Nov 2026 10:00:00 GMT";

Deno.test("Relay: bytes of two builds are never combined, if no database describes the file", async (t) => {
  const broken = build(2, MONDAY, 2 * MIB);
  const one = bytes(file.length, 2);
  const other = bytes(file.length, 3);
  await t.step("the download starts again while pacman has no bytes", async () => {
    const parts = { file, mirrors: [broken, build(3, TUESDAY)], isDescribed: false };
    await Scene.with(parts, async (scene) => {
      assertSame((await download(scene.port, "/file", file.length)).body, other);
      assertEquals(scene.mirrors[1]?.requests, ["GET 0-"]);
    });
  });
  const exposed = { file, isDescribed: false, times: { mirrorHold: 50 } };
  await t.step("later, a mirror with another Last-Modified is ignored", async () => {
    const mirrors = [broken, build(3, TUESDAY), build(2, MONDAY)];
    await Scene.with({ ...exposed, mirrors }, async (scene) => {
      assertSame((await download(scene.port, "/file", file.length)).body, one);
      assertMatch(scene.log.join("\n"), /has another version of the file/);
    });
  });
  await t.step("without another mirror, the connection is closed", async () => {
    await Scene.with({ ...exposed, mirrors: [broken, build(3, TUESDAY)] }, async (scene) => {
      await assertRejects(() => download(scene.port, "/file", file.length), Error, "it breaks off");
    });
  });
});

Deno.test("Relay: a mirror does not complete a slow peer's copy, if no database describes the file", async () => {
  const times = { raceAfter: 200, race: 100, silence: 400 };
  const stalling: Behaviour = async (connection, { range }, right) => {
    await head(connection, { range }, right.length);
    await writeAll(connection, bytes(right.length, 2).subarray(0, MIB));
    await new Promise(() => {});
  };
  const parts = { file, peers: [stalling], mirrors: [honest], isDescribed: false, times };
  await Scene.with(parts, async (scene) => {
    assertSame((await download(scene.port, "/file", file.length)).body, file);
    assertEquals(scene.mirrors[0]?.requests, ["GET 0-"]);
  });
});

Deno.test("Failover: the log has each source that was left, with the reason, and the one that continues", async () => {
  const half: Behaviour = async (connection, asked, right) => {
    await head(connection, asked, right.length);
    await writeAll(connection, right.subarray(0, MIB));
  };
  const parts = { file, peers: [half], mirrors: [null, honest] };
  await Scene.with(parts, async (scene) => {
    assertSame((await download(scene.port, "/file", file.length)).body, file);
    const peer = nameOf(scene.peers[0]);
    const [dead, mirror] = scene.mirrors.map(({ url }) => `mirror ${new URL(url).host}`);
    const shares = `${peer} (${MIB}) and ${mirror} (${file.length - MIB})`;
    assertEquals(scene.log, [
      `file: ${peer} breaks off; ${dead} refuses connections; ${mirror} continues at byte ${MIB}`,
      `file: ${file.length} bytes from ${shares}, verified`,
    ]);
  });
});

Deno.test("SourceMemory: a peer is not used after three different wrong files in a row, but after one it is", async () => {
  const wrong = other((right) => right.toReversed());
  await Scene.with({ file, peers: [wrong], mirrors: [honest] }, async (scene) => {
    for (const name of ["one", "two", "three", "four", "one"]) {
      assertSame((await download(scene.port, `/${name}`, file.length)).body, file);
    }
    assertEquals(scene.peers[0]?.requests.length, 3);
  });
});

Deno.test("Relay: the rest of a file that no database describes is sent if the mirror refuses HEAD", async () => {
  const noHead: Behaviour = (connection, asked, right) =>
    asked.method === "HEAD"
      ? writeAll(connection, latin1("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))
      : honest(connection, asked, right);
  await Scene.with({ file, mirrors: [noHead], isDescribed: false }, async (scene) => {
    const { status, body } = await download(scene.port, "/file", file.length, MIB);
    assertEquals(status, 206);
    assertSame(body, file.subarray(MIB));
  });
});

Deno.test("Failover: when the correct file has arrived, only the source that sent wrong bytes is blamed", async () => {
  const half = file.length >> 1;
  const wrongHalf: Behaviour = async (connection, asked, right) => {
    await head(connection, asked, right.length);
    await writeAll(connection, right.subarray(0, half).map((byte) => byte ^ 1));
  };
  await Scene.with({ file, peers: [wrongHalf], mirrors: [honest] }, async (scene) => {
    const [peer] = scene.peers;
    assertSame((await download(scene.port, "/file", file.length)).body, file);
    assertEquals(scene.mirrors[0]?.requests, [`GET ${half}-`, "GET 0-"]);
    assertMatch(scene.log.join("\n"), new RegExp(`${nameOf(peer)} sent wrong bytes`));
    const digest = createHash("sha256").update(file).digest("hex");
    assert(!scene.memory.mayAsk(peer!.url, "file", digest), "the wrong copy may still be used");
    assert(
      scene.memory.mayAsk(peer!.url, "another", digest),
      "the peer is not used for other files",
    );
  });
});

Deno.test("Lifeline: a slow peer with another build is left when the mirror's first bytes differ", async () => {
  const otherBuild: Behaviour = (connection, asked, right) =>
    paced(100_000)(connection, asked, right.toReversed());
  // Without the comparison, the copy of the peer would take half a minute.
  const times = { raceAfter: 1e6, lifelineAfter: 1000, lifelineEvery: 800 };
  const parts = { file, peers: [otherBuild], mirrors: [honest], times };
  await Scene.with(parts, async (scene) => {
    const { body, took } = await download(scene.port, "/file", file.length);
    assertSame(body, file);
    assert(took < 8000, `${took} ms`);
    assertEquals(scene.mirrors[0]?.requests, ["GET 0-4095", "GET 0-"]);
  });
});

Deno.test("Lifeline: during the download of a slow peer's copy, the client gets the first bytes from a mirror", async () => {
  const times = { raceAfter: 1e6, lifelineAfter: 400, lifelineEvery: 400 };
  const parts = { file, peers: [paced(MIB)], mirrors: [honest], times };
  await Scene.with(parts, async (scene) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: scene.port });
    await writeAll(connection, latin1("GET /file HTTP/1.1\r\nHost: x\r\n\r\n"));
    const answer = new Uint8Array(4096);
    const body = (): Uint8Array =>
      answer.subarray(Buffer.from(answer).indexOf("\r\n\r\n") + 4, length);
    let length = 0;
    while (length < 64 || body().length < 32) {
      length += await connection.read(answer.subarray(length)) ?? 0;
    }
    assertSame(body().subarray(0, 32), file.subarray(0, 32));
    assert(scene.peers[0]!.sent < file.length, "the peer has already sent the whole file");
    assertEquals(scene.mirrors[0]?.requests, ["GET 0-4095"]);
  });
});

Deno.test("Relay: the package still arrives when the disk becomes full", async () => {
  using scratch = new Scratch();
  const { directory } = scratch;
  const mount = new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=8m", "tmpfs", directory],
  });
  assert((await mount.output()).success);
  try {
    const parts = { file, mirrors: [paced(MIB)], spools: directory, times: { mirrorHold: 100 } };
    await Scene.with(parts, async (scene) => {
      const downloading = download(scene.port, "/file", file.length);
      await until(() => scene.mirrors[0]!.sent > MIB / 2, "the mirror sends");
      const filler = await Deno.open(`${directory}/filler`, { write: true, create: true });
      const block = new Uint8Array(64 * 1024);
      while (await filler.write(block).then(() => true, () => false));
      filler.close();
      assertSame((await downloading).body, file);
    });
  } finally {
    await new Deno.Command("umount", { args: [directory] }).output();
  }
});

/** Returns the number of spools that this process has open. */
function openSpools({ spools }: Scene): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(`${spools}/`);
    } catch {
      // This entry is the directory that is being read.
      return false;
    }
  }).length;
}

function nameOf(source: { readonly url: string } | undefined): string {
  return `copy ${new URL(source?.url ?? "").host}`;
}

function assertSame(one: Uint8Array, two: Uint8Array): void {
  assertEquals([one.length, Buffer.compare(one, two)], [two.length, 0]);
}

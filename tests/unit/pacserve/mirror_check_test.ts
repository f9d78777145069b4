import { assertEquals } from "../../assert.ts";
import { checkMirror } from "../../../src/pacserve/mirror_check.ts";
import { client, closedServer, startMirror, startMirrorWith, startRaw } from "./mirror.ts";

function check(url: string, timeout = 5_000, self = ""): ReturnType<typeof checkMirror> {
  return checkMirror(url, {
    client,
    timeout,
    via: "1.1 test",
    self: { isAt: (each) => each.origin === self },
  });
}

async function verdict(url: string, timeout?: number): Promise<string> {
  return (await check(url, timeout)).verdict;
}

Deno.test("checkMirror: asks with HEAD and Via whether a mirror has a file", async () => {
  await using mirror = startMirrorWith("core.db");
  assertEquals(await verdict(`${mirror.server}/core.db`), "has");
  assertEquals(await verdict(`${mirror.server}/extra.db`), "lacks");
  assertEquals(mirror.asked, ["HEAD /core/core.db", "HEAD /core/extra.db"]);
  assertEquals(mirror.headers[0]?.get("Via"), "1.1 test");
});

for (const status of [400, 403, 405, 501]) {
  Deno.test(`checkMirror: requests one byte if the server answers HEAD with ${status}`, async () => {
    await using mirror = startMirror((request) =>
      request.method === "HEAD"
        ? new Response(null, { status })
        : new Response("d", { status: 206, headers: { "Content-Range": "bytes 0-0/4" } })
    );
    assertEquals(await verdict(`${mirror.server}/core.db`), "has");
    assertEquals(mirror.asked, ["HEAD /core/core.db", "GET /core/core.db"]);
    assertEquals(mirror.headers[1]?.get("Range"), "bytes=0-0");
  });
}

Deno.test("checkMirror: does not read an endless body", async () => {
  await using mirror = startMirror((request) => {
    if (request.method === "HEAD") return new Response(null, { status: 405 });
    return new Response(
      new ReadableStream({
        pull(controller): void {
          controller.enqueue(new Uint8Array(65_536));
        },
      }),
    );
  });
  assertEquals(await verdict(`${mirror.server}/core.db`), "has");
});

const statuses: readonly [number, string][] = [
  [200, "has"],
  [206, "has"],
  [416, "has"],
  [400, "lacks"],
  [401, "lacks"],
  [403, "lacks"],
  [404, "lacks"],
  [410, "lacks"],
  [508, "loops"],
  [300, "fails"],
  [429, "fails"],
  [500, "fails"],
  [503, "fails"],
];
for (const [status, expected] of statuses) {
  Deno.test(`checkMirror: the verdict for status ${status} is \`${expected}\``, async () => {
    await using mirror = startMirror(() => new Response(null, { status }));
    assertEquals(await verdict(`${mirror.server}/core.db`), expected);
  });
}

Deno.test("checkMirror: an HTML page is not the file", async () => {
  await using portal = startMirror(() =>
    new Response("<h1>Log in</h1>", { headers: { "Content-Type": "text/html; charset=utf-8" } })
  );
  assertEquals(await verdict(`${portal.server}/core.db`), "lacks");
});

Deno.test("checkMirror: follows redirects, also relative ones and to another host", async () => {
  await using second = startMirror((request) =>
    new URL(request.url).pathname === "/a"
      ? new Response(null, { status: 302, headers: { Location: "b" } })
      : new Response("data")
  );
  await using first = startMirror(() =>
    new Response(null, { status: 301, headers: { Location: `${second.origin}/a` } })
  );
  assertEquals(await verdict(`${first.server}/core.db`), "has");
  assertEquals(second.asked, ["HEAD /a", "HEAD /b"]);
});

Deno.test("checkMirror: refuses redirects to this server, to another scheme, and in a circle", async () => {
  await using circle = startMirror(() =>
    new Response(null, { status: 307, headers: { Location: "/again" } })
  );
  assertEquals(await verdict(`${circle.server}/x`), "fails");
  await using local = startMirror(() =>
    new Response(null, { status: 307, headers: { Location: "file:///etc/passwd" } })
  );
  assertEquals(await verdict(`${local.server}/x`), "fails");
  await using mine = startMirror(() =>
    new Response(null, { status: 307, headers: { Location: "http://me:15678/" } })
  );
  const result = await check(`${mine.server}/x`, 5_000, "http://me:15678");
  assertEquals(result, { verdict: "loops", reason: "redirects to this server" });
});

Deno.test("checkMirror: sends credentials only to the mirror, and does not write them to the reason", async () => {
  await using other = startMirrorWith("x");
  await using mirror = startMirror((request) =>
    request.headers.get("Authorization") === `Basic ${btoa("user:se@cret")}`
      ? new Response(null, { status: 302, headers: { Location: `${other.origin}/x` } })
      : new Response(null, { status: 401 })
  );
  const server = mirror.server.replace("//", "//user:se%40cret@");
  assertEquals(await verdict(`${server}/x`), "has");
  assertEquals(other.headers[0]?.get("Authorization"), null);

  const closed = await check(`${closedServer().replace("//", "//user:se%40cret@")}/x`);
  assertEquals(closed, { verdict: "fails", reason: "refuses connections" });
});

Deno.test("checkMirror: a server that never answers fails after the time limit", async () => {
  await using silent = startRaw("");
  const started = performance.now();
  assertEquals(await check(`${silent.server}/x`, 50), {
    verdict: "fails",
    reason: "does not answer",
  });
  assertEquals(performance.now() - started < 5_000, true);
});

Deno.test("checkMirror: invalid HTTP and missing TLS fail", async () => {
  await using garbage = startRaw("garbage\r\n\r\n");
  assertEquals(await verdict(`${garbage.server}/x`), "fails");
  assertEquals(await verdict(garbage.server.replace("http:", "https:")), "fails");
});

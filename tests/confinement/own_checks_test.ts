/** Tests our own checks alone: the handlers run in this process, which may read every file. */

import { assert, assertEquals } from "../assert.ts";
import { readText } from "../reply.ts";
import { makeRequest } from "../request.ts";
import { configurationOf, handlersOf } from "../server_configuration.ts";
import { hostilePaths } from "../unit/quickserve/hostile_paths.ts";
import { share, treeOf } from "../unit/quickserve/trees.ts";
import { inScratch, shell, writeFiles } from "../scratch.ts";

const SECRET = "what nobody may read";

Deno.test("Handlers.answer: no hostile path gets a file outside the shares, even without the runtime's sandbox", async () => {
  assertEquals((await Deno.permissions.query({ name: "read" })).state, "granted");
  const passwd = await Deno.readTextFile("/etc/passwd");
  await inScratch(async (top) => {
    writeFiles(top, { "secret": SECRET, "s/a/b": "open", "s/.hidden": SECRET, "out/x": SECRET });
    shell(
      top,
      `mkfifo s/fifo; ln -s ../secret s/file-link; ln -s ../out s/link; ln -s / s/root
       ln -s /dev/zero s/zero; ln -s /proc/self/environ s/environ`,
    );
    const handlers = await handlersOf(configurationOf({ tree: treeOf([share("s", `${top}/s`)]) }));
    const more = ["/s/root/etc/passwd", "/s/zero", "/s/environ", "/s/link/x", "/s/file-link/"];
    const targets = [...hostilePaths, ...more];
    assert(targets.length >= 150, `${targets.length} targets`);
    for (const target of targets) {
      for (const headers of [{}, { range: "bytes=0-9" }, { accept: "application/json" }]) {
        const host = { host: "127.0.0.1", ...headers };
        const connection = { remoteAddress: "127.0.0.1" };
        const reply = await handlers.answer(makeRequest({ target, headers: host, connection }));
        const text = await readText(reply);
        assert(!text.includes(SECRET) && !text.includes(passwd), `${target} got out`);
        assert(reply.status < 500, `${target}: ${reply.status}`);
      }
    }
    for (const archive of ["/s/?tar=none", "/s/?tar=zip"]) {
      const headers = { host: "127.0.0.1" };
      const connection = { remoteAddress: "127.0.0.1" };
      const text = await readText(
        await handlers.answer(makeRequest({ target: archive, headers, connection })),
      );
      assert(text.includes("open") && !text.includes(SECRET), archive);
    }
    handlers.close();
  });
});

Deno.test("Handlers.answer: FIFOs, sockets and devices in a share are not served or listed", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/file": "open" });
    shell(top, "mkfifo s/fifo; mknod s/null c 1 3 2>/dev/null || ln -s /dev/null s/null");
    using socket = Deno.listen({ transport: "unix", path: `${top}/s/socket` });
    assertEquals(socket.addr.transport, "unix");
    const handlers = await handlersOf(configurationOf({ tree: treeOf([share("s", `${top}/s`)]) }));
    const headers = { host: "127.0.0.1", accept: "application/json" };
    const connection = { remoteAddress: "127.0.0.1" };
    for (const name of ["fifo", "socket", "null"]) {
      const target = `/s/${name}`;
      const reply = await handlers.answer(makeRequest({ target, headers, connection }));
      assertEquals([name, reply.status], [name, 404]);
    }
    const target = "/s/?mimetype=application/json";
    const listing = await readText(
      await handlers.answer(makeRequest({ target, headers, connection })),
    );
    assert(listing.includes("file") && !/fifo|socket|null"/.test(listing), listing);
    handlers.close();
  });
});

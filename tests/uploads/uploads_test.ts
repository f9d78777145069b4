/** Uploads over real connections to a real process: curl, clients that leave, servers that die. */

import { connect, type Socket } from "node:net";
import { isUploadTemporary } from "../../src/quickserve/uploads/temporary.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { eventually, RunningProgram } from "../lan/process.ts";
import { curl, Inbox } from "./inbox.ts";
import { inScratch } from "../scratch.ts";

const MIB = 1 << 20;

/** Writes bytes to a server, and discards its answer. */
async function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

function write(socket: Socket, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => socket.write(data, () => resolve()));
}

Deno.test("uploads: curl -T and curl -F store files with names of all kinds, with and without a length", () =>
  inScratch((directory) =>
    inScratch(async (source) => {
      await using inbox = await Inbox.start(directory);
      const content = crypto.getRandomValues(new Uint8Array(65536)).join(" ");
      const file = `${source}/foo-1:2.0+r1-1-any.pkg.tar.zst`;
      await Deno.writeTextFile(file, content);
      assertEquals((await curl("-T", file, inbox.url("/"))).status, 201);
      assertEquals((await curl("-T", file, inbox.url("/sp%20ace%25"))).status, 201);
      const chunked = ["-H", "Transfer-Encoding: chunked", "-H", "Expect:"];
      assertEquals((await curl(...chunked, "-T", file, inbox.url("/chunked"))).status, 201);
      const form = ["-F", `file=@${file};filename=ä ✓.txt`, "-F", `x=@${file};filename=b"c`];
      const posted = await curl(...form, "-H", "Accept: application/json", inbox.url("/any/where"));
      assertEquals(posted.status, 201);
      const uploaded: { name: string; size: number }[] = JSON.parse(posted.body).uploaded;
      assertEquals(uploaded.map(({ size }) => size), [content.length, content.length]);
      const names = inbox.names();
      assertEquals(names.length, 5, names.join());
      for (const name of ["foo-1:2.0+r1-1-any.pkg.tar.zst", "sp ace%", "chunked", "ä ✓.txt"]) {
        assert(names.includes(name), name);
      }
      for (const name of names) {
        assertEquals(await Deno.readTextFile(`${directory}/${name}`), content, name);
      }
    })
  ));

Deno.test("uploads: a file that is too large is refused before its first byte, or during the transfer", () =>
  inScratch((directory) =>
    inScratch(async (source) => {
      await using inbox = await Inbox.start(directory, { maximumSize: MIB });
      const big = `${source}/big`;
      await Deno.writeFile(big, new Uint8Array(8 * MIB));
      const sent = "%{size_upload}\n%{http_code}";
      const declared = await curl("-T", big, "-w", sent, inbox.url("/"));
      assertEquals(declared.status, 413);
      assertStringIncludes(declared.body, "1048576 bytes");
      assert(declared.body.endsWith("0"), declared.body);
      const chunked = ["-H", "Transfer-Encoding: chunked", "-H", "Expect:"];
      assertEquals((await curl(...chunked, "-T", big, inbox.url("/"))).status, 413);
      const form = await curl("-F", `a=@${big}`, "-F", "b=@/dev/null;filename=b", inbox.url("/"));
      assertEquals(form.status, 413);
      assertEquals(inbox.names(), ["b"]);
    })
  ));

Deno.test("uploads: a client that leaves after any number of bytes leaves no file", () =>
  inScratch(async (directory) => {
    await using inbox = await Inbox.start(directory);
    const open = 'Content-Disposition: form-data; name="f"; filename="b"';
    const heads = [
      "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n",
      "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2dc6c0\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n" +
      `Content-Type: multipart/form-data; boundary=z\r\n\r\n--z\r\n${open}\r\n\r\n`,
    ];
    for (const head of heads) {
      // The parser of forms holds back bytes that may be the start of a boundary.
      const shortest = head.startsWith("PUT") ? [0, 1] : [];
      for (const length of [...shortest, 1000, 65_536, 100_000, 1_000_000, 2_999_000]) {
        for (const reset of [false, true]) {
          const socket = await dial(inbox.port);
          await write(socket, head);
          await write(socket, new Uint8Array(length));
          // Wait until the upload has begun, because otherwise there is nothing to abort.
          await eventually("an unfinished file", () => inbox.names().some(isUploadTemporary));
          if (reset) socket.resetAndDestroy();
          else socket.destroy();
          await eventually("an empty directory", () => inbox.names().length === 0);
        }
      }
    }
    assert(!inbox.program.output.includes("failed"), inbox.program.output);
  }));

Deno.test("uploads: the next server removes the files that a killed one leaves", () =>
  inScratch(async (directory) => {
    for (const length of [0, 10, 100_000, 2_000_000]) {
      await using inbox = await Inbox.start(directory);
      assertEquals(inbox.names().filter(isUploadTemporary), []);
      const socket = await dial(inbox.port);
      await write(socket, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
      await write(socket, new Uint8Array(length));
      await eventually("an unfinished file", () => inbox.names().some(isUploadTemporary));
      await inbox.program.kill();
      socket.destroy();
      const left = [...Deno.readDirSync(directory)].map(({ name }) => name);
      assert(left.length === 1 && left.every(isUploadTemporary), left.join());
    }
    await using next = await Inbox.start(directory);
    assertEquals(next.swept, 1);
    assertEquals(next.names(), []);
  }));

Deno.test("uploads: a second server in the same directory does not remove the upload of the first one", () =>
  inScratch(async (directory) => {
    await using first = await Inbox.start(directory);
    const socket = await dial(first.port);
    await write(socket, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234");
    await eventually("an unfinished file", () => first.names().some(isUploadTemporary));
    await using second = await Inbox.start(directory);
    assertEquals(second.swept, 0);
    await write(socket, "56789");
    await eventually("the whole file", () => first.names().join() === "a");
    assertEquals(await Deno.readTextFile(`${directory}/a`), "0123456789");
    socket.destroy();
  }));

Deno.test("uploads: a full disk gives 507, no file is left, and a smaller one can be stored", () =>
  inScratch((directory) =>
    inScratch(async (source) => {
      const mount = `mount -t tmpfs -o size=1m none "${directory}"`;
      await using inbox = await Inbox.start(directory, {}, mount);
      await Deno.writeFile(`${source}/big`, new Uint8Array(2 * MIB));
      const put = await curl("-T", `${source}/big`, inbox.url("/"));
      assertEquals(put.status, 507);
      assertStringIncludes(put.body, "disk of the server is full");
      assertEquals(inbox.names(), []);
      await Deno.writeFile(`${source}/small`, new Uint8Array(MIB / 2));
      const files = ["-F", `a=@${source}/big`, "-F", `b=@${source}/small`];
      const form = await curl(...files, "-H", "Accept: application/json", inbox.url("/"));
      assertEquals(form.status, 507);
      assertEquals(JSON.parse(form.body).uploaded[0].name, "small");
      assertEquals(JSON.parse(form.body).failed[0].name, "big");
      assertEquals(inbox.names(), ["small"]);
    })
  ));

/**
 * Repeatedly frees the space of unfinished uploads (by punching holes), so that a test of memory does not need
 * gigabytes of disk, nor the time to write them. If the file system does not support that, it needs both.
 */
function punchHoles(directory: string, size: number): RunningProgram {
  const punch = `fallocate --punch-hole --offset 0 --length ${size} "$file"`;
  const loop = `while sleep 0.1; do for file in "$0"/.*.part; do ${punch}; done; done 2>/dev/null`;
  return new RunningProgram(["sh", "-c", loop, directory]);
}

Deno.test("uploads: 4 GiB need no more memory than an empty file, in each form of upload", () =>
  inScratch((directory) =>
    inScratch(async (source) => {
      const size = 4096 * MIB;
      const file = `${source}/sparse`;
      (await Deno.open(file, { write: true, createNew: true })).close();
      await Deno.truncate(file, size);
      await using inbox = await Inbox.start(directory);
      await using _holes = punchHoles(directory, size);
      assertEquals((await curl("-F", "a=@/dev/null;filename=warm", inbox.url("/"))).status, 201);
      const before = inbox.peakMemory();
      for (const args of [["-T", file, inbox.url("/a")], ["-F", `f=@${file}`, inbox.url("/")]]) {
        assertEquals((await curl(...args)).status, 201);
        const [name = ""] = inbox.names().filter((each) => each !== "warm");
        assertEquals((await Deno.stat(`${directory}/${name}`)).size, size);
        await Deno.remove(`${directory}/${name}`);
      }
      const grown = inbox.peakMemory() - before;
      assert(grown < 64, `${grown} MiB more`);
    })
  ));

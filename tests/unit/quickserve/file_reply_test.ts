import type { Reply, RequestHeaders } from "../../../src/http/exchange.ts";
import { loadMediaTypes } from "../../../src/quickserve/content_type.ts";
import { FileReplies } from "../../../src/quickserve/file_reply.ts";
import { SharedTree } from "../../../src/quickserve/tree.ts";
import { assert, assertEquals, assertNotEquals, assertRejects } from "../../assert.ts";
import { makeRequest } from "../../request.ts";
import { readBody, readText } from "../../reply.ts";
import { share, treeOf } from "./trees.ts";
import { inScratch } from "../../scratch.ts";

type Get = (name: string, headers?: RequestHeaders, method?: string) => Reply;

/** Runs a test with files under a share, and a function that requests one of them. */
function withFiles(
  files: Readonly<Record<string, Uint8Array | string>>,
  body: (get: Get, directory: string) => Promise<void> | void,
): Promise<void> {
  return inScratch(async (directory) => {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      Deno.writeFileSync(`${directory}/${name}`, bytes);
    }
    const tree = new SharedTree(treeOf([share("", directory)]));
    const replies = new FileReplies(tree, "cache");
    await loadMediaTypes();
    try {
      await body((name, headers = {}, method = "GET") => {
        const file = tree.lookup([name]);
        assert(file?.kind === "file");
        const reply = replies.reply(
          file,
          makeRequest({ target: "/" + name, headers, method: method ?? "GET" }),
        );
        assert(reply !== null && !(reply instanceof Promise));
        return reply;
      }, directory);
    } finally {
      replies.close();
    }
  });
}

/** Returns varying bytes, too many for the cache in memory. */
function bigContent(): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(600_000);
  for (let index = 0; index < words.length; index++) words[index] = index * 2654435761;
  return new Uint8Array(words.buffer);
}

/** Returns the parts of a multipart/byteranges body: their `Content-Range` and content. */
function partsOf(reply: Reply, body: Uint8Array): { range: string; content: string }[] {
  const text = Array.from(body, (byte) => String.fromCharCode(byte)).join("");
  const boundary = /boundary=(\S+)$/.exec(String(reply.headers["Content-Type"]))?.[1];
  assert(boundary !== undefined);
  const parts = text.split(`--${boundary}`);
  assertEquals(parts.at(-1), "--\r\n");
  return parts.slice(1, -1).map((part) => {
    const [head = "", ...rest] = part.split("\r\n\r\n");
    const range = /^Content-Range: (.*)$/m.exec(head)?.[1]?.trim() ?? "";
    return { range, content: rest.join("\r\n\r\n").slice(0, -2) };
  });
}

const latin1 = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

Deno.test("FileReplies: GET and HEAD of a small and a big file have header and content", () => {
  const big = bigContent();
  return withFiles({ "a.txt": "hello", "big.bin": big, empty: "" }, async (get, directory) => {
    for (const [name, content] of [["a.txt", "hello"], ["empty", ""]] as const) {
      const reply = get(name);
      assertEquals(reply.status, 200);
      assertEquals(await readText(reply), content);
      assertEquals(reply.headers["Content-Length"], String(content.length));
    }
    const reply = get("big.bin");
    assertEquals(await readBody(reply), big);
    assertEquals(reply.headers["Content-Length"], String(big.length));
    const info = Deno.statSync(`${directory}/big.bin`);
    assertEquals(reply.headers["Last-Modified"], info.mtime?.toUTCString());
    const head = get("big.bin", { range: "bytes=0-1" }, "HEAD");
    assertEquals([head.status, head.body], [200, null]);
    assertEquals(head.headers, reply.headers);
    const text = get("a.txt").headers;
    assertEquals(text["Content-Type"], "text/plain; charset=UTF-8");
    assertEquals(text["Accept-Ranges"], "bytes");
    assert(String(text["Content-Security-Policy"]).startsWith("sandbox"));
  });
});

Deno.test("FileReplies: single ranges are right, from memory and from the file", () => {
  const big = bigContent();
  const small = big.slice(0, 1000);
  return withFiles({ small, big }, async (get) => {
    for (const [name, content] of [["small", small], ["big", big]] as const) {
      const size = content.length;
      for (
        const [field, start, end] of [
          ["bytes=0-0", 0, 0],
          ["bytes=10-99", 10, 99],
          [`bytes=${size - 1}-`, size - 1, size - 1],
          ["bytes=-7", size - 7, size - 1],
          [`bytes=-${size * 2}`, 0, size - 1],
          [`bytes=5-${size * 2}`, 5, size - 1],
          ["bytes=0-9, 5-19,20-29", 0, 29],
        ] as const
      ) {
        const reply = get(name, { range: field });
        assertEquals(reply.status, 206, field);
        assertEquals(reply.headers["Content-Range"], `bytes ${start}-${end}/${size}`);
        assertEquals(reply.headers["Content-Length"], String(end - start + 1));
        assertEquals(await readBody(reply), content.slice(start, end + 1));
      }
      for (const field of [`bytes=${size}-`, "bytes=-0", `bytes=${size + 5}-${size + 9}`]) {
        const reply = get(name, { range: field });
        assertEquals(reply.status, 416, field);
        assertEquals(reply.headers["Content-Range"], `bytes */${size}`);
        await readBody(reply);
      }
      const many = Array.from({ length: 1000 }, (_, index) => `${index}-${index}`).join(",");
      for (const field of ["bytes=a-b", "lines=1-2", "bytes=9-1", "bytes=", `bytes=${many}`]) {
        const reply = get(name, { range: field });
        assertEquals(reply.status, 200, field);
        await readBody(reply);
      }
    }
  });
});

Deno.test("FileReplies: several ranges are sent as multipart/byteranges of the announced length", () => {
  const big = bigContent();
  const small = big.slice(0, 1000);
  return withFiles({ small, big }, async (get) => {
    for (const [name, content] of [["small", small], ["big", big]] as const) {
      const size = content.length;
      const reply = get(name, { range: "bytes=0-9,500-599,-3" });
      assertEquals(reply.status, 206);
      assertEquals(reply.headers["Content-Range"], undefined);
      const body = await readBody(reply);
      assertEquals(reply.headers["Content-Length"], String(body.length));
      assertEquals(partsOf(reply, body), [
        { range: `bytes 0-9/${size}`, content: latin1(content.slice(0, 10)) },
        { range: `bytes 500-599/${size}`, content: latin1(content.slice(500, 600)) },
        { range: `bytes ${size - 3}-${size - 1}/${size}`, content: latin1(content.slice(-3)) },
      ]);
    }
  });
});

Deno.test("FileReplies: the file of a multipart body is closed when the client disconnects", () =>
  withFiles({ big: bigContent() }, async (get) => {
    // The test runner detects leaks: a file that is still open at the end fails the test.
    const unread = get("big", { range: "bytes=0-9,100-109" }).body;
    assert(unread !== null && Symbol.asyncIterator in unread);
    await unread[Symbol.asyncIterator]().return?.();
    const begun = get("big", { range: "bytes=0-9,100-109" }).body;
    assert(begun !== null && Symbol.asyncIterator in begun);
    for await (const _ of begun) break;
  }));

Deno.test("FileReplies: conditional requests get 304, 412 or the file", () =>
  withFiles({ a: "content" }, (get, directory) => {
    const past = new Date("2020-02-02T02:02:02Z");
    Deno.utimeSync(`${directory}/a`, past, past);
    const { ETag: etag, "Last-Modified": modified } = get("a").headers;
    assert(typeof etag === "string" && typeof modified === "string");
    const later = "Thu, 06 Feb 2020 08:49:37 GMT";
    const earlier = "Sun, 06 Nov 1994 08:49:37 GMT";
    const table: [RequestHeaders, number][] = [
      [{ "if-none-match": etag }, 304],
      [{ "if-none-match": `"x", W/${etag}` }, 304],
      [{ "if-none-match": "*" }, 304],
      [{ "if-none-match": '"x"' }, 200],
      [{ "if-modified-since": modified }, 304],
      [{ "if-modified-since": later }, 304],
      [{ "if-modified-since": earlier }, 200],
      [{ "if-modified-since": "yesterday" }, 200],
      [{ "if-none-match": '"x"', "if-modified-since": later }, 200],
      [{ "if-match": etag }, 200],
      [{ "if-match": `W/${etag}` }, 412],
      [{ "if-match": '"x"' }, 412],
      [{ "if-match": '"x"', "if-none-match": etag }, 412],
      [{ "if-match": etag, "if-unmodified-since": earlier }, 200],
      [{ "if-unmodified-since": earlier }, 412],
      [{ "if-unmodified-since": modified }, 200],
      [{ range: "bytes=0-1", "if-range": etag }, 206],
      [{ range: "bytes=0-1", "if-range": '"x"' }, 200],
      [{ range: "bytes=0-1", "if-range": `W/${etag}` }, 200],
      [{ range: "bytes=0-1", "if-range": modified }, 206],
      [{ range: "bytes=0-1", "if-range": later }, 200],
      [{ range: "bytes=99-", "if-range": '"x"' }, 200],
      [{ range: "bytes=99-", "if-none-match": etag }, 304],
    ];
    for (const [headers, status] of table) {
      for (const method of ["GET", "HEAD"]) {
        const expected = method === "HEAD" && status === 206 ? 200 : status;
        const reply = get("a", headers, method);
        assertEquals(reply.status, expected, JSON.stringify(headers));
        if (status !== 412) assertEquals(reply.headers["ETag"], etag);
        if (status === 304) assertEquals(reply.body, null);
      }
    }
  }));

Deno.test("FileReplies: a replaced or truncated file is sent in its present state, also if it was cached", () =>
  withFiles({ a: "first" }, async (get, directory) => {
    const path = `${directory}/a`;
    const past = new Date(Date.now() - 60_000);
    Deno.utimeSync(path, past, past);
    const first = get("a");
    // A file is cached when its inode has not changed for two seconds: then the same buffer is sent again.
    const deadline = Date.now() + 10_000;
    let kept = false;
    while (!kept && Date.now() < deadline) {
      kept = get("a").body === get("a").body;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert(kept, "the file is never kept");
    assertEquals(await readText(get("a", { range: "bytes=1-2" })), "ir");
    assertEquals(get("a", { "if-none-match": String(first.headers["ETag"]) }).status, 304);

    Deno.writeTextFileSync(`${directory}/new`, "other");
    Deno.utimeSync(`${directory}/new`, past, past);
    Deno.renameSync(`${directory}/new`, path);
    const second = get("a");
    assertEquals(await readText(second), "other");
    assertNotEquals(second.headers["ETag"], first.headers["ETag"]);

    Deno.writeTextFileSync(path, "again");
    Deno.utimeSync(path, past, past);
    assertEquals(await readText(get("a")), "again");
    Deno.truncateSync(path, 2);
    assertEquals(await readText(get("a")), "ag");
    assertEquals(get("a").headers["Content-Length"], "2");
  }));

Deno.test("FileReplies: truncating a file while it is sent breaks the transfer", () =>
  withFiles({ big: bigContent() }, async (get, directory) => {
    const whole = get("big");
    const several = get("big", { range: "bytes=0-9,2000000-2000009" });
    Deno.truncateSync(`${directory}/big`, 100);
    await assertRejects(() => readBody(whole));
    await assertRejects(() => readBody(several));
  }));

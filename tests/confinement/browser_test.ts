/** Tests, with the real program, that a page of another site cannot attack the server via a browser. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { rawExchange, statusOf } from "../listening.ts";
import { type RunningServer, startServer } from "../running_server.ts";
import { inScratch, shell, writeFiles } from "../scratch.ts";

const HOST = "Host: 127.0.0.1\r\n";
const CLOSE = "Connection: close\r\n";
const MESSAGE = `json=${encodeURIComponent('{"type":"file check","paths":["s/page.html"]}')}`;

function post(body: string, headers: string, target = "/"): string {
  return `POST ${target} HTTP/1.1\r\n${HOST}${CLOSE}${headers}` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
}

function get(target: string, headers = ""): string {
  return `GET ${target} HTTP/1.1\r\n${HOST}${CLOSE}${headers}\r\n`;
}

const URLENCODED = "Content-Type: application/x-www-form-urlencoded\r\n";
const FORM = "Content-Type: multipart/form-data; boundary=b\r\n";
const FILE = '--b\r\nContent-Disposition: form-data; name="f"; filename="a.html"\r\n\r\n' +
  "<script>alert(1)</script>\r\n--b--\r\n";

/** A request of each kind, and the status of its reply. */
const kinds: readonly (readonly [string, string, number])[] = [
  ["a listing", get("/", "Accept: text/html\r\n"), 200],
  ["a listing as data", get("/s/?mimetype=application/json"), 200],
  ["a listing as text", get("/s/?mimetype=text/plain"), 200],
  ["a file", get("/s/page.html"), 200],
  ["a range", get("/s/page.html", "Range: bytes=0-3\r\n"), 206],
  ["ranges", get("/s/page.html", "Range: bytes=0-1,4-5\r\n"), 206],
  ["a range too far", get("/s/page.html", "Range: bytes=999999-\r\n"), 416],
  ["a condition", get("/s/page.html", "If-None-Match: *\r\n"), 304],
  ["a failed condition", get("/s/page.html", 'If-Match: "x"\r\n'), 412],
  ["a redirect to a directory", get("/s"), 301],
  ["a tar archive", get("/s/?tar=none"), 200],
  ["a zip archive", get("/s/?tar=zip"), 200],
  ["the page of peers", get("/?page=peers", "Accept: text/html\r\n"), 200],
  ["the form for uploads", get("/?page=upload", "Accept: text/html\r\n"), 200],
  ["an upload by form", post(FILE, FORM), 201],
  ["an upload by PUT", `PUT /b.html HTTP/1.1\r\n${HOST}${CLOSE}Content-Length: 1\r\n\r\nx`, 201],
  ["an uploaded page", get("/up/b.html"), 200],
  ["a message of a peer", post(MESSAGE, URLENCODED), 200],
  ["a broken message", post("json=%7B", URLENCODED), 400],
  ["a missing file", get("/nothing", "Accept: text/html\r\n"), 404],
  ["a malformed path", get("/%2e%2e/x"), 400],
  ["an unknown method", `DELETE / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 405],
  ["another site's name", "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 403],
  ["the server as a whole", `OPTIONS * HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 204],
  [
    "the server as a whole by another site's name",
    `OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n${CLOSE}\r\n`,
    403,
  ],
  ["an expectation", get("/", "Expect: nothing\r\n"), 417],
  ["no Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
  ["something that is not HTTP", "\x16\x03\x01\r\n\r\n", 400],
  ["a target too long", get(`/${"a".repeat(20_000)}`), 414],
  ["a head too large", get("/", `X: ${"x".repeat(40_000)}\r\n`), 431],
  ["another protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
];

async function inServer(use: (server: RunningServer) => Promise<void>): Promise<void> {
  await inScratch(async (top) => {
    writeFiles(top, { "s/page.html": "<script>alert(document.domain)</script>", "up/old": "old" });
    const words = [`${top}/s`, `${top}/up`, "--upload", `${top}/up`, "--tar", "none", "--tar"];
    await using server = await startServer("quickserve", [...words, "zip"]);
    await use(server);
  });
}

function headOf(reply: string): string {
  return reply.slice(0, reply.indexOf("\r\n\r\n"));
}

function namesOf(head: string): string[] {
  const names = head.split("\r\n").slice(1).map((line) => line.split(":")[0]?.toLowerCase() ?? "");
  return names.filter((name) => name !== "vary" && name !== "www-authenticate");
}

Deno.test("X-Frame-Options, Cross-Origin-Resource-Policy, nosniff: every kind of reply has them", async () => {
  await inServer(async ({ port }) => {
    for (const [kind, request, status] of kinds) {
      const reply = await rawExchange(port, request);
      assertEquals([kind, statusOf(reply)], [kind, status]);
      const head = headOf(reply);
      assert(/^X-Content-Type-Options: nosniff\r?$/im.test(head), `${kind}: ${head}`);
      assert(/^X-Frame-Options: DENY\r?$/im.test(head), `${kind}: ${head}`);
      assert(/^Cross-Origin-Resource-Policy: same-origin\r?$/im.test(head), `${kind}: ${head}`);
      assertEquals(new Set(namesOf(head)).size, namesOf(head).length, `${kind} repeats: ${head}`);
      assert(!/^Access-Control-Allow-/im.test(head), `${kind} is open to other sites`);
    }
  });
});

Deno.test("Cross-Origin-Resource-Policy: other sites may load shared images, styles and media, and nothing else", async () => {
  await inScratch(async (top) => {
    const open = ["a.png", "a.svg", "a.css", "a.mp4", "a.ogg"];
    const closed = ["a.html", "a.js", "a.json", "a.txt", "a.pdf", "a.pkg.tar.zst", "a"];
    writeFiles(top, Object.fromEntries([...open, ...closed].map((name) => [`s/${name}`, "x"])));
    // With --root the pages are not sandboxed, so they can load their own files without an exception.
    for (const words of [[`${top}/s`], ["--root", top]]) {
      await using server = await startServer("quickserve", words);
      for (const name of [...open, ...closed]) {
        const head = headOf(await rawExchange(server.port, get(`/s/${name}`)));
        const policy = /^Cross-Origin-Resource-Policy: (.*)$/im.exec(head)?.[1];
        const isOpen = words.length === 1 && open.includes(name);
        assertEquals([name, policy], [name, isOpen ? "cross-origin" : "same-origin"]);
      }
    }
  });
});

Deno.test("Content-Security-Policy: shared and uploaded files run no script with the server's origin", async () => {
  await inServer(async ({ port }) => {
    await rawExchange(port, post(FILE, FORM));
    for (const target of ["/s/page.html", "/up/a.html"]) {
      const policy = /^Content-Security-Policy: (.*)$/im
        .exec(headOf(await rawExchange(port, get(target))))?.[1] ?? "";
      assert(/^sandbox(;|$)/.test(policy) && !policy.includes("allow-"), `${target}: ${policy}`);
    }
    for (const target of ["/", "/?page=upload", "/?page=peers", "/nothing"]) {
      const reply = await rawExchange(port, get(target, "Accept: text/html\r\n"));
      const policy = /^Content-Security-Policy: (.*)$/im.exec(headOf(reply))?.[1] ?? "";
      assert(/default-src 'none'|script-src|sandbox/.test(policy), `${target}: ${policy}`);
      assert(!policy.includes("unsafe-inline' 'unsafe-eval"), policy);
    }
  });
});

Deno.test("--root: its pages may run script, but not those of a shared directory or a --filelist", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/page.html": "page", "list.json": `{"/": ["${top}/s"]}` });
    for (
      const [words, directory, sandboxed] of [
        [["--root", `${top}/s`], top, false],
        [["--filelist", `${top}/list.json`], top, true],
        [[], `${top}/s`, true],
      ] as const
    ) {
      await using server = await startServer("quickserve", words, { directory });
      const reply = await rawExchange(server.port, get("/page.html"));
      assertEquals(statusOf(reply), 200);
      const policy = /^Content-Security-Policy: (.*)$/im.exec(headOf(reply))?.[1] ?? "";
      assertEquals([words, policy.startsWith("sandbox")], [words, sandboxed]);
    }
  });
});

Deno.test("--root: files that were uploaded into the website run no script", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/page.html": "page", "s/upside.html": "page", "linked/page.html": "page" });
    shell(top, "mkdir s/up elsewhere; ln -s s/up way; ln -s ../elsewhere s/out; ln -s up s/in");
    shell(top, "ln -s up/new.html s/new.html; ln -s ../linked/page.html s/linked.html");
    for (
      const [upload, own, others] of [
        ["s/up", ["page", "upside"], ["up/new", "in/new", "new", "linked"]],
        ["way", ["page", "upside"], ["up/new", "in/new", "new", "linked"]],
        ["elsewhere", ["page", "up/new"], ["out/new", "linked"]],
        ["s", [], ["page", "new", "up/new"]],
      ] as const
    ) {
      const words = ["--root", `${top}/s`, "--follow-links", "--upload", `${top}/${upload}`];
      await using server = await startServer("quickserve", [...words, "--allow-overwrite"]);
      const put = `PUT /new.html HTTP/1.1\r\n${HOST}${CLOSE}Content-Length: 1\r\n\r\nx`;
      assertMatch(await rawExchange(server.port, put), /^HTTP\/1\.1 20/);
      for (const name of [...own, ...others]) {
        const reply = await rawExchange(server.port, get(`/${name}.html`));
        assertEquals([upload, name, statusOf(reply)], [upload, name, 200]);
        const policy = /^Content-Security-Policy: (.*)$/im.exec(headOf(reply))?.[1] ?? "";
        const isOwn = own.some((one) => one === name);
        assertEquals([upload, name, policy.startsWith("sandbox")], [upload, name, !isOwn]);
      }
    }
  });
});

Deno.test("--server-name: the Host field must name this server", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/file": "file" });
    const words = [`${top}/s`, "--server-name", "files.example"];
    await using server = await startServer("quickserve", words);
    const host = Deno.hostname();
    for (
      const [name, status] of [
        ["127.0.0.1", 200],
        [`127.0.0.1:${server.port}`, 200],
        ["10.99.99.99", 200],
        ["[::1]", 200],
        ["localhost", 200],
        [host, 200],
        [`${host.split(".")[0]}.local`, 200],
        ["files.example", 200],
        ["FILES.EXAMPLE.:80", 200],
        ["evil.example", 403],
        ["files.example.evil.example", 403],
        ["127.0.0.1.evil.example", 403],
        ["0x7f.1", 403],
        ["localhost.evil.example", 403],
        ["", 403],
        ["a b", 400],
        ["a@127.0.0.1", 400],
      ] as const
    ) {
      const request = `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`;
      const reply = await rawExchange(server.port, request);
      assertEquals([name, statusOf(reply)], [name, status]);
      if (status === 403) assert(reply.includes("--server-name"), "the option is not named");
    }
    // A target in absolute form replaces the Host field, and must be checked too.
    const around = `GET http://evil.example/ HTTP/1.1\r\n${HOST}${CLOSE}\r\n`;
    assertEquals(statusOf(await rawExchange(server.port, around)), 403);
  });
});

Deno.test("Origin, Sec-Fetch-Site: pages of other sites can neither upload nor send messages of peers", async () => {
  await inServer(async ({ port }) => {
    const own = `Origin: http://127.0.0.1\r\n`;
    for (
      const [headers, status] of [
        ["", 201],
        [own, 201],
        [`${own}Sec-Fetch-Site: same-origin\r\n`, 201],
        ["Sec-Fetch-Site: none\r\n", 201],
        ["Sec-Fetch-Site: cross-site\r\n", 403],
        ["Sec-Fetch-Site: same-site\r\n", 403],
        [`${own}Sec-Fetch-Site: cross-site\r\n`, 403],
        ["Origin: null\r\n", 403],
        ["Origin: https://127.0.0.1\r\n", 403],
        ["Origin: http://evil.example\r\n", 403],
        ["Origin: http://127.0.0.1:1\r\n", 403],
      ] as const
    ) {
      const reply = await rawExchange(port, post(FILE, FORM + headers));
      assertEquals([headers, statusOf(reply)], [headers, status]);
      const message = await rawExchange(port, post(MESSAGE, URLENCODED + headers));
      assertEquals([headers, statusOf(message)], [headers, status === 201 ? 200 : 403]);
    }
  });
});

import type { Reply } from "../../../../src/http/exchange.ts";
import { parseTarget } from "../../../../src/http/target.ts";
import type { UploadConfiguration } from "../../../../src/quickserve/configuration.ts";
import { uploadsAreOff } from "../../../../src/quickserve/uploads/answer.ts";
import { announcesUpload, isUpload } from "../../../../src/quickserve/uploads/request.ts";
import { Uploads } from "../../../../src/quickserve/uploads/uploads.ts";
import { UploadPlaces } from "../../../../src/quickserve/uploads/places.ts";
import { SharedTree } from "../../../../src/quickserve/tree.ts";
import { assert, assertEquals, assertStringIncludes } from "../../../assert.ts";
import { makeRequest, type RequestParts } from "../../../request.ts";
import { readText } from "../../../reply.ts";
import { inScratch, writeFiles } from "../../../scratch.ts";
import { breakingOff, CONTENT_TYPE, fieldPart, filePart, formOf, pieces } from "./form_body.ts";

/** The upload directory is shared as the root. */
function placesOf(directory: string): UploadPlaces {
  const shares = [{ path: "", sources: [directory], packageCache: false }];
  const tree = new SharedTree({ shares, filters: [], showHidden: false, followLinks: false });
  return new UploadPlaces(directory, shares, tree);
}

/** An upload directory, and methods that upload to it. */
class Inbox {
  readonly log: string[] = [];
  readonly uploads: Uploads;

  constructor(readonly directory: string, options: Partial<UploadConfiguration> = {}) {
    this.uploads = new Uploads({
      configuration: { directory, allowOverwrite: false, maximumSize: null, ...options },
      places: placesOf(directory),
      showHidden: false,
      pages: { uploadResult: (outcome) => `<p>${outcome.uploaded.length}</p>` },
      log: { warn: (message) => this.log.push(message) },
    });
  }

  async ask(parts: RequestParts): Promise<Reply> {
    const request = makeRequest(parts);
    const target = parseTarget(request.target);
    assert(target !== null, `malformed: ${request.target}`);
    return await this.uploads.receive(target, request);
  }

  put(name: string, content: string, parts: RequestParts = {}): Promise<Reply> {
    const target = `/${encodeURIComponent(name)}`;
    return this.ask({ method: "PUT", target, body: pieces(content), ...parts });
  }

  post(body: RequestParts["body"], headers: Record<string, string> = {}): Promise<Reply> {
    return this.ask({
      method: "POST",
      headers: { "content-type": CONTENT_TYPE, ...headers },
      ...(body === undefined ? {} : { body }),
    });
  }

  /** Returns all files, including hidden ones: name → content. */
  files(): Record<string, string> {
    const entries = [...Deno.readDirSync(this.directory)].map(({ name }) => name).sort();
    return Object.fromEntries(
      entries.map((name) => [name, Deno.readTextFileSync(`${this.directory}/${name}`)]),
    );
  }
}

Deno.test("Uploads: PUT stores a file, returns its location, and leaves no other file", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    const reply = await inbox.put("ä b.txt", "hello");
    assertEquals(reply.status, 201);
    assertEquals(reply.headers["Location"], "/%C3%A4%20b.txt");
    assertEquals(await readText(reply), "Stored: ä b.txt (5 bytes)\n");
    assertEquals(inbox.files(), { "ä b.txt": "hello" });
  }));

Deno.test("Uploads: an empty file is stored", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    assertEquals((await inbox.put("empty", "")).status, 201);
    assertEquals((await inbox.post(pieces(formOf(filePart("none", ""))))).status, 201);
    assertEquals(inbox.files(), { empty: "", none: "" });
  }));

Deno.test("Uploads: a number is added to a name that a file, directory or link has", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    Deno.mkdirSync(`${directory}/sub`);
    Deno.symlinkSync("nowhere", `${directory}/link`);
    writeFiles(directory, { "a.txt": "old", "a.1.txt": "older" });
    const reply = await inbox.put("a.txt", "new", { headers: { accept: "application/json" } });
    assertEquals(JSON.parse(await readText(reply)), {
      uploaded: [{ name: "a.2.txt", requested: "a.txt", size: 3 }],
      failed: [],
    });
    assertEquals(reply.headers["Location"], "/a.2.txt");
    assertStringIncludes(
      await readText(await inbox.put("sub", "x")),
      "sub.1 (1 byte), because sub",
    );
    assertStringIncludes(await readText(await inbox.put("link", "x")), "link.1");
    assertEquals(Deno.readLinkSync(`${directory}/link`), "nowhere");
    assertEquals(Deno.readTextFileSync(`${directory}/a.txt`), "old");
  }));

Deno.test("Uploads: simultaneous uploads of one name are all stored, each complete", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    const contents = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(1000));
    const replies = await Promise.all(contents.map((content) => inbox.put("same", content)));
    assertEquals(new Set(replies.map(({ status }) => status)), new Set([201]));
    const files = inbox.files();
    assertEquals(Object.keys(files).length, 20);
    assertEquals(new Set(Object.values(files)), new Set(contents));
  }));

Deno.test("Uploads: a taken name of the greatest length is shortened for its number", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    const name = `${"x".repeat(251)}.jpg`;
    for (const content of ["first", "second"]) {
      assertEquals((await inbox.put(name, content)).status, 201);
    }
    const numbered = `${"x".repeat(249)}.1.jpg`;
    assertEquals(inbox.files(), { [name]: "first", [numbered]: "second" });
  }));

Deno.test("Uploads: 409 when all numbers of a name are taken", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    const taken = Array.from({ length: 1000 }, (_, number) => number === 0 ? "x" : `x.${number}`);
    writeFiles(directory, Object.fromEntries(taken.map((name) => [name, ""])));
    assertEquals((await inbox.put("x", "y")).status, 409);
    assertEquals(Object.keys(inbox.files()).length, taken.length);
  }));

Deno.test("Uploads: allowOverwrite replaces files and links, never a link's target or a directory", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(`${directory}/in`, { allowOverwrite: true });
    writeFiles(directory, { "in/a": "old", "secret": "kept" });
    Deno.mkdirSync(`${directory}/in/sub`);
    Deno.symlinkSync("../secret", `${directory}/in/link`);
    assertEquals((await inbox.put("a", "new")).status, 200);
    assertEquals((await inbox.put("link", "mine")).status, 200);
    assertEquals((await inbox.put("fresh", "")).status, 201);
    const refused = await inbox.put("sub", "x");
    assertEquals(refused.status, 409);
    assertStringIncludes(await readText(refused), "directory");
    Deno.removeSync(`${directory}/in/sub`);
    assertEquals(inbox.files(), { a: "new", fresh: "", link: "mine" });
    assertEquals(Deno.readTextFileSync(`${directory}/secret`), "kept");
  }));

Deno.test("Uploads: a form may have several files and fields", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    const form = formOf(
      fieldPart("note", "x"),
      filePart("a", "1\r\n--front\r\n"),
      filePart("", ""),
      filePart("b", "2"),
      filePart("a", "3"),
    );
    for (const size of [1, 3, 10_000]) {
      const reply = await inbox.post(pieces(form, size));
      assertEquals(reply.status, 201, await readText(reply));
      assertEquals(inbox.files(), { a: "1\r\n--front\r\n", "a.1": "3", b: "2" });
      for (const name of Object.keys(inbox.files())) Deno.removeSync(`${directory}/${name}`);
    }
  }));

Deno.test("Uploads: the valid files of a form are stored, and the reply names each file", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory, { maximumSize: 10 });
    const form = formOf(
      filePart("first", "1"),
      filePart("big", "x".repeat(11)),
      filePart("../up", "3"),
      filePart("last", "x".repeat(10)),
    );
    const reply = await inbox.post(pieces(form), { accept: "application/json" });
    assertEquals(reply.status, 413);
    assertEquals(JSON.parse(await readText(reply)), {
      uploaded: [
        { name: "first", requested: "first", size: 1 },
        { name: "last", requested: "last", size: 10 },
      ],
      failed: [
        { name: "big", reason: "The file is larger than the limit of 10 bytes." },
        {
          name: "../up",
          reason: "The name refers to a directory.",
        },
      ],
    });
    assertEquals(inbox.files(), { first: "1", last: "x".repeat(10) });
  }));

Deno.test("Uploads: a disconnect at any byte of a form leaves only complete files", () =>
  inScratch(async (directory) => {
    const form = formOf(filePart("a", "first"), filePart("b", "second"));
    const endOfFirst = form.indexOf("first") + "first".length;
    for (let length = 0; length < form.length - 2; length++) {
      const inbox = new Inbox(directory);
      const reply = await inbox.post(breakingOff(form, length));
      assertEquals(reply.status, 400, `${length}`);
      const files = inbox.files();
      for (const [name, content] of Object.entries(files)) {
        assertEquals(content, { a: "first", b: "second" }[name], `${length} ${name}`);
        assert(length > endOfFirst);
        Deno.removeSync(`${directory}/${name}`);
      }
      assertEquals(inbox.log, []);
    }
  }));

Deno.test("Uploads: a form that ends too early leaves only complete files", () =>
  inScratch(async (directory) => {
    const form = formOf(filePart("a", "first"), filePart("b", "second"));
    for (let length = 0; length < form.length - 4; length++) {
      const inbox = new Inbox(directory);
      const reply = await inbox.post(pieces(form.slice(0, length)));
      assertEquals(reply.status, 400, `${length}: ${await readText(reply)}`);
      for (const [name, content] of Object.entries(inbox.files())) {
        assertEquals(content, { a: "first", b: "second" }[name], `${length} ${name}`);
        Deno.removeSync(`${directory}/${name}`);
      }
    }
  }));

Deno.test("Uploads: a PUT that breaks off leaves no file", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    for (const length of [0, 1, 7, 8, 4999]) {
      const body = breakingOff("x".repeat(5000), length);
      assertEquals((await inbox.put("a", "", { body })).status, 400);
      assertEquals(inbox.files(), {});
    }
  }));

Deno.test("Uploads: maximumSize refuses a PUT by its Content-Length, or while it arrives", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory, { maximumSize: 10 });
    let read = false;
    function* body(): Generator<Uint8Array> {
      read = true;
      yield new Uint8Array(11);
    }
    const declared = await inbox.put("a", "", {
      body: body(),
      headers: { "content-length": "11" },
    });
    assertEquals(declared.status, 413);
    assertStringIncludes(await readText(declared), "10 bytes");
    assertEquals(read, false);
    assertEquals((await inbox.put("a", "", { body: body() })).status, 413);
    assertEquals(inbox.files(), {});
    assertEquals((await inbox.put("a", "x".repeat(10))).status, 201);
  }));

Deno.test("Uploads: refuses names that are paths, directories or hidden files", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    for (
      const [target, status] of [
        ["/", 400],
        ["/a/", 400],
        ["/a/b", 409],
        ["/..%5Cx", 400],
        ["/.hidden", 400],
        ["/a%0Ab", 400],
        ["/%20", 400],
        [`/${"x".repeat(5000)}`, 400],
      ] as const
    ) {
      assertEquals((await inbox.ask({ method: "PUT", target, body: pieces("x") })).status, status);
    }
    for (const name of ["../x", "/etc/x", "..", "a\\\\b", ".x", "a\u202eb", "x".repeat(300)]) {
      const reply = await inbox.post(pieces(formOf(filePart(name, "x"))));
      assertEquals(reply.status, 400, name);
      assert(!(await readText(reply)).includes("\u202e"));
    }
    assertEquals(inbox.files(), {});
  }));

Deno.test("Uploads: refuses bodies that are not forms, and forms without files, with a reason", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    const bodies: [string, string][] = [
      ["", CONTENT_TYPE],
      ["nonsense", CONTENT_TYPE],
      [formOf(), CONTENT_TYPE],
      [formOf(fieldPart("a", "b")), CONTENT_TYPE],
      [formOf(filePart("", "")), CONTENT_TYPE],
      [formOf(filePart("", "content without a name")), CONTENT_TYPE],
      [formOf(filePart("a", "b")), "multipart/form-data"],
      [formOf(filePart("a", "b")), `multipart/form-data; boundary=${"x".repeat(500)}`],
    ];
    for (const [body, type] of bodies) {
      const reply = await inbox.post(pieces(body), { "content-type": type });
      assertEquals(reply.status, 400, body);
      assertStringIncludes(await readText(reply), "Not stored: ");
    }
    assertEquals(inbox.files(), {});
  }));

Deno.test("Uploads: refuses an endless form without files", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    const chunk = new TextEncoder().encode("x: y\r\n".repeat(10_000));
    const opening = '--frontier\r\nContent-Disposition: form-data; name="a"';
    for (const start of ["", "--frontier\r\n", `${opening}\r\n\r\n`, `${opening}; filename="..`]) {
      let sent = 0;
      const body = function* (): Generator<Uint8Array> {
        yield new TextEncoder().encode(start);
        for (; sent < 2 ** 30; sent += chunk.length) yield chunk.slice();
      };
      assert((await inbox.post(body())).status >= 400);
      assert(sent < 2 ** 27, `${sent} bytes were read`);
    }
    const many = Array.from({ length: 200 }, (_, index) => fieldPart(`f${index}`, ""));
    assertEquals((await inbox.post(pieces(formOf(...many), 1000))).status, 413);
    assertEquals(inbox.files(), {});
  }));

Deno.test("Uploads: refuses Content-Range and Content-Encoding", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    const range = { "content-range": "bytes 0-0/2" };
    assertEquals((await inbox.put("a", "x", { headers: range })).status, 400);
    const encoded = { "content-encoding": "gzip" };
    assertEquals((await inbox.put("a", "x", { headers: encoded })).status, 415);
    const fields = { "content-type": "application/x-www-form-urlencoded" };
    const posted = { method: "POST", target: "/a", body: pieces("x"), headers: fields };
    assertEquals((await inbox.ask(posted)).status, 415);
    assertEquals(inbox.files(), {});
  }));

Deno.test("Uploads: logs an error of the system, and does not send its details to the client", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(`${directory}/gone`);
    const reply = await inbox.put("a", "x");
    assertEquals(reply.status, 500);
    assert(!(await readText(reply)).includes(directory));
    assertEquals(inbox.log.length, 1);
    assertStringIncludes(inbox.log[0] ?? "", "gone");
  }));

Deno.test("Uploads: the reply is text, JSON or HTML, as the client requests", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    const typeFor = async (accept: string | undefined, search = ""): Promise<unknown> => {
      const headers = accept === undefined ? {} : { accept };
      const reply = await inbox.put("a", "", { headers, target: `/a${search}` });
      assertEquals(reply.headers["Vary"], "Accept");
      return reply.headers["Content-Type"];
    };
    const plain = "text/plain; charset=UTF-8";
    assertEquals(await typeFor(undefined), plain);
    assertEquals(await typeFor("*/*"), plain);
    assertEquals(await typeFor("image/png"), plain);
    assertEquals(await typeFor("application/json"), "application/json");
    assertEquals(
      await typeFor("text/html,application/xhtml+xml,*/*;q=0.8"),
      "text/html; charset=UTF-8",
    );
    assertEquals(await typeFor("*/*", "?mimetype=application/json"), "application/json");
    assertEquals(await typeFor("*/*", "?mimetype=%zz"), plain);
  }));

Deno.test("announcesUpload: true for PUT, forms with files, and an empty POST", () => {
  const form = { "content-type": "Multipart/Form-Data; boundary=x" };
  assert(isUpload(makeRequest({ method: "PUT" })));
  assert(isUpload(makeRequest({ method: "POST", headers: form })));
  const message = { "content-type": "application/x-www-form-urlencoded" };
  assert(!isUpload(makeRequest({ method: "POST", headers: message })));
  assert(!isUpload(makeRequest({ method: "POST" })));
  assert(!isUpload(makeRequest({ headers: form })));
  assert(announcesUpload(makeRequest({ method: "PUT" })));
  assert(announcesUpload(makeRequest({ method: "POST", headers: { "content-length": "0" } })));
  const written = { ...message, "content-length": "9" };
  assert(!announcesUpload(makeRequest({ method: "POST", headers: written })));
  assert(!announcesUpload(makeRequest({ headers: { "content-length": "0" } })));
});

Deno.test("uploadsAreOff: the reply names the supported methods", () => {
  const reply = uploadsAreOff(["GET", "HEAD"]);
  assertEquals(reply.status, 405);
  assertEquals(reply.headers["Allow"], "GET, HEAD");
});

Deno.test("Uploads: a form creates the directories in its files' names, and none outside", () =>
  inScratch(async (top) => {
    const directory = `${top}/in`;
    writeFiles(top, { "in/taken": "a file", "outside/": "" });
    Deno.symlinkSync(`${top}/outside`, `${directory}/link`);
    const inbox = new Inbox(directory);
    const files = [
      "a/b/c.txt",
      "a/c.txt",
      "link/x",
      "taken/x",
      "a/../x",
      "/x",
      "a//x",
      "a/.x",
      "a\\x",
    ];
    const reply = await inbox.post(
      pieces(formOf(...files.map((name) => filePart(name, name)))),
      { accept: "application/json" },
    );
    const { uploaded, failed } = JSON.parse(await readText(reply));
    assertEquals(uploaded.map(({ name }: { name: string }) => name), ["a/b/c.txt", "a/c.txt"]);
    assertEquals(failed.map(({ name }: { name: string }) => name), files.slice(2));
    assertEquals(Deno.readTextFileSync(`${directory}/a/b/c.txt`), "a/b/c.txt");
    assertEquals([...Deno.readDirSync(`${top}/outside`)], []);
    assertEquals([...Deno.readDirSync(`${directory}/a`)].length, 2);
  }));

Deno.test("Uploads: an upload to a directory below the upload directory is stored there", () =>
  inScratch(async (top) => {
    const directory = `${top}/in`;
    writeFiles(top, { "in/sub/": "", "outside/": "" });
    Deno.symlinkSync(`${top}/outside`, `${directory}/link`);
    const inbox = new Inbox(directory);
    const put = await inbox.ask({ method: "PUT", target: "/sub/a", body: pieces("1") });
    assertEquals([put.status, put.headers["Location"]], [201, "/sub/a"]);
    const body = pieces(formOf(filePart("b", "2")));
    const headers = { "content-type": CONTENT_TYPE };
    await inbox.ask({ method: "POST", target: "/sub/?page=upload", headers, body });
    assertEquals(Deno.readTextFileSync(`${directory}/sub/b`), "2");
    for (const target of ["/none/a", "/link/a"]) {
      assertEquals((await inbox.ask({ method: "PUT", target, body: pieces("3") })).status, 409);
    }
    assertEquals([...Deno.readDirSync(`${top}/outside`)], []);
  }));

Deno.test("Uploads: restores a quotation mark in a name, which clients send as %22", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    await inbox.post(pieces(formOf(filePart("a %22q%22 100%25.txt", "x"))));
    assertEquals(inbox.files(), { 'a "q" 100%25.txt': "x" });
  }));

Deno.test("Uploads: the reply to a form with more than a thousand files lists each of them", () =>
  inScratch(async (directory) => {
    const inbox = new Inbox(directory);
    const names = Array.from({ length: 1100 }, (_, index) => index % 5 === 0 ? ".." : `${index}`);
    const reply = await inbox.post(
      pieces(formOf(...names.map((name) => filePart(name, "x"))), 65_536),
      { accept: "application/json" },
    );
    const { uploaded, failed } = JSON.parse(await readText(reply));
    assertEquals([uploaded.length, failed.length], [880, 220]);
    assertEquals(Object.keys(inbox.files()).length, 880);
  }));

import type { Reply } from "../../../src/http/exchange.ts";
import { FileReplies } from "../../../src/quickserve/file_reply.ts";
import { Quickserve } from "../../../src/quickserve/quickserve.ts";
import type { Pages } from "../../../src/quickserve/pages/pages.ts";
import type { Uploads } from "../../../src/quickserve/uploads/uploads.ts";
import type { Finder } from "../../../src/peers/finder.ts";
import type { Peers } from "../../../src/peers/peers.ts";
import { textReply } from "../../../src/http/replies.ts";
import { SharedTree } from "../../../src/quickserve/tree.ts";
import { assert, assertEquals } from "../../assert.ts";
import { hostilePaths } from "./hostile_paths.ts";
import { makeRequest } from "../../request.ts";
import { readText } from "../../reply.ts";
import { share, treeOf } from "./trees.ts";
import { inScratch, shell, writeFiles } from "../../scratch.ts";

type Serve = (target: string, method?: string, type?: string) => Promise<Reply>;

/** Replacements of pages, uploads and peers in a test. */
interface Fakes {
  readonly index?: string;
  readonly uploads?: Pick<Uploads, "receive">;
  readonly peers?: Partial<Pick<Peers, "answer" | "isFromPeer">>;
  readonly find?: Finder["find"];
}

/** Runs a test with a server that shares `s`; next to `s` there is a secret file. */
function withServer(
  { index, uploads, peers, find }: Fakes,
  body: (serve: Serve, directory: string) => Promise<void>,
): Promise<void> {
  return inScratch(async (directory) => {
    writeFiles(directory, {
      "s/a": "content of a",
      "s/sub/index.html": "the index",
      "s/we ird:#?/x": "x",
      "s/.hidden": "TOP SECRET",
      secret: "TOP SECRET",
      "etc/passwd": "TOP SECRET",
    });
    shell(directory, "ln -s .. s/link; ln -s ../secret s/file-link; mkfifo s/fifo");
    const tree = new SharedTree(treeOf([share("s", `${directory}/s`)]));
    const files = new FileReplies(tree, "cache");
    const pages: Pick<Pages, "page" | "directory" | "error"> = {
      page: () => null,
      directory: async (found) => {
        const names = (await tree.list(found)).map(({ name }) => name);
        return textReply(200, names.join("|"));
      },
      error: (_request, status, message, headers) => textReply(status, message, headers),
    };
    const noPeers: Pick<Peers, "answer" | "isFromPeer"> = {
      answer: () => Promise.resolve(textReply(400)),
      isFromPeer: () => false,
    };
    const quickserve = new Quickserve({
      tree,
      files,
      pages,
      uploads: uploads ?? null,
      peers: { ...noPeers, ...peers, finder: { find: find ?? (() => Promise.resolve(null)) } },
      index: index ?? null,
    });
    try {
      await body(async (target, method, type) => {
        const headers = type === undefined ? {} : { "content-type": type };
        return await quickserve.answer(
          makeRequest({ target: target, headers, method: method ?? "GET" }),
        );
      }, directory);
    } finally {
      files.close();
    }
  });
}

Deno.test("Quickserve: answers with a file, a listing, or 404", () =>
  withServer({}, async (serve) => {
    assertEquals(await readText(await serve("/s/a")), "content of a");
    assertEquals(await readText(await serve("/s//a?x=1")), "content of a");
    assertEquals(await readText(await serve("/")), "s\n");
    assertEquals(await readText(await serve("/s/")), "a|sub|we ird:#?\n");
    for (const target of ["/none", "/s/none", "/s/a/", "/s/a/b"]) {
      assertEquals((await serve(target)).status, 404, target);
    }
    assertEquals((await serve("/none", "HEAD")).status, 404);
  }));

Deno.test("Quickserve: redirects a directory to its path with a slash, on this server", () =>
  withServer({}, async (serve) => {
    for (
      const [target, location] of [
        ["/s", "/s/"],
        ["//s", "/s/"],
        ["/s/sub?mimetype=text/plain", "/s/sub/?mimetype=text/plain"],
        ["/s/we%20ird:%23%3f", "/s/we%20ird:%23%3F/"],
      ] as const
    ) {
      const reply = await serve(target);
      assertEquals(reply.status, 301);
      assertEquals(reply.headers["Location"], location);
    }
    for (const target of ["//evil.example", "/\\evil.example", "//evil.example/.."]) {
      assertEquals((await serve(target)).headers["Location"], undefined);
    }
  }));

Deno.test("Quickserve: sends the --index file in place of a directory's listing", () =>
  withServer({ index: "index.html" }, async (serve) => {
    assertEquals(await readText(await serve("/s/sub/")), "the index");
    assertEquals(await readText(await serve("/s/sub/?v=2")), "the index");
    assertEquals(await readText(await serve("/s/sub/?mimetype=text/plain")), "index.html\n");
    assertEquals(await readText(await serve("/s/")), "a|sub|we ird:#?\n");
  }));

Deno.test("Quickserve: searches the peers for a missing file, unless the client is a peer", async () => {
  const asked: string[] = [];
  const find: Finder["find"] = (segments) => {
    asked.push(segments.join("/"));
    const isThere = segments[1] === "there";
    return Promise.resolve(
      isThere ? { url: "http://x/s/there", peer: "http://x/", size: null } : null,
    );
  };
  await withServer({ find }, async (serve) => {
    const reply = await serve("/s/there");
    assertEquals([reply.status, reply.headers["Location"]], [307, "http://x/s/there"]);
    assertEquals((await serve("/s/none")).status, 404);
    assertEquals((await serve("/s/a")).status, 200);
    assertEquals(asked, ["s/there", "s/none"]);
  });
  await withServer({ find, peers: { isFromPeer: () => true } }, async (serve) => {
    assertEquals((await serve("/s/there")).status, 404);
    assertEquals(asked, ["s/there", "s/none"]);
  });
});

Deno.test("Quickserve: accepts messages and uploads, and answers other methods with 405", async () => {
  await withServer({}, async (serve) => {
    for (const method of ["PUT", "DELETE", "OPTIONS", "PROPFIND"]) {
      const reply = await serve("/", method);
      assertEquals([reply.status, reply.headers["Allow"]], [405, "GET, HEAD, POST"]);
      const below = await serve("/s", method);
      assertEquals([below.status, below.headers["Allow"]], [405, "GET, HEAD"]);
    }
    assertEquals((await serve("/", "POST")).status, 400);
    assertEquals((await serve("/s", "POST")).status, 405);
  });
  const fakes: Fakes = {
    peers: {
      answer: ({ headers }) =>
        Promise.resolve(textReply(headers["content-type"] === undefined ? 400 : 200, "message")),
    },
    uploads: {
      receive: ({ segments }) => Promise.resolve(textReply(201, `upload ${segments.join("/")}`)),
    },
  };
  await withServer(fakes, async (serve) => {
    const form = "multipart/form-data; boundary=x";
    const message = await serve("/", "POST", "application/x-www-form-urlencoded");
    assertEquals(await readText(message), "message\n");
    assertEquals(await readText(await serve("/", "POST", form)), "upload \n");
    assertEquals(await readText(await serve("/s", "POST", form)), "upload s\n");
    // A POST that is neither gets the text of a refused upload, which explains how to send a file.
    assertEquals(await readText(await serve("/", "POST")), "upload \n");
    assertEquals(await readText(await serve("/s", "POST")), "upload s\n");
    assertEquals(await readText(await serve("/new%20name", "PUT")), "upload new name\n");
    assertEquals((await serve("/s/a", "DELETE")).headers["Allow"], "GET, HEAD, POST, PUT");
    assertEquals((await serve("/../x", "PUT")).status, 400);
    const whole = await serve("*", "OPTIONS");
    assertEquals([whole.status, whole.headers["Allow"]], [204, "GET, HEAD, POST, PUT"]);
  });
});

Deno.test("Quickserve: 200 hostile paths reach no file outside of the share", () =>
  withServer({}, async (serve) => {
    assert(hostilePaths.length >= 200);
    for (const target of hostilePaths) {
      for (const method of ["GET", "HEAD"]) {
        const reply = await serve(target, method);
        const text = await readText(reply);
        assert(!text.includes("SECRET") && !text.includes("root:"), target);
        assert([200, 301, 400, 404].includes(reply.status), `${reply.status} ${target}`);
        // The only allowed pages are the root's listing, also with a query that changes nothing.
        if (reply.status === 200 && method === "GET") {
          assert(["s\n", "a|sub|we ird:#?\n"].includes(text), `${target} gave ${text}`);
        }
        const location = reply.headers["Location"];
        assert(location === undefined || location === "/s/", `${target} led to ${location}`);
      }
    }
  }));

import type { Reply } from "../../../../src/http/exchange.ts";
import { parseTarget } from "../../../../src/http/target.ts";
import {
  scriptAddress,
  styleAddress,
  themeAddress,
} from "../../../../src/quickserve/pages/assets.ts";
import type { Finder } from "../../../../src/peers/finder.ts";
import type { PagesConfiguration } from "../../../../src/quickserve/configuration.ts";
import type { AboutFacts } from "../../../../src/quickserve/pages/about.ts";
import { Pages } from "../../../../src/quickserve/pages/pages.ts";
import type { UploadPlaces } from "../../../../src/quickserve/uploads/places.ts";
import { SharedTree } from "../../../../src/quickserve/tree.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../../assert.ts";
import { readText } from "../../../reply.ts";
import { makeRequest } from "../../../request.ts";
import { share, treeOf } from "../trees.ts";
import { inScratch, writeFiles } from "../../../scratch.ts";

const browser = { accept: "text/html,*/*;q=0.8", host: "server.local:8000" };

const peer = {
  url: "http://10.0.0.2:8000/",
  origin: "announcement",
  means: ["multicast"],
  failures: 1,
  state: "backoff",
  trouble: "<b>refused</b>",
  lastSeen: 61,
  roundTrip: 1.25,
  transfers: 2,
} as const;

interface Parts {
  readonly configuration?: Partial<PagesConfiguration>;
  readonly tree?: SharedTree;
  readonly about?: AboutFacts;
  readonly list?: Finder["list"];
  readonly places?: Pick<UploadPlaces, "main" | "at">;
}

const listen = { address: "10.0.0.1", ipv6: false };

const about: AboutFacts = {
  login: "nothing",
  uploads: null,
  peers: "multicast",
  servesPackages: false,
  listen,
};

function makePages(parts: Parts = {}): Pages {
  const configuration: PagesConfiguration = {
    title: "Quickserve",
    version: "1.2.3",
    hostName: "box",
    motd: null,
    index: null,
    listRemote: false,
    archives: ["none", "zip"],
    website: false,
    ...parts.configuration,
  };
  const finder = { list: parts.list ?? (() => Promise.resolve([])) };
  const places = { means: ["multicast"], interfaces: ["eth0"], leftOut: [] };
  const peers = { rows: () => [peer], places: () => places, finder };
  const tree = parts.tree ?? new SharedTree(treeOf([]));
  return new Pages({
    configuration,
    tree,
    peers,
    about: parts.about ?? about,
    places: parts.places ?? null,
    own: null,
  });
}

function page(pages: Pages, address: string, headers = {}): Reply | null {
  const target = parseTarget(address);
  if (target === null) throw new Error(`${address} is malformed`);
  const reply = pages.page(target, makeRequest({ target: address, headers }));
  if (reply instanceof Promise) throw new Error(`${address} takes a while`);
  return reply;
}

function found(reply: Reply | null): Reply {
  if (reply === null) throw new Error("there is no such page");
  return reply;
}

async function directory(pages: Pages, tree: SharedTree, address: string): Promise<Reply> {
  const target = parseTarget(address);
  const place = target === null ? null : tree.lookup(target.segments);
  if (target === null || place?.kind !== "directory") throw new Error("no such directory");
  return await pages.directory(place, target, makeRequest({ target: address, headers: browser }));
}

Deno.test("Pages: a page loads only the server's style and scripts, which clients may always cache", async () => {
  const pages = makePages();
  const about = found(page(pages, "/?page=about", browser));
  const policy = String(about.headers["Content-Security-Policy"]);
  assertStringIncludes(policy, "default-src 'none'");
  assert(!policy.includes("unsafe"));
  const text = await readText(about);
  assert(!/<style|<script>|\sstyle=|javascript:/i.test(text));
  const loaded = [...text.matchAll(/(?:src|rel="stylesheet" href)="([^"]*)"/g)].map(([, url]) =>
    url
  );
  assertEquals(loaded.sort(), [scriptAddress, styleAddress, themeAddress].sort());
  const scripts = [scriptAddress, themeAddress].map((address) => [address, "text/javascript"]);
  for (const [address, type] of [[styleAddress, "text/css"], ...scripts]) {
    const asset = found(page(pages, address ?? ""));
    assertEquals(asset.headers["Content-Type"], `${type}; charset=UTF-8`);
    assertMatch(String(asset.headers["Cache-Control"]), /immutable/);
    const body = await readText(asset);
    assert(!/https?:\/\/(?!www\.w3\.org\/2000\/svg)|@import/.test(body));
  }
  assertEquals(page(pages, "/?asset=style-000000000000.css"), null);
});

Deno.test("Pages: searches of neighbours are rate-limited, those of this host are not", async () => {
  await inScratch(async (directory) => {
    writeFiles(directory, { "found.txt": "" });
    const tree = new SharedTree(treeOf([share("", directory)]));
    const pages = makePages({ tree });
    const status = async (remoteAddress: string): Promise<number> => {
      const target = parseTarget("/?search=found");
      const root = tree.lookup([]);
      assert(target !== null && root?.kind === "directory");
      const connection = { ...makeRequest().connection, remoteAddress };
      return (await pages.directory(root, target, { ...makeRequest(), connection })).status;
    };
    for (let count = 0; count < 30; count++) assertEquals(await status("10.0.0.9"), 200);
    assertEquals(await status("10.0.0.9"), 429);
    assertEquals(await status("10.0.0.10"), 200);
    assertEquals(await status("127.0.0.1"), 200);
  });
});

Deno.test("Pages: only a directory's URL selects a page; files of a website may have any query", () => {
  const pages = makePages();
  for (
    const address of ["/index.html?page=about", "/?page=2", "/?x=1", "/?page", "/app.js?asset=x"]
  ) {
    assertEquals(page(pages, address), null, address);
  }
});

Deno.test("Pages: ?page=about shows the settings and how to use the server", async () => {
  const text = await readText(found(page(
    makePages({
      about: {
        login: "everything",
        uploads: { allowOverwrite: false, maximumSize: 1024 },
        peers: "none",
        servesPackages: true,
        listen: { address: "10.0.0.1", ipv6: false },
      },
    }),
    "/?page=about",
    browser,
  )));
  assertStringIncludes(text, "Server = http://server.local:8000/pacman/$repo/$arch");
  assertStringIncludes(text, "curl --digest -u NAME -T FILE http://server.local:8000/");
  assertStringIncludes(text, "A file may have up to 1.0 KiB.");
  assertStringIncludes(text, "?tar=none&#39; | tar -x");
  assertMatch(text, /<dt>Archives<\/dt>\s*<dd>tar, zip<\/dd>/);
});

Deno.test("Pages: ?page=peers is available as HTML, JSON and text", async () => {
  const pages = makePages();
  const html = await readText(found(page(pages, "/?page=peers", browser)));
  assertStringIncludes(html, "Discovery uses multicast on eth0.");
  assertStringIncludes(html, '<a href="http://10.0.0.2:8000/">');
  assertStringIncludes(html, "(&lt;b&gt;refused&lt;/b&gt;)");
  assertStringIncludes(html, "1 min ago");
  const json = await readText(found(page(pages, "/?page=peers&mimetype=application/json")));
  // Only the status, which only this host may see, shows how a peer was found and how often it failed.
  const { means: _means, failures: _failures, ...shown } = peer;
  assertEquals(JSON.parse(json), {
    peers: [shown],
    means: ["multicast"],
    interfaces: ["eth0"],
  });
  assertEquals(
    await readText(found(page(pages, "/?page=peers&mimetype=text/plain"))),
    "http://10.0.0.2:8000/  does not answer  1.3 ms  <b>refused</b>\n",
  );
  assertEquals(found(page(pages, "/?page=peers&mimetype=a/b")).status, 406);
});

Deno.test("Pages: ?page=upload shows a terminal the commands for uploads", async () => {
  const uploads = { allowOverwrite: true, maximumSize: null };
  const pages = makePages({
    places: { main: { directory: "/in", path: null }, at: () => null },
    about: { login: "uploads", uploads, peers: "none", servesPackages: false, listen },
  });
  const curl = { accept: "*/*", "user-agent": "curl/8.0", host: "s:8000" };
  const asked = [
    page(pages, "/?page=upload", curl),
    page(pages, "/?page=upload&mimetype=text/plain", { ...browser, host: "s:8000" }),
  ];
  for (const reply of asked) {
    assertEquals(
      await readText(found(reply)),
      `A file is stored when all of it has arrived. An existing file of the same name is replaced.

Upload a file:
  curl --digest -u NAME -T FILE http://s:8000/
Upload several files:
  curl --digest -u NAME -F file=@FILE -F file=@OTHER http://s:8000/
`,
    );
  }
});

Deno.test("Pages: ?page=upload exists only if uploads are on", async () => {
  assertEquals(found(page(makePages(), "/?page=upload", browser)).status, 404);
  const uploads = { allowOverwrite: true, maximumSize: null };
  const place = { directory: "/in", path: "/in/" };
  const pages = makePages({
    about: { login: "nothing", uploads, peers: "none", servesPackages: false, listen },
    places: { main: place, at: () => null },
  });
  const text = await readText(found(page(pages, "/?page=upload", browser)));
  assertStringIncludes(text, "An existing file of the same name is replaced.");
  const result = pages.uploadResult({
    uploaded: [{ name: "a<b>.1", requested: "a<b>", size: 5, replaced: false }],
    failed: [{ name: "\x1b<i>", reason: "The name <is> bad.", status: 400 }],
  }, place);
  assertStringIncludes(result, "1 file uploaded, 1 failed");
  assertStringIncludes(result, "because a&lt;b&gt; was taken");
  assertStringIncludes(result, "\\x1b&lt;i&gt;");
  assertStringIncludes(result, "Not stored: The name &lt;is&gt; bad.");
});

Deno.test("Pages: an error is a page for a browser and a sentence for other clients", async () => {
  const pages = makePages();
  const text = pages.error(makeRequest(), 404, "Nothing is here.", { "X-Test": "1" });
  assertEquals([text.status, text.headers["X-Test"]], [404, "1"]);
  assertEquals(await readText(text), "Nothing is here.\n");
  const html = pages.error(makeRequest({ headers: browser }), 405, "<No>", { Allow: "GET" });
  assertEquals([html.status, html.headers["Allow"]], [405, "GET"]);
  assertStringIncludes(await readText(html), '<p class="lead">&lt;No&gt;</p>');
});

Deno.test("Pages: a listing includes the peers' entries; ?tar= accepts only enabled formats", () =>
  inScratch(async (scratch) => {
    writeFiles(scratch, { "s/a": "a" });
    const tree = new SharedTree(treeOf([share("s", `${scratch}/s`)]));
    const remote = { name: "far", href: "http://10.0.0.2/s/far", peer: "http://10.0.0.2/" };
    const asked: string[] = [];
    const make = (listRemote: boolean): Pages =>
      makePages({
        tree,
        configuration: { listRemote, archives: ["zip"] },
        list: (segments) => {
          asked.push(segments.join("/"));
          return Promise.resolve([{ ...remote, size: 1, mtime: 0, dir: false }]);
        },
      });
    const own = await readText(await directory(make(false), tree, "/s/"));
    assert(own.includes("<bdi>a</bdi>") && !own.includes("far"));
    assertEquals(asked, []);
    const all = await readText(await directory(make(true), tree, "/s/"));
    assertStringIncludes(
      all,
      'href="http://10.0.0.2/s/far"><bdi>far</bdi></a> <span class="remote">on',
    );
    assertEquals(asked, ["s"]);
    const zip = await directory(make(false), tree, "/s/?tar=zip");
    assertEquals([zip.status, zip.headers["Content-Type"]], [200, "application/zip"]);
    const tar = await directory(make(false), tree, "/s/?tar=none");
    assertEquals(tar.status, 404);
    assertStringIncludes(
      await readText(tar),
      "There is no such archive format: use ?tar= with zip.",
    );
  }));

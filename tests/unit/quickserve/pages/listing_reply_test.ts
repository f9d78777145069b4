import type { Reply } from "../../../../src/http/exchange.ts";
import type { FormPlace } from "../../../../src/quickserve/pages/upload.ts";
import type { Entry } from "../../../../src/quickserve/shared.ts";
import { mergeEntries } from "../../../../src/quickserve/pages/entries.ts";
import { listingReply } from "../../../../src/quickserve/pages/listing_reply.ts";
import type { ListingContext } from "../../../../src/quickserve/pages/listing.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../../assert.ts";
import { readText } from "../../../reply.ts";
import { makeRequest } from "../../../request.ts";

const context: ListingContext = {
  configuration: {
    title: "Quickserve",
    version: "1.2.3",
    hostName: "box",
    motd: null,
    index: null,
    listRemote: false,
    archives: [],
    website: false,
  },
  canUpload: false,
  hasPeers: false,
  hasStatus: false,
  listen: { address: "10.0.0.1", ipv6: false },
};

const time = Date.UTC(2026, 10, 22, 22, 5, 24);

function file(name: string, size = 1, modified: number | null = time): Entry {
  return { name, kind: "file", size, modified };
}

function folder(name: string): Entry {
  return { name, kind: "directory", size: null, modified: null };
}

interface Parts {
  readonly segments?: readonly string[];
  readonly search?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly context?: ListingContext;
  readonly place?: FormPlace;
}

function list(entries: readonly Entry[], parts: Parts = {}): Promise<Reply> {
  return listingReply({
    request: makeRequest({ headers: parts.headers ?? {}, method: parts.method ?? "GET" }),
    segments: parts.segments ?? ["pkg"],
    entries,
    search: parts.search ?? "",
    context: parts.context ?? context,
    place: parts.place ?? null,
  });
}

async function jsonNames(entries: readonly Entry[], search = ""): Promise<string[]> {
  const reply = await list(entries, { search: `mimetype=application/json&${search}` });
  return JSON.parse(await readText(reply)).entries.map(({ name }: { name: string }) => name);
}

/** Names that try to inject HTML, URLs or control characters. */
const hostileNames = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "</td></tr></table><h1>",
  "</title><script>alert(1)</script>",
  "&lt;b&gt;",
  "a\nb\r\nSet-Cookie: x=1",
  "\x1b]0;title\x07\x1b[2J",
  "evil\u202egpj.exe",
  "?query#fragment%25",
  "a:b",
  "~",
  "-rf",
  "\\\\server\\share",
  "...",
  "%2e%2e%2f",
  "${alert(1)}",
  "{{7*7}}",
  "\ufeffbom",
  "lone\ud800surrogate",
];

Deno.test("listingReply: no name can inject HTML into the page", async () => {
  for (const name of hostileNames) {
    const peer = `http://10.0.0.2:8000/${name}`;
    const reply = await list([
      file(name),
      { ...folder(name + "2"), remote: { peer: name, href: name } },
      { ...file(name + "3"), remote: { peer, href: peer } },
    ], {
      segments: [name.toWellFormed(), "sub"],
      context: { ...context, configuration: { ...context.configuration, motd: name } },
    });
    const text = await readText(reply);
    const tags = [...text.matchAll(/<\/?([a-z0-9]+)/gi)].map((match) => match[1] ?? "");
    const ours = new Set(
      ("html head meta title link script body a header nav ul li main ol div h1 p table caption " +
        "thead tbody tr th td data time span bdi footer form label input button img").split(" "),
    );
    assertEquals(tags.filter((tag) => !ours.has(tag)), [], name);
    assertEquals(text.match(/<script/g)?.length, 2, name);
    assert(!/<[^>]*\son[a-z]+\s*=/.test(text.replaceAll(/"[^"]*"/g, '""')), name);
    for (const [, href] of text.matchAll(/href="([^"]*)"/g)) {
      assertMatch(href ?? "", /^(?:\.\.?\/|\/|\?|#main|data:,$|http:\/\/10\.0\.0\.2)/, name);
    }
    assert(
      !/(?!\n)[\p{Cc}\u202e]/u.test(text.replace(/<div class="motd".*?<\/div>/s, "")),
      name,
    );
  }
});

Deno.test("listingReply: relative links resolve to the exact name", async () => {
  for (const name of hostileNames) {
    const text = await readText(await list([file(name), folder(name)], { segments: ["a b", "c"] }));
    const hrefs = [...text.matchAll(/<tr><th scope="row"><a[^>]* href="([^"]*)"/g)]
      .map(([, href]) => (href ?? "").replaceAll("&#39;", "'").replaceAll("&amp;", "&"));
    const paths = hrefs.map((href) => new URL(href, "http://h/a%20b/c/")).map((url) => {
      assertEquals([url.host, url.search, url.hash], ["h", "", ""], name);
      return decodeURIComponent(url.pathname);
    });
    const shown = name.toWellFormed();
    assertEquals(paths, [`/a b/c/${shown}/`, `/a b/c/${shown}`], name);
  }
});

Deno.test("listingReply: in the text table, no name can break its line or control the terminal", async () => {
  for (const name of hostileNames) {
    const text = await readText(await list([file(name)], { search: "mimetype=text/plain" }));
    assertEquals(text.split("\n").length, 5, name);
    assert(!/(?!\n)[\p{Cc}\u202e]/u.test(text), name);
  }
});

Deno.test("listingReply: the text table has aligned columns", async () => {
  const motd = "Hello\n\x1b[31mred";
  const reply = await list([
    folder("sub"),
    file("a file", 1_234_567),
    {
      ...file("far", 10, null),
      remote: { peer: "http://10.0.0.2:8000/", href: "http://10.0.0.2:8000/far" },
    },
  ], {
    headers: { accept: "*/*", "user-agent": "curl/8.0" },
    context: { ...context, configuration: { ...context.configuration, motd } },
  });
  assertEquals(reply.headers["Content-Type"], "text/plain; charset=UTF-8");
  assertEquals(
    await readText(reply),
    `Hello
\\x1b[31mred

/pkg/  (1 directory, 2 files, 1.2 MiB)

      Size  Modified (UTC)    Name
         -  -                 sub/
   1.2 MiB  2026-11-22 22:05  a file
      10 B  -                 far  on http://10.0.0.2:8000/
`,
  );
  assertEquals(
    await readText(await list([], { segments: [], search: "mimetype=text/plain" })),
    "/  (empty)\n\n",
  );
});

Deno.test("listingReply: the JSON has the documented fields", async () => {
  const remote = { peer: "http://10.0.0.2:8000/", href: "http://10.0.0.2:8000/pkg/far" };
  const reply = await list([folder("s ub"), file("foo-1:2+3", 5), { ...file("far"), remote }], {
    headers: { accept: "application/json" },
    segments: ["p kg"],
  });
  assertEquals(reply.headers["Content-Type"], "application/json");
  assertEquals(JSON.parse(await readText(reply)), {
    path: "/p%20kg/",
    entries: [
      {
        name: "s ub",
        kind: "directory",
        size: null,
        modified: null,
        href: "/p%20kg/s%20ub/",
        peer: null,
      },
      {
        name: "far",
        kind: "file",
        size: 1,
        modified: "2026-11-22T22:05:24Z",
        href: remote.href,
        peer: remote.peer,
      },
      {
        name: "foo-1:2+3",
        kind: "file",
        size: 5,
        modified: "2026-11-22T22:05:24Z",
        href: "/p%20kg/foo-1:2+3",
        peer: null,
      },
    ],
  });
  assertEquals(
    JSON.parse(
      await readText(await list([], { segments: [], search: "mimetype=application/json" })),
    ),
    {
      path: "/",
      entries: [],
    },
  );
});

Deno.test("listingReply: sorts directories first, numbers by value, and equal values by name", async () => {
  const entries = [
    file("b", 3, 100),
    file("file10", 1, 300),
    folder("z"),
    file("A", 3, 200),
    file("file2", 2, null),
    folder("y"),
  ];
  assertEquals(await jsonNames(entries), ["y", "z", "A", "b", "file2", "file10"]);
  assertEquals(await jsonNames(entries, "order=desc"), ["z", "y", "file10", "file2", "b", "A"]);
  assertEquals(await jsonNames(entries, "sort=size"), ["y", "z", "file10", "file2", "A", "b"]);
  assertEquals(await jsonNames(entries, "sort=size&order=desc"), [
    "y",
    "z",
    "A",
    "b",
    "file2",
    "file10",
  ]);
  assertEquals(await jsonNames(entries, "sort=time"), ["y", "z", "file2", "b", "A", "file10"]);
  assertEquals(await jsonNames(entries, "sort=bogus&order=x"), [
    "y",
    "z",
    "A",
    "b",
    "file2",
    "file10",
  ]);
});

Deno.test("listingReply: the column links reverse the order and show the present one", async () => {
  const text = await readText(await list([file("a")], { search: "sort=size&order=desc" }));
  assertStringIncludes(text, 'aria-sort="descending"><a href="?sort=size&amp;order=asc">');
  assertStringIncludes(text, '<a href="?sort=name&amp;order=asc">');
  assertStringIncludes(text, '<a href="?sort=time&amp;order=desc">');
  assertEquals(text.match(/aria-sort/g)?.length, 1);
});

Deno.test("listingReply: an unchanged listing gets 304", async () => {
  const first = await list([file("a")]);
  const etag = String(first.headers["ETag"]);
  const again = await list([file("a")], { headers: { "if-none-match": etag } });
  assertEquals([again.status, again.body, again.headers["ETag"]], [304, null, etag]);
  assertEquals(again.headers["Vary"], "Accept, User-Agent");
  const changed = await list([file("b")], { headers: { "if-none-match": etag } });
  assertEquals(changed.status, 200);
  assertEquals(first.headers["Cache-Control"], "no-cache");
});

Deno.test("listingReply: HEAD has the header of GET; other types get 406", async () => {
  const get = await list([file("a")]);
  const head = await list([file("a")], { method: "HEAD" });
  assertEquals(head.headers, get.headers);
  const none = await list([file("a")], { search: "mimetype=image/png" });
  assertEquals(none.status, 406);
  assertEquals(
    await readText(none),
    "The listing is available as text/html, application/json, text/plain.\n",
  );
});

Deno.test("listingReply: offers archives and uploads only if they are on", async () => {
  const off = await readText(await list([file("a")]));
  assert(!off.includes("?tar=") && !off.includes('method="post"'));
  const on = await readText(
    await list([file("a")], {
      context: {
        ...context,
        canUpload: true,
        configuration: { ...context.configuration, archives: ["zst", "zip"] },
      },
      place: { path: "/in/", isHere: false },
    }),
  );
  assertStringIncludes(on, '<a href="?tar=zst" download>.tar.zst</a>');
  assertStringIncludes(on, '<a href="?tar=zip" download>.zip</a>');
  assertStringIncludes(on, 'enctype="multipart/form-data"');
});

/** Many entries; the last ones have the hostile names. */
const many: readonly Entry[] = [
  ...Array.from({ length: 2500 }, (_, index) => file(`0${String(index).padStart(4, "0")}`)),
  ...hostileNames.map((name) => file(`z${name}`)),
];

Deno.test("listingReply: a long listing has its first entries as rows, and the others as JSON", async () => {
  const text = await readText(await list(many, { headers: { accept: "text/html" } }));
  assertEquals(text.match(/<tr><th scope="row"><a/g)?.length, 500);
  const block = /<script type="application\/json" data-rest>(.*?)<\/script>\n(.*)/s;
  const [, data = "", after = ""] = block.exec(text) ?? [];
  assertEquals(text.match(/<script/g)?.length, 3);
  assert(!data.includes("<") && after.includes("</main>"), "the data ends where it should");
  const rest: [string, string, number, number, string?][] = JSON.parse(data);
  assertEquals(rest.length, many.length - 500);
  assertEquals(rest[0], ["00500", "file", 1, time / 1000]);
  for (const [name, , , , href] of rest) {
    assert(!/\p{Cc}|\u202e/u.test(name), name);
    // There is a link if it does not follow from the name.
    const address = new URL(href ?? `./${encodeURIComponent(name)}`, "http://h/pkg/");
    const path = decodeURIComponent(address.pathname);
    assert(many.some(({ name }) => path === `/pkg/${name.toWellFormed()}`), path);
  }
});

Deno.test("listingReply: programs that follow links get all rows of a long listing", async () => {
  const text = await readText(await list(many, { headers: { accept: "*/*" } }));
  assertEquals(text.match(/<tr><th scope="row"><a/g)?.length, many.length);
  assert(!text.includes("data-rest"));
});

Deno.test("listingReply: without script, links lead through the parts of a long listing", async () => {
  const names: string[] = [];
  for (let search: string | undefined = "sort=name"; search !== undefined;) {
    const text: string = await readText(
      await list(many, { search, headers: { accept: "text/html" } }),
    );
    names.push(
      ...[...text.matchAll(/<tr><th scope="row"><a[^>]*><bdi>([^<]*)/g)].map(([, name]) => {
        return name ?? "";
      }),
    );
    search = /<a href="\?([^"]*)">Next</.exec(text)?.[1]?.replaceAll("&amp;", "&");
  }
  assertEquals(names.length, many.length);
  assertEquals(new Set(names).size, many.length);
  for (const from of ["-1", "x", "99999999999", "9999"]) {
    const text = await readText(
      await list(many, { search: `from=${from}`, headers: { accept: "text/html" } }),
    );
    assertStringIncludes(text, "Rows 1 to 500 of");
  }
});

Deno.test("mergeEntries: own entries win over peers' entries of the same name, then the first peer", () => {
  const remote = (
    name: string,
    peer: string,
    dir = false,
  ): Parameters<typeof mergeEntries>[1][number] => ({
    name,
    href: `${peer}pkg/${name}`,
    peer,
    size: 5,
    mtime: 1_700_000_000,
    dir,
  });
  const merged = mergeEntries([file("ours")], [
    remote("ours", "http://10.0.0.2/"),
    remote("theirs", "http://10.0.0.2/"),
    remote("theirs", "http://10.0.0.3/"),
    remote("folder", "http://10.0.0.3/", true),
  ]);
  assertEquals(merged, [
    file("ours"),
    {
      name: "theirs",
      kind: "file",
      size: 5,
      modified: 1_700_000_000_000,
      remote: { peer: "http://10.0.0.2/", href: "http://10.0.0.2/pkg/theirs" },
    },
    {
      name: "folder",
      kind: "directory",
      size: null,
      modified: 1_700_000_000_000,
      remote: { peer: "http://10.0.0.3/", href: "http://10.0.0.3/pkg/folder" },
    },
  ]);
});

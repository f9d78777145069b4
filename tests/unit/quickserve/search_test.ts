import type { RemoteEntry } from "../../../src/peers/listing.ts";
import { compileFilters } from "../../../src/quickserve/filters.ts";
import { type SearchResult, searchTree, searchWords } from "../../../src/quickserve/search.ts";
import { SharedTree } from "../../../src/quickserve/tree.ts";
import { assert, assertEquals } from "../../assert.ts";
import { makeRequest } from "../../request.ts";
import { inScratch, shell, writeFiles } from "../../scratch.ts";
import { share, treeOf } from "./trees.ts";

type SearchLimits = NonNullable<Parameters<typeof searchTree>[5]>;

const LIMITS: SearchLimits = { results: 100, entries: 1000, time: 60_000, remoteDirectories: 16 };

async function search(
  tree: SharedTree,
  text: string,
  limits: Partial<SearchLimits> = {},
  segments: readonly string[] = [],
): Promise<SearchResult & { readonly names: string[] }> {
  const all = { ...LIMITS, ...limits };
  const result = await searchTree(tree, null, segments, searchWords(text), makeRequest(), all);
  return { ...result, names: result.entries.map(({ name }) => name) };
}

Deno.test("searchTree: finds names with all words at any depth, in any case, the nearest first", () =>
  inScratch(async (directory) => {
    writeFiles(directory, {
      "s/deep/er/Foo Bar.txt": "",
      "s/foo.txt": "",
      "s/barfoo/inside": "",
      "s/A\u0308rger foo bar": "",
    });
    const tree = new SharedTree(treeOf([share("s", `${directory}/s`)]));
    const { names, endedBy } = await search(tree, "  FOO bar ");
    assertEquals(names, ["s/A\u0308rger foo bar", "s/barfoo", "s/deep/er/Foo Bar.txt"]);
    assertEquals(endedBy, null);
    assertEquals((await search(tree, "ärger")).names, ["s/A\u0308rger foo bar"]);
    assertEquals((await search(tree, "foo", {}, ["s", "deep"])).names, ["er/Foo Bar.txt"]);
    assertEquals((await search(tree, "foo", {}, ["none"])).names, []);
  }));

Deno.test("searchTree: finds no hidden files, and nothing below hidden directories", () =>
  inScratch(async (directory) => {
    writeFiles(directory, {
      "s/.hidden/find1": "",
      "s/.find2": "",
      "s/secret/find3": "",
      "s/open/find4": "",
      "out/find5": "",
    });
    shell(directory, "ln -s ../out s/link; ln -s open s/again; ln -s .. s/open/up");
    const filters = [{ action: "exclude", expression: "/secret$" }] as const;
    const configuration = treeOf([share("s", `${directory}/s`)], { filters });
    const tree = new SharedTree(configuration, await compileFilters(filters));
    // `again` is a link to the same directory, which is searched once.
    assertEquals((await search(tree, "find")).names, ["s/again/find4"]);
  }));

Deno.test("searchTree: each limit ends the search, and endedBy names it", () =>
  inScratch(async (directory) => {
    const files = Array.from({ length: 9 }, (_, index) => [`s/${index}/file`, ""]);
    writeFiles(directory, Object.fromEntries(files));
    const tree = new SharedTree(treeOf([share("s", `${directory}/s`)]));
    assertEquals((await search(tree, "file")).endedBy, null);
    const few = await search(tree, "file", { results: 4 });
    assertEquals([few.names.length, few.endedBy], [4, "results"]);
    const shallow = await search(tree, "file", { entries: 12 });
    assertEquals([shallow.names.length, shallow.endedBy], [2, "entries"]);
    assertEquals((await search(tree, "file", { time: -1 })).endedBy, "time");
    assertEquals((await search(tree, "file", { results: 9 })).endedBy, null);
  }));

Deno.test("searchTree: requests at most `remoteDirectories` directories from peers, at any depth", async () => {
  const asked: string[] = [];
  const list = (segments: readonly string[]): Promise<RemoteEntry[]> => {
    asked.push(segments.join("/"));
    const url = `http://10.0.0.2/${segments.map((name) => `${name}/`).join("")}`;
    const entry = { peer: "http://10.0.0.2/", size: null, mtime: 0 };
    return Promise.resolve([
      { ...entry, name: "deeper", href: `${url}deeper/`, dir: true },
      { ...entry, name: "file", href: `${url}file`, dir: false },
    ]);
  };
  const tree = new SharedTree(treeOf([]));
  const limits = { ...LIMITS, remoteDirectories: 3 };
  const { entries, endedBy } = await searchTree(
    tree,
    { list },
    [],
    ["file"],
    makeRequest(),
    limits,
  );
  assertEquals(asked, ["", "deeper", "deeper/deeper"]);
  assertEquals(entries.map(({ name, remote }) => [name, remote?.href]), [
    ["file", "http://10.0.0.2/file"],
    ["deeper/file", "http://10.0.0.2/deeper/file"],
    ["deeper/deeper/file", "http://10.0.0.2/deeper/deeper/file"],
  ]);
  assertEquals(endedBy, "remoteDirectories");
});

Deno.test("searchTree: other clients are answered while the directories that a peer lists are looked for", () =>
  inScratch(async (directory) => {
    const entry = { peer: "http://10.0.0.2/", href: "http://10.0.0.2/", size: null, mtime: 0 };
    const all = Array.from(
      { length: 20_000 },
      (_, index) => ({ ...entry, name: `made up ${index}`, dir: true }),
    );
    const list = (segments: readonly string[]): Promise<RemoteEntry[]> =>
      Promise.resolve(segments.length === 0 ? all : []);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const tree = new SharedTree(treeOf([share("", directory)]));
    const limits = { ...LIMITS, entries: 100_000 };
    await searchTree(tree, { list }, [], ["none"], makeRequest(), limits);
    clearInterval(timer);
    assert(turns > 3, `the event loop had ${turns} turns`);
  }));

Deno.test("searchTree: finds no unreadable files, and nothing below unreadable directories", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { "s/closed/find1": "", "s/find2": "", "s/open/find3": "" });
    const tree = new SharedTree(treeOf([share("s", `${directory}/s`)]));
    Deno.chmodSync(`${directory}/s/closed`, 0);
    Deno.chmodSync(`${directory}/s/find2`, 0);
    try {
      const isRoot = Deno.uid() === 0;
      const everything = ["s/find2", "s/closed/find1", "s/open/find3"];
      assertEquals((await search(tree, "find")).names, isRoot ? everything : ["s/open/find3"]);
    } finally {
      Deno.chmodSync(`${directory}/s/closed`, 0o755);
    }
  }));

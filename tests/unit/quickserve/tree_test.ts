import type { TreeConfiguration } from "../../../src/quickserve/configuration.ts";
import { SharedTree } from "../../../src/quickserve/tree.ts";
import { temporaryName } from "../../../src/quickserve/uploads/temporary.ts";
import { assert, assertEquals } from "../../assert.ts";
import { share, treeOf } from "./trees.ts";
import { inScratch, shell, writeFiles } from "../../scratch.ts";

/** Returns the names in the directory at `path` (`a/b`); null when there is no directory. */
async function names(tree: SharedTree, path: string): Promise<string[] | null> {
  const found = tree.lookup(path.split("/").filter((segment) => segment !== ""));
  if (found?.kind !== "directory") return null;
  return (await tree.list(found)).map((entry) => entry.name);
}

/** Returns the content of the file at `path`; null when there is no file. */
function content(tree: SharedTree, path: string): string | null {
  const found = tree.lookup(path.split("/"));
  if (found?.kind !== "file") return null;
  const opened = tree.open(found);
  if (opened === null) return null;
  const { file } = opened;
  try {
    const bytes = new Uint8Array(found.size);
    file.readSync(bytes);
    return new TextDecoder().decode(bytes);
  } finally {
    file.close();
  }
}

Deno.test("SharedTree: a share appears at its path, with its parent directories", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { "cache/foo.pkg.tar.zst": "foo", "cache/sub/deep.txt": "deep" });
    const tree = new SharedTree(treeOf([share("a/b/c", `${directory}/cache`)]));
    assertEquals(await names(tree, ""), ["a"]);
    assertEquals(await names(tree, "a"), ["b"]);
    assertEquals(await names(tree, "a/b"), ["c"]);
    assertEquals(await names(tree, "a/b/c"), ["foo.pkg.tar.zst", "sub"]);
    assertEquals(content(tree, "a/b/c/foo.pkg.tar.zst"), "foo");
    assertEquals(content(tree, "a/b/c/sub/deep.txt"), "deep");
    assertEquals(tree.lookup(["a", "b", "c", "none"]), null);
    assertEquals(tree.lookup(["a", "none"]), null);
    const found = tree.lookup(["a", "b", "c", "foo.pkg.tar.zst"]);
    const info = Deno.statSync(`${directory}/cache/foo.pkg.tar.zst`);
    assert(found?.kind === "file");
    assertEquals(found.size, 3);
    assertEquals(found.modified, info.mtime?.getTime());
    assertEquals([found.device, found.inode], [info.dev, info.ino]);
  }));

Deno.test("SharedTree: merges directories at one path; the first one with a name wins", () =>
  inScratch(async (directory) => {
    writeFiles(directory, {
      "one/same": "one",
      "one/only1": "1",
      "one/sub/a": "a",
      "one/inTheWay": "file",
      "two/same": "two!",
      "two/only2": "2",
      "two/sub/b": "b",
      "two/inTheWay/x": "x",
      "three/same": "three",
      "three/only3": "3",
    });
    const tree = new SharedTree(
      treeOf([
        share("pkg", `${directory}/one`, `${directory}/missing`, `${directory}/two`),
        share("pkg", `${directory}/three`),
      ]),
    );
    assertEquals(await names(tree, "pkg"), [
      "inTheWay",
      "only1",
      "only2",
      "only3",
      "same",
      "sub",
    ]);
    assertEquals(content(tree, "pkg/same"), "one");
    assertEquals(content(tree, "pkg/only3"), "3");
    assertEquals(await names(tree, "pkg/sub"), ["a", "b"]);
    assertEquals(content(tree, "pkg/sub/b"), "b");
    assertEquals(content(tree, "pkg/inTheWay/x"), null);
    const root = tree.lookup(["pkg"]);
    assert(root?.kind === "directory");
    const same = (await tree.list(root)).find((entry) => entry.name === "same");
    assertEquals(same?.size, 3);
  }));

Deno.test("SharedTree: a share may be the root, a file, or inside of another share", () =>
  inScratch(async (directory) => {
    writeFiles(directory, {
      "site/index.html": "<p>",
      "site/docs/a": "a",
      "more/b": "b",
      "single.txt": "single",
    });
    const tree = new SharedTree(
      treeOf([
        share("", `${directory}/site`),
        share("docs", `${directory}/more`),
        share("docs/c", `${directory}/single.txt`),
        share("gone.txt", `${directory}/gone.txt`),
      ]),
    );
    assertEquals(await names(tree, ""), ["docs", "index.html"]);
    assertEquals(await names(tree, "docs"), ["a", "b", "c"]);
    assertEquals(content(tree, "docs/c"), "single");
    assertEquals(content(tree, "docs/a"), "a");
    assertEquals(tree.lookup(["docs", "c", "x"]), null);
    assertEquals(tree.lookup(["gone.txt"]), null);
    writeFiles(directory, { "gone.txt": "back" });
    assertEquals(content(tree, "gone.txt"), "back");
  }));

Deno.test("SharedTree: without shares, the root is empty", async () => {
  const tree = new SharedTree(treeOf([]));
  assertEquals(await names(tree, ""), []);
  assertEquals(tree.lookup(["etc"]), null);
});

Deno.test("SharedTree: new and removed files take effect at once", () =>
  inScratch(async (directory) => {
    const tree = new SharedTree(treeOf([share("pkg", `${directory}/later`)]));
    assertEquals(tree.lookup(["pkg"]), null);
    assertEquals(await names(tree, ""), []);
    writeFiles(directory, { "later/a": "a" });
    assertEquals(content(tree, "pkg/a"), "a");
    Deno.removeSync(`${directory}/later/a`);
    assertEquals(tree.lookup(["pkg", "a"]), null);
    writeFiles(directory, { "later/a": "again" });
    assertEquals(content(tree, "pkg/a"), "again");
  }));

Deno.test("SharedTree: hidden names are left out, except with showHidden or as a share's path", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { "s/.git/config": "c", "s/.env": "e", "s/a/.b": "b", "s/ok": "ok" });
    const shares = [share("s", `${directory}/s`), share(".env", `${directory}/s/.env`)];
    const tree = new SharedTree(treeOf(shares));
    assertEquals(await names(tree, "s"), ["a", "ok"]);
    assertEquals(await names(tree, "s/a"), []);
    for (const path of ["s/.git", "s/.git/config", "s/.env", "s/a/.b"]) {
      assertEquals(tree.lookup(path.split("/")), null, path);
    }
    assertEquals(content(tree, ".env"), "e");
    const all = new SharedTree(treeOf(shares, { showHidden: true }));
    assertEquals(await names(all, "s"), [".env", ".git", "a", "ok"]);
    assertEquals(content(all, "s/.git/config"), "c");
  }));

Deno.test("SharedTree: unfinished uploads are left out, even with showHidden", () =>
  inScratch(async (directory) => {
    const name = temporaryName();
    writeFiles(directory, { [name]: "half" });
    const tree = new SharedTree(treeOf([share("", directory)], { showHidden: true }));
    assertEquals(await names(tree, ""), []);
    assertEquals(tree.lookup([name]), null);
  }));

Deno.test("SharedTree: a package cache leaves out unfinished downloads", () =>
  inScratch(async (directory) => {
    writeFiles(directory, {
      "c/foo.pkg.tar.zst": "",
      "c/foo.pkg.tar.zst.part": "",
      "c/download-abc/bar.pkg.tar.zst": "",
      "c/download-file": "",
    });
    const cache = { ...share("pkg", `${directory}/c`), packageCache: true };
    const tree = new SharedTree(treeOf([cache, share("all", `${directory}/c`)]));
    assertEquals(await names(tree, "pkg"), ["download-file", "foo.pkg.tar.zst"]);
    assertEquals(tree.lookup(["pkg", "foo.pkg.tar.zst.part"]), null);
    assertEquals(tree.lookup(["pkg", "download-abc"]), null);
    assertEquals(tree.lookup(["pkg", "download-abc", "bar.pkg.tar.zst"]), null);
    assertEquals((await names(tree, "all"))?.length, 4);
  }));

Deno.test("SharedTree: the last matching filter decides, in look-ups and listings", () =>
  inScratch(async (directory) => {
    writeFiles(directory, {
      "s/a.iso": "",
      "s/b.iso": "",
      "s/c.txt": "c",
      "s/private/p.txt": "",
      "s/private/keep.txt": "",
    });
    const configuration: TreeConfiguration = treeOf([share("s", `${directory}/s`)], {
      filters: [
        { action: "include", expression: "nothing" },
        { action: "exclude", expression: "\\.iso$" },
        { action: "include", expression: "^/s/b\\." },
        { action: "exclude", expression: "^/s/private$" },
        { action: "include", expression: "keep" },
      ],
    });
    const tree = await SharedTree.create(configuration);
    assertEquals(await names(tree, "s"), ["b.iso", "c.txt"]);
    assertEquals(tree.lookup(["s", "a.iso"]), null);
    assertEquals(tree.lookup(["s", "private"]), null);
    assertEquals(tree.lookup(["s", "private", "keep.txt"]), null);
    assertEquals(content(tree, "s/c.txt"), "c");
  }));

Deno.test("SharedTree: FIFOs, sockets and devices are left out and block nothing", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { ok: "ok" });
    shell(directory, "mkfifo pipe; ln -s /dev/zero zero; ln -s pipe link");
    const listener = Deno.listen({ transport: "unix", path: `${directory}/socket` });
    try {
      for (const followLinks of [false, true]) {
        const tree = new SharedTree(treeOf([share("", directory)], { followLinks }));
        assertEquals(await names(tree, ""), ["ok"]);
        for (const name of ["pipe", "zero", "socket", "link"]) {
          assertEquals(tree.lookup([name]), null, name);
        }
      }
    } finally {
      listener.close();
    }
  }));

Deno.test("SharedTree: odd names are served, and names that are not UTF-8 do no harm", () =>
  inScratch(async (directory) => {
    const odd = ["new\nline", "tab\t", "back\\slash", "%2e%2e", "..;", "…", "a\u0001b", "<b>&'\""];
    for (const name of odd) writeFiles(directory, { [name]: name });
    shell(directory, "touch \"$(printf 'broken\\377\\376')\"; mkdir \"$(printf 'dir\\355')\"");
    const tree = new SharedTree(treeOf([share("", directory)], { showHidden: true }));
    assertEquals(await names(tree, ""), [...odd].sort());
    for (const name of odd) assertEquals(content(tree, name), name);
  }));

import { SharedTree } from "../../../src/quickserve/tree.ts";
import { assert, assertEquals } from "../../assert.ts";
import { share, treeOf } from "./trees.ts";
import { inScratch, shell, writeFiles } from "../../scratch.ts";

/** Returns the content of the file at `path`; null otherwise. */
function read(tree: SharedTree, path: string): string | null {
  const found = tree.lookup(path.split("/"));
  if (found?.kind !== "file") return null;
  const opened = tree.open(found);
  if (opened === null) return null;
  const { file } = opened;
  const bytes = new Uint8Array(100);
  try {
    return new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
  } finally {
    file.close();
  }
}

async function names(tree: SharedTree, ...segments: string[]): Promise<string[]> {
  const found = tree.lookup(segments);
  assert(found?.kind === "directory");
  return (await tree.list(found)).map((entry) => entry.name);
}

/** Creates a share `s`, another `t`, and a directory that is not shared, with links between them. */
function prepare(directory: string): void {
  writeFiles(directory, {
    "s/a": "a",
    "s/sub/b": "b",
    "s/.hidden/h": "hidden",
    "s/x.part": "part",
    "t/c": "c",
    "out/secret": "secret",
    "s2/near": "not shared",
  });
  shell(
    directory,
    `cd s; ln -s a inside; ln -s sub indir; ln -s ../t/c other; ln -s ../t otherdir
    ln -s ../out/secret outside; ln -s ../out outdir; ln -s /etc/passwd absolute; ln -s / root
    ln -s nowhere dangling; ln -s loop loop; ln -s .. up; ln -s ../s2/near near
    ln -s .hidden/h tohidden; ln -s .hidden tohiddendir; ln -s outside chain; ln -s ../s self
    cp -l ../out/secret hardlink`,
  );
}

Deno.test("SharedTree: links work only if they lead to shared files", () =>
  inScratch(async (directory) => {
    prepare(directory);
    const shares = [share("s", `${directory}/s`), share("t", `${directory}/t`)];
    const tree = new SharedTree(treeOf(shares));
    assertEquals(read(tree, "s/inside"), "a");
    assertEquals(read(tree, "s/indir/b"), "b");
    assertEquals(read(tree, "s/other"), "c");
    assertEquals(read(tree, "s/otherdir/c"), "c");
    assertEquals(read(tree, "s/self/a"), "a");
    assertEquals(read(tree, "s/hardlink"), "secret");
    for (
      const path of [
        ..."outside outdir absolute root dangling loop up near tohidden chain".split(" "),
        ..."tohiddendir tohiddendir/h outdir/secret root/etc/passwd up/out/secret".split(" "),
        "self/outside",
      ]
    ) {
      assertEquals(tree.lookup(`s/${path}`.split("/")), null, path);
    }
    assertEquals(await names(tree, "s"), [
      "a",
      "hardlink",
      "indir",
      "inside",
      "other",
      "otherdir",
      "self",
      "sub",
      "x.part",
    ]);
    const follows = new SharedTree(treeOf(shares, { followLinks: true }));
    assertEquals(read(follows, "s/outside"), "secret");
    assertEquals(read(follows, "s/outdir/secret"), "secret");
    assert((await names(follows, "s")).includes("outdir"));
    assertEquals(follows.lookup(["s", "loop"]), null);
  }));

Deno.test("SharedTree: a link cannot bypass filters or show unfinished downloads", () =>
  inScratch(async (directory) => {
    prepare(directory);
    shell(directory, "ln -s x.part s/whole");
    const tree = await SharedTree.create(
      treeOf([{ path: "s", sources: [`${directory}/s`], packageCache: true }], {
        filters: [{ action: "exclude", expression: "^/s/sub$" }],
      }),
    );
    assertEquals(tree.lookup(["s", "indir"]), null);
    assertEquals(tree.lookup(["s", "indir", "b"]), null);
    assertEquals(tree.lookup(["s", "whole"]), null);
    assertEquals(read(tree, "s/inside"), "a");
  }));

Deno.test("SharedTree: a source may be a link, and its target may change", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { "v1/a": "one", "v2/a": "two", "v2/b": "b" });
    shell(directory, "ln -s v1 current; ln -s v1/a file");
    const tree = new SharedTree(
      treeOf([share("s", `${directory}/current/`), share("f", `${directory}/file`)]),
    );
    assertEquals(read(tree, "s/a"), "one");
    assertEquals(read(tree, "f"), "one");
    shell(directory, "ln -sfn v2 current");
    assertEquals(read(tree, "s/a"), "two");
    assertEquals(await names(tree, "s"), ["a", "b"]);
    shell(directory, "rm -r v2; mkdir v2; echo -n new > v2/a");
    assertEquals(read(tree, "s/a"), "new");
  }));

Deno.test("SharedTree: swapping a directory for a link never shows a file outside of the shares", () =>
  inScratch(async (directory) => {
    writeFiles(directory, { "s/d/f": "mine", "out/f": "secret", "out/only": "secret" });
    shell(directory, "ln -s ../out s/link");
    // Another process exchanges the directory and the link, as fast as it can.
    const swapper = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `const s = ${JSON.stringify(`${directory}/s`)};
        console.log("swapping");
        const end = Date.now() + 2500;
        while (Date.now() < end) {
          Deno.renameSync(s + "/d", s + "/kept");
          Deno.renameSync(s + "/link", s + "/d");
          Deno.renameSync(s + "/d", s + "/link");
          Deno.renameSync(s + "/kept", s + "/d");
        }`,
      ],
      stdout: "piped",
    }).spawn();
    const output = swapper.stdout.getReader();
    await output.read();
    const tree = new SharedTree(treeOf([share("s", `${directory}/s`)]));
    const seen = { mine: 0, nothing: 0 };
    let swapping = true;
    const ended = swapper.status.then(() => swapping = false);
    try {
      while (swapping) {
        for (let round = 0; round < 200; round++) {
          const content = read(tree, "s/d/f");
          assert(content !== "secret", "a file outside of the share was served");
          if (content === "mine") seen.mine++;
          else seen.nothing++;
          assertEquals(tree.lookup(["s", "d", "only"]), null);
        }
        const listed = tree.lookup(["s", "d"]);
        if (listed?.kind === "directory") {
          const entries = await tree.list(listed);
          assert(!entries.some(({ name }) => name === "only"), "a name outside was listed");
        }
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    } finally {
      if (swapping) swapper.kill();
      await ended;
      await output.cancel();
    }
    assert(seen.mine > 0 && seen.nothing > 0, "the swapping was never seen");
    assertEquals(read(tree, "s/d/f"), "mine");
  }));

/** A program that reads the tree as an ordinary user: it drops the privileges of root. */
const asNobody = `
import process from "node:process";
import { SharedTree } from "${new URL("../../../src/quickserve/tree.ts", import.meta.url)}";
if (process.getuid() === 0) {
  process.setgid(65534);
  process.setuid(65534);
}
const share = { path: "s", sources: [Deno.args[0]], packageCache: false };
const tree = new SharedTree(
  { shares: [share], filters: [], showHidden: false, followLinks: false },
);
const s = tree.lookup(["s"]);
const listed = (await tree.list(s)).map((entry) => entry.name);
const found = ["open", "closed", "shut", "shut/inside", "ok/inside"].filter((path) =>
  tree.lookup(["s", ...path.split("/")]) !== null
);
console.log(JSON.stringify({ listed, found }));
`;

Deno.test("SharedTree: unreadable files are left out, and all others are shown", () =>
  inScratch(async (directory) => {
    writeFiles(directory, {
      "s/open": "",
      "s/closed": "",
      "s/shut/inside": "",
      "s/ok/inside": "",
      "look.ts": asNobody,
    });
    shell(directory, "chmod 755 . s; chmod 0 s/closed s/shut");
    try {
      const expected = { listed: ["ok", "open"], found: ["open", "ok/inside"] };
      assertEquals(JSON.parse(await lookAsNobody(directory)), expected);
    } finally {
      shell(directory, "chmod 755 s/shut");
    }
  }));

/** Runs `look.ts` of a directory on its `s`, without the privileges of root. */
async function lookAsNobody(directory: string): Promise<string> {
  const configuration = new URL("../../../deno.json", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // Load the modules first and then drop the privileges: an ordinary user may not be able to read this
    // checkout and the runtime's cache.
    args: ["run", "--no-check", `--config=${configuration}`, "-A", "look.ts", `${directory}/s`],
    cwd: directory,
  }).output();
  const answer = new TextDecoder().decode(stdout);
  if (answer === "") throw new Error(new TextDecoder().decode(stderr));
  return answer;
}

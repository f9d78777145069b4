import { SharedTree } from "../../../src/quickserve/tree.ts";
import { SharedFiles } from "../../../src/server/own_files.ts";
import { assertEquals } from "../../assert.ts";
import { inScratch, writeFiles } from "../../scratch.ts";
import { share, treeOf } from "../quickserve/trees.ts";

const PACKAGE = "foo-1-1-any.pkg.tar.zst";

Deno.test("SharedFiles.packageNames: leaves out a package of wrong size, and takes a recent one to be growing", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { [PACKAGE]: "half", other: "other" });
    const expected = { size: 8, sha256: new Uint8Array(32) };
    const files = new SharedFiles(new SharedTree(treeOf([share("pkg", top)])), {
      known: (name) => name === PACKAGE ? [expected] : [],
    }, { has: () => false });
    assertEquals(await files.packageNames(), { names: ["other"], isGrowing: true });
    const anHourAgo = Date.now() / 1000 - 3600;
    Deno.utimeSync(`${top}/${PACKAGE}`, anHourAgo, anHourAgo);
    assertEquals(await files.packageNames(), { names: ["other"], isGrowing: false });
    writeFiles(top, { [PACKAGE]: "complete" });
    assertEquals(await files.packageNames(), { names: [PACKAGE, "other"], isGrowing: false });
  });
});

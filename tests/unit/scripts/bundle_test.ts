import { deferImports } from "../../../scripts/build/bundle.ts";
import { assertEquals } from "../../assert.ts";
import { inScratch, writeFiles } from "../quickserve/scratch.ts";

Deno.test("what may be imported later is hidden, but for what a worker must know", async () => {
  await inScratch(async (top) => {
    writeFiles(top, {
      "main.js": 'import"./shared.js";const run=()=>import("./run.js");import("node:https");',
      "run.js": 'import{x}from"./shared.js";',
      "worker.js": 'import{x}from"./body.js";',
      "worker_with_extras.js": 'import"./body.js";var EXTRAS=[()=>import("./extra.js")];',
      "body.js": 'import"./shared.js";export const x=()=>import("./extra.js")',
      "extra.js": "export{};",
      "shared.js": 'export const x=()=>import("./types.js")',
      "types.js": "export{};",
    });
    const read = (name: string): string => Deno.readTextFileSync(`${top}/${name}`);
    const before = new Map(["worker_with_extras.js", "shared.js", "run.js"].map((name) => {
      return [name, read(name)];
    }));
    await deferImports(top);
    assertEquals(
      read("main.js"),
      'import"./shared.js";const run=()=>import(import.meta.resolve("./run.js"));import("node:https");',
    );
    assertEquals(
      read("body.js"),
      'import"./shared.js";export const x=()=>import(import.meta.resolve("./extra.js"))',
    );
    for (const [name, text] of before) assertEquals(read(name), text, name);
  });
});

import type { ServerConfiguration } from "../../../src/server/configuration.ts";
import { workerFile } from "../../../src/server/worker_handle.ts";
import { assertEquals } from "../../assert.ts";
import { configurationOf } from "../../server_configuration.ts";
import { treeOf } from "../quickserve/scratch.ts";

Deno.test("only a worker that needs more than most is one that may import more", () => {
  const { pages } = configurationOf();
  const plain = configurationOf({ pages: { ...pages, archives: [] } });
  const uploads = { directory: "/tmp/in", allowOverwrite: false, maximumSize: null };
  const tree = { ...treeOf([]), filters: [{ action: "exclude" as const, expression: "x" }] };
  const cases: [ServerConfiguration, string][] = [
    [plain, "worker.ts"],
    [{ ...plain, uploads }, "worker_with_extras.ts"],
    [{ ...plain, tree }, "worker_with_extras.ts"],
    [{ ...plain, pages }, "worker_with_extras.ts"],
  ];
  for (const [configuration, name] of cases) {
    assertEquals(workerFile(configuration).pathname.split("/").at(-1), name);
  }
});

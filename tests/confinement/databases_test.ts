/** Tests the permissions of the worker that reads sync databases, and how its tables are passed on. */

import type { PacmanConfiguration } from "../../src/pacman/configuration.ts";
import { databaseScope, workerScope } from "../../src/server/confinement.ts";
import type { ServerConfiguration } from "../../src/server/configuration.ts";
import { Supervisor } from "../../src/server/supervisor.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { configurationOf } from "../server_configuration.ts";
import { addPackage } from "../unit/pacman/databases.ts";
import { inScratch, shell, writeFiles } from "../scratch.ts";
import type { Question } from "./asking_worker.ts";
import type { Orders, Outcomes } from "./probing_worker.ts";

/** A configuration of pacserve with the repository core and a directory of databases. */
function pacserveOf(databasePath: string): ServerConfiguration {
  const pacman: PacmanConfiguration = {
    cacheDirectories: [],
    databasePath,
    architectures: [],
    repositories: [{ name: "core", servers: [], packageSignatureRequired: true }],
  };
  return configurationOf({
    pacserve: {
      pacman,
      trustPeers: false,
      port: 1,
      hostNames: [],
      redirect: false,
      spool: null,
      authorities: [],
      proxies: null,
    },
  });
}

Deno.test("databaseScope: the worker can read the directory of the databases, and do nothing else", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "real/sync/core.db": "database", "real/local/secret": "secret" });
    writeFiles(top, { "real/sync2/secret": "secret", "cache/package": "package" });
    shell(top, "mkdir db && ln -s ../real/sync db/sync");
    const { pacserve } = pacserveOf(`${top}/db`);
    assert(pacserve !== null);
    const scope = databaseScope(pacserve.pacman);
    assertEquals(scope.read, [`${top}/db/sync`, `${top}/real/sync`]);
    const worker = new Worker(new URL("./probing_worker.ts", import.meta.url), {
      type: "module",
      deno: { permissions: { ...scope, read: [...scope.read] } },
    });
    const inside = [`${top}/db/sync/core.db`, `${top}/real/sync/core.db`];
    const outside = [
      `${top}/db/sync/../../cache/package`,
      `${top}/real/sync2/secret`,
      `${top}/real/local/secret`,
      `${top}/cache/package`,
      top,
      "/etc/passwd",
      "/proc/self/environ",
    ];
    const outcome = Promise.withResolvers<Outcomes>();
    worker.onmessage = ({ data }: MessageEvent<Outcomes>) => outcome.resolve(data);
    worker.onerror = (event) => (event.preventDefault(), outcome.reject(new Error(event.message)));
    const orders: Orders = { paths: [...inside, ...outside], module: `file://${top}/module.js` };
    worker.postMessage(orders);
    const { reads, writes, others } = await outcome.promise;
    worker.terminate();
    assertEquals(reads, [...inside.map(() => "allowed"), ...outside.map(() => "NotCapable")]);
    assertEquals(new Set(writes), new Set(["NotCapable"]));
    const { import: imported, ...refused } = others;
    assertEquals(imported, "TypeError");
    assert(Object.keys(refused).includes("connect") && Object.keys(refused).includes("listen"));
    for (const [name, result] of Object.entries(refused)) {
      assertEquals([name, result], [name, "NotCapable"]);
    }
  });
});

Deno.test("workerScope: the network worker cannot read the databases", async () => {
  await inScratch((top) => {
    writeFiles(top, { "db/sync/core.db": "" });
    assertEquals(workerScope(pacserveOf(`${top}/db`)).read, []);
  });
});

Deno.test("Supervisor: the network worker gets the tables of the databases, for each configuration", async () => {
  await inScratch(async (top) => {
    shell(top, "mkdir -p one/sync two/sync");
    const [one, two] = ["one", "two"].map((name) => {
      const file = addPackage(`${top}/${name}/sync`, "core.db.tar.gz", name);
      return { file, size: Deno.statSync(`${top}/${name}/sync/${file}`).size };
    });
    assert(one !== undefined && two !== undefined);
    const warnings: string[] = [];
    const log = { warn: (message: string): void => void warnings.push(message) };
    const workerFile = new URL("./asking_worker.ts", import.meta.url);
    const supervisor = new Supervisor(pacserveOf(`${top}/one`), log, { workerFile });
    await supervisor.start();
    const questions = new BroadcastChannel("pacserve-questions");
    const answers = new BroadcastChannel("pacserve-answers");
    const sizeOf = (name: string): Promise<number | null> => {
      const answer = Promise.withResolvers<number | null>();
      answers.onmessage = ({ data }: MessageEvent<number | null>) => answer.resolve(data);
      const question: Question = { repository: "core", name };
      questions.postMessage(question);
      return answer.promise;
    };
    try {
      assertEquals(await sizeOf(one.file), one.size);
      assertEquals(await sizeOf(two.file), null);
      // As after `pacman -Sy`.
      const three = addPackage(`${top}/one/sync`, "core.db.tar.gz", "three");
      assertEquals(await sizeOf(three), Deno.statSync(`${top}/one/sync/${three}`).size);
      assertEquals(warnings, []);
      await Deno.writeTextFile(`${top}/one/sync/core.db`, "<html>");
      assertEquals(await sizeOf(one.file), null);
      assertEquals(warnings.length, 1);
      assertMatch(warnings[0] ?? "", /one\/sync\/core\.db are not verified/);
      await supervisor.configure(pacserveOf(`${top}/two`));
      assertEquals(await sizeOf(two.file), two.size);
      assertEquals(await sizeOf(one.file), null);
      assertEquals(warnings.length, 1);
    } finally {
      questions.close();
      answers.close();
      await supervisor.stop(0);
    }
  });
});

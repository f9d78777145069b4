/** Tests the runtime's sandbox alone, without any of our own checks. */

import { normalize } from "node:path";
import { launchedCommands } from "../../scripts/build/commands.ts";
import { PROXY_VARIABLES } from "../../src/pacman/proxy_environment.ts";
import type { SpoolConfiguration } from "../../src/pacserve/configuration.ts";
import { type Scope, workerScope } from "../../src/server/confinement.ts";
import { assert, assertEquals } from "../assert.ts";
import { configurationOf } from "../server_configuration.ts";
import { hostilePaths } from "../unit/quickserve/hostile_paths.ts";
import { share, treeOf } from "../unit/quickserve/trees.ts";
import { inScratch, shell, writeFiles } from "../scratch.ts";
import type { Orders, Outcomes } from "./probing_worker.ts";

/** The local paths that a server without checks would derive from hostile request targets. */
function localPaths(top: string): string[] {
  const paths = new Set<string>();
  for (const target of hostilePaths) {
    for (const text of [target, decoded(target), decoded(decoded(target))]) {
      paths.add(`${top}/s/${text}`);
      paths.add(`${top}${text.startsWith("/") ? "" : "/"}${text}`);
      paths.add(text);
    }
  }
  // Leave relative paths out: they would depend on the current directory of the tests.
  return [...paths].filter((path) => path.startsWith("/") && !path.includes("\0"));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Lets a worker with the permissions of a configuration carry out orders. */
async function probe(
  configuration: ReturnType<typeof configurationOf>,
  orders: Orders,
): Promise<Outcomes> {
  const scope = workerScope(configuration);
  const worker = new Worker(new URL("./probing_worker.ts", import.meta.url), {
    type: "module",
    deno: {
      permissions: {
        ...scope,
        read: [...scope.read],
        write: [...scope.write],
        sys: [...scope.sys],
      },
    },
  });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Outcomes>): void => resolve(data);
      worker.onerror = (event): void => (event.preventDefault(), reject(new Error(event.message)));
      worker.postMessage(orders);
    });
  } finally {
    worker.terminate();
  }
}

function isInside(path: string, directory: string): boolean {
  const plain = normalize(path).replace(/\/$/, "");
  return plain === directory || plain.startsWith(`${directory}/`);
}

Deno.test("workerScope: the runtime refuses every path outside the scope", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "secret": "secret", "s/open": "open", "up/old": "old" });
    const module = `${top}/module.js`;
    writeFiles(top, { "module.js": "export {};" });
    const configuration = configurationOf({
      tree: treeOf([share("s", `${top}/s`)]),
      uploads: { directory: `${top}/up`, allowOverwrite: false, maximumSize: null },
    });
    const paths = [
      ...localPaths(top),
      "/etc/passwd",
      "/proc/self/environ",
      "/proc/self/mem",
      "/dev/mem",
      `${top}/secret`,
      `${top}/sibling`,
      `${top}/s2`,
    ];
    const outside = paths.filter((path) =>
      !isInside(path, `${top}/s`) && !isInside(path, `${top}/up`)
    );
    assert(outside.length >= 200, `${outside.length} paths`);
    const inside = [`${top}/s/open`, `${top}/up/old`, `${top}/up/new`];
    const { reads, writes } = await probe(configuration, {
      paths: [...outside, ...inside],
      module: `file://${module}`,
    });
    const refused = outside.map(() => "NotCapable");
    assertEquals(reads.slice(0, outside.length), refused);
    assertEquals(writes.slice(0, outside.length), refused);
    // Shared files can only be read; only the upload directory can be written.
    assertEquals(reads.slice(outside.length), ["allowed", "allowed", "NotFound"]);
    assertEquals(writes.slice(outside.length), ["NotCapable", "allowed", "allowed"]);
    assertEquals(await Deno.readTextFile(`${top}/s/open`), "open");
  });
});

Deno.test("workerScope: without uploads the worker can write nothing", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/open": "open" });
    const configuration = configurationOf({ tree: treeOf([share("s", `${top}/s`)]) });
    const orders = { paths: [`${top}/s/open`, `${top}/s/new`, "/tmp/new"], module: "data:," };
    const { writes } = await probe(configuration, orders);
    assertEquals(writes, ["NotCapable", "NotCapable", "NotCapable"]);
  });
});

Deno.test("workerScope: the worker and its workers can run no program, read no environment and load no code", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/module.js": "export {};" });
    const configuration = configurationOf({ tree: treeOf([share("s", `${top}/s`)]) });
    const asked: string[] = [];
    await using code = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => {
        asked.push(request.url);
        return new Response("export {};", { headers: { "Content-Type": "text/javascript" } });
      },
    );
    const module = `http://127.0.0.1:${code.addr.port}/module.js`;
    const { others } = await probe(configuration, { paths: [], module });
    const {
      "network interfaces": interfaces,
      connect,
      listen,
      import: imported,
      worker,
      ...refused
    } = others;
    // Nothing listens on port 1.
    assertEquals([interfaces, connect, listen], ["allowed", "ConnectionRefused", "allowed"]);
    // The runtime reports a TypeError. If importing were permitted, the server had been asked.
    assertEquals([imported, asked], ["TypeError", []]);
    assertEquals(worker, "NotCapable");
    for (const [name, outcome] of Object.entries(refused)) {
      assertEquals([name, outcome], [name, "NotCapable"]);
    }
  });
});

Deno.test("workerScope: the runtime follows a link out of a share, so our own checks must stop it", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "secret": "secret", "s/open": "open" });
    shell(top, "ln -s ../secret s/link");
    const configuration = configurationOf({ tree: treeOf([share("s", `${top}/s`)]) });
    const { reads } = await probe(configuration, { paths: [`${top}/s/link`], module: "data:," });
    // If a later runtime refuses this, SECURITY.md can promise more.
    assertEquals(reads, ["allowed"]);
  });
});

Deno.test("launchedCommands: each command has the permissions that SECURITY.md lists, and no others", () => {
  const granted = new Map(
    launchedCommands().map(({ name, permissions }) => [
      name,
      permissions.filter((flag) => flag.startsWith("--allow") || flag === "-A")
        .map((flag) => flag.replace(/=.*/, (list) => list.includes("/") ? "=paths" : list)),
    ]),
  );
  const server = "--allow-env=NOTIFY_SOCKET,JOURNAL_STREAM,CREDENTIALS_DIRECTORY";
  const system = "--allow-sys=networkInterfaces,hostname";
  const files = ["--allow-net", "--allow-read", "--allow-write"];
  assertEquals(
    granted,
    new Map([
      ["pacserve", [
        `${server},XDG_STATE_HOME,HOME,${PROXY_VARIABLES}`,
        ...files,
        "--allow-run=paths",
        `${system},statfs`,
      ]],
      ["quickserve", [server, ...files, system]],
      ["pacsrv", [
        `--allow-env=PACMAN,XDG_CACHE_HOME,HOME,LIBALPM,${PROXY_VARIABLES}`,
        ...files,
        "--allow-sys=uid",
      ]],
      ["pacman.conf-insert_pacserve", ["--allow-read"]],
      ["pacserve-status", [
        "--allow-env=NO_COLOR,TERM",
        "--allow-net",
        "--allow-read",
        "--allow-run=paths",
        "--allow-sys=uid,hostname,networkInterfaces,statfs",
      ]],
      [
        "pacserve-ports",
        ["--allow-read", "--allow-write=paths", "--allow-run=paths", "--allow-sys=uid"],
      ],
    ]),
  );
  for (const { permissions } of launchedCommands()) {
    assert(permissions.includes("--no-prompt"), "a prompt would wait for ever");
    const run = permissions.find((flag) => flag.startsWith("--allow-run="))?.slice(12).split(",");
    for (const program of run ?? []) {
      assert(program.startsWith("/"), `${program} is not an absolute path`);
    }
  }
});

Deno.test("workerScope: with a spool the worker may also write there and ask for free disk space", () => {
  const pacman = {
    cacheDirectories: ["/srv/cache"],
    databasePath: "/srv/db",
    architectures: ["x86_64"],
    repositories: [],
  };
  const pacserve = {
    pacman,
    trustPeers: false,
    port: 15678,
    hostNames: [],
    authorities: [],
    proxies: null,
  };
  const scopeWith = (spool: SpoolConfiguration | null): Scope =>
    workerScope(configurationOf({
      program: "pacserve",
      tree: treeOf([share("pkg", "/srv/cache")]),
      pacserve: { ...pacserve, redirect: spool === null, spool },
    }));
  const relaying = scopeWith({ directory: "/srv/spool", size: 1e9 });
  assertEquals(relaying.read, ["/srv/cache", "/srv/spool"]);
  assertEquals(relaying.write, ["/srv/spool"]);
  assertEquals(relaying.sys, ["networkInterfaces", "statfs"]);
  const redirecting = scopeWith(null);
  assertEquals([redirecting.write, redirecting.sys], [[], ["networkInterfaces"]]);
});

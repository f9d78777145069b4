/** Tests that `--print-permissions` prints the permissions that the threads actually get. */

import { launchedCommands } from "../../scripts/build/commands.ts";
import { assertEquals, assertMatch } from "../assert.ts";
import { programCommand } from "../lan/pacserve.ts";
import { must } from "../lan/process.ts";
import { inScratch, shell, writeFiles } from "../scratch.ts";

/** The beginnings of the parts of the text. */
const PARTS = {
  "worker": "The worker, which answers",
  "database worker": "The worker that reads pacman's sync databases",
  "main thread": "The main thread",
};

/** The paths after a word in a part of the text. */
function paths(text: string, word: string, part: keyof typeof PARTS = "worker"): string[] {
  const start = PARTS[part];
  const found = text.split(/^(?=The )/m).find((one) => one.startsWith(start)) ?? "";
  const lines = new RegExp(`^  ${word} +(.*(?:\n {12}.*)*)$`, "m").exec(found)?.[1] ?? "";
  return lines.split("\n").map((line) => line.trim());
}

/** The flags of `deno run` for the permissions of the main thread in the text. */
function flags(text: string): string[] {
  const of = (word: string): string =>
    paths(text, word, "main thread").join(",").replaceAll(", ", ",");
  return [
    `--allow-env=${of("variables")}`,
    ...of("connect").startsWith("anywhere") ? ["--allow-net"] : [],
    ...of("read").startsWith("any path") ? ["--allow-read"] : [],
    ...of("write").startsWith("any path") ? ["--allow-write"] : [],
    ...of("run") === "nothing" ? [] : [`--allow-run=${of("run")}`],
    `--allow-sys=${of("system")}`,
  ];
}

/** The permissions that the launcher of a command grants. */
function granted(name: string): string[] {
  const command = launchedCommands().find((one) => one.name === name);
  return command?.permissions.filter((flag) => flag.startsWith("--allow-")) ?? [];
}

Deno.test("--print-permissions: quickserve may read its shares, write its upload directory, and nothing else", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/file": "file", "up/old": "old", "elsewhere/file": "file" });
    shell(top, "ln -s elsewhere link");
    const shown = async (...words: string[]): Promise<string> =>
      await must([...programCommand("quickserve"), "--print-permissions", ...words]);

    const shared = await shown(`${top}/s`, `${top}/link`);
    assertEquals(paths(shared, "read"), [`${top}/elsewhere`, `${top}/link`, `${top}/s`]);
    assertEquals(paths(shared, "write"), ["nothing"]);
    assertMatch(shared, /run, load native code, see the environment, import code: nothing/);
    assertMatch(shared, /main thread[^]*write +nothing[^]*run +nothing/);

    const uploads = await shown("--upload", `${top}/up`);
    assertEquals([paths(uploads, "read"), paths(uploads, "write")], [[`${top}/up`], [`${top}/up`]]);
    assertEquals(flags(uploads), granted("quickserve"));
    assertEquals(paths(uploads, "read", "database worker"), [""]);
    // Without uploads the permission to write is dropped.
    assertEquals(flags(shared), granted("quickserve").filter((flag) => flag !== "--allow-write"));
  });
});

Deno.test("--print-permissions: pacserve's worker may read the caches of pacman.conf, and write only its spool", async () => {
  await inScratch(async (top) => {
    const lines = [
      "[options]",
      `RootDir = ${top}`,
      `DBPath = ${top}/db`,
      `CacheDir = ${top}/cache`,
    ];
    writeFiles(top, { "pacman.conf": lines.join("\n"), "cache/x": "", "db/x": "", "spool/x": "" });
    const shown = async (...words: string[]): Promise<string> =>
      await must([
        ...programCommand("pacserve"),
        ...["--pacman-conf", `${top}/pacman.conf`, "--print-permissions", ...words],
      ]);
    const read = (text: string): string[] =>
      paths(text, "read").map((path) => path.replace(/\/$/, ""));

    const relaying = await shown("--spool-directory", `${top}/spool`);
    assertEquals(read(relaying), [`${top}/cache`, `${top}/spool`]);
    assertEquals(paths(relaying, "write"), [`${top}/spool`]);
    assertEquals(paths(relaying, "system"), ["networkInterfaces, statfs"]);
    assertEquals(flags(relaying), granted("pacserve"));

    // On any free port it keeps no counters, and thus nothing.
    const redirecting = await shown("--redirect", "--port", "0");
    assertEquals(read(redirecting), [`${top}/cache`]);
    assertEquals(paths(redirecting, "write"), ["nothing"]);
    assertEquals(paths(redirecting, "system"), ["networkInterfaces"]);
    assertEquals(paths(redirecting, "read", "database worker"), [`${top}/db/sync`]);
    assertMatch(redirecting, /connect, listen, write, ask the system, and all else: nothing/);
    const isKept = (flag: string): boolean => flag !== "--allow-write";
    assertEquals(flags(redirecting), granted("pacserve").filter(isKept));

    // The counters are the main thread's business: the worker may not write there.
    const counting = await shown("--redirect", "--state-directory", `${top}/spool`);
    assertEquals(paths(counting, "write"), ["nothing"]);
    assertEquals(read(counting), [`${top}/cache`]);
    assertEquals(flags(counting), granted("pacserve"));
    const kept = paths(counting, "write", "main thread").join();
    assertEquals(kept, `any path (it keeps the counters in ${top}/spool)`);

    const connect = (text: string): string[] => paths(text, "connect");
    assertEquals(connect(redirecting), ["anywhere, and listen"]);
    assertMatch(connect(await shown("--mdns")).join(), /listen; .* UDP port 5353 \(--mdns\)$/);
  });
});

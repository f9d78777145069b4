/** Runs commands as programs, with their real permissions. */

import { join } from "node:path";
import { launchedCommands } from "../../../scripts/build/commands.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { inScratch } from "../../scratch.ts";

const checkout = new URL("../../../", import.meta.url).pathname;
const INSERT = "pacman.conf-insert_pacserve";

async function run(
  name: string,
  ...words: readonly string[]
): Promise<{ code: number; bytes: Uint8Array; stdout: string; stderr: string }> {
  const permissions = launchedCommands().find((command) => command.name === name)?.permissions;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...permissions ?? [], join(checkout, "src/main.ts"), name, ...words],
    cwd: checkout,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, bytes: stdout, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("insert_pacserve keeps all bytes, and names included files that define repositories", async () => {
  await inScratch(async (directory) => {
    const path = join(directory, "pacman.conf");
    const included = join(directory, "own.conf");
    await Deno.writeTextFile(included, "[own]\n[second]\n[own]\n");
    await Deno.writeTextFile(join(directory, "list"), "Server = http://m/\n");
    const encode = (text: string): number[] => [...new TextEncoder().encode(text)];
    const before = encode(`#`).concat(0xfc, encode(`\r\n[core]\r\n`));
    const after = encode(`Include = ${directory}/*.conf\nInclude = ${directory}/list`);
    await Deno.writeFile(path, Uint8Array.from([...before, ...after]));
    const { code, bytes, stderr } = await run(INSERT, path);
    const inserted = encode("Include = /etc/pacman.d/pacserve\r\n");
    assertEquals([...bytes], [...before, ...inserted, ...after]);
    assertEquals(stderr.trim().split("\n").length, 1);
    assertMatch(stderr, /own\.conf also defines own, second/);
    assertEquals(code, 0);
  });
});

Deno.test("insert_pacserve reports an error in one line", async () => {
  await inScratch(async (directory) => {
    for (
      const [status, ...words] of [
        [1, join(directory, "missing")],
        [1, directory],
        [2, "one", "two"],
        [2, "--wrong"],
      ] as const
    ) {
      const { code, stdout, stderr } = await run(INSERT, ...words);
      assertEquals([code, stdout], [status, ""]);
      assertEquals(stderr.trim().split("\n").length, 1);
      assertStringIncludes(stderr, words.at(-1) ?? "");
    }
  });
});

Deno.test("pacserve-ports: wrong usage ends with status 2 and one line", async () => {
  for (const words of [[], ["opne"], ["open", "close"], ["--config"]]) {
    const { code, stdout, stderr } = await run("pacserve-ports", ...words);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^pacserve-ports: .*\n$/);
  }
});

Deno.test("pacserve-ports names a file that it cannot read, and says that only root can use it", async () => {
  const { code, stderr } = await run("pacserve-ports", "open", "--config", "/nowhere");
  assertEquals(code, 1);
  assertMatch(
    stderr,
    Deno.uid() === 0 ? /cannot read \/nowhere\S*: there is no such file/ : /only root/,
  );
});

Deno.test("insert_pacserve and pacserve-ports show their help and version", async () => {
  for (const name of [INSERT, "pacserve-ports"]) {
    assertStringIncludes((await run(name, "--help")).stdout, `usage: ${name}`);
    assertMatch((await run(name, "--version")).stdout, new RegExp(`^${name} \\d`));
  }
});

Deno.test("pacserve and quickserve: --help fits in 80 columns and has every option of the manual", async () => {
  const manual = "pacman-conf trust-pacserve-peers root filelist filter filterlist show-hidden " +
    "upload allow-overwrite motd index peer list-remote address port auth authfile ssl certfile " +
    "keyfile req-cert ca-certs multicast multicast-address multicast-port multicast-group " +
    "multicast-interval";
  const { stdout } = await run("pacserve", "--help");
  for (const option of manual.split(" ")) assertStringIncludes(stdout, `--${option}`);
  for (const line of [stdout, (await run("quickserve", "--help")).stdout].join("\n").split("\n")) {
    assert(line.length <= 80, line);
  }
});

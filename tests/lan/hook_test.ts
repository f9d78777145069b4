/** The hook with which pacman prints after a transaction what came from the LAN. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { type ArchMachine, cache } from "./arch.ts";
import { type Outcome } from "./process.ts";
import { pacsrv, Scene } from "./scene.ts";

const CHECKOUT = new URL("../../", import.meta.url).pathname;
const DESCRIPTION = "Asking pacserve what came from the LAN...";

/** Installs the hook, its script and the settings at the paths of the package. */
async function installHook({ host }: ArchMachine): Promise<void> {
  const files: Readonly<Record<string, string>> = {
    "libalpm/pacserve.hook": "/usr/share/libalpm/hooks/pacserve.hook",
    "launchers/transaction-report": "/usr/lib/pacserve/transaction-report",
    "conf.d/pacserve": "/etc/conf.d/pacserve",
  };
  for (const [from, to] of Object.entries(files)) {
    await host.write(to, await Deno.readTextFile(CHECKOUT + from));
  }
  await Deno.chmod(host.path("/usr/lib/pacserve/transaction-report"), 0o755);
}

/** Returns the lines of pacserve in the output of a transaction, which must have succeeded. */
function said({ code, stdout, stderr }: Outcome): string[] {
  assertEquals(code, 0, stdout + stderr);
  assertEquals(stderr.replace(/^warning: .*\n/gm, ""), "");
  return stdout.split("\n").filter((line) => line.startsWith("pacserve:"));
}

Deno.test("pacserve.hook: prints once what came from the LAN, and never disturbs pacman", async (t) => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await installHook(birch);
  const size = (...names: readonly string[]): number =>
    names.reduce((sum, name) => sum + scene.repository.package(name).size, 0);
  const line = (lan: number, total: number): string =>
    `pacserve: ${(lan / 1048576).toFixed(1)} of ${
      (total / 1048576).toFixed(1)
    } MiB came from the LAN`;
  await alder.cachePackages(["harbour", "kelp"].map((name) => scene.repository.package(name)));
  const server = await scene.pacserve(alder);
  await birch.host.must(["mkdir", "-p", "/srv/state"]);
  const options = ["--multicast", "--state-directory", "/srv/state"];
  let own = await scene.pacserve(birch, options);
  await scene.meet(server, own);

  await t.step("the part of a transaction that came from the LAN, and its total", async () => {
    const outcome = await pacsrv(birch, "-Sy", "harbour", "lantern");
    assertEquals(said(outcome), [line(size("harbour"), size("harbour", "lantern"))]);
    assertMatch(outcome.stdout, /\(1\/1\) Asking pacserve what came from the LAN\.\.\.\n/);
  });

  await t.step("no line for packages in the cache, and without packages", async () => {
    assertEquals(said(await pacsrv(birch, "-S", "harbour", "lantern")), []);
    assertEquals(said(await pacsrv(birch, "-R", "lantern")), []);
  });

  await t.step("no line after -Sw and a failed transaction, but after the next one", async () => {
    assertEquals(said(await pacsrv(birch, "-Sw", "kelp")), []);
    await birch.host.write("/opt/kelp/data", "not of the package\n");
    const failed = await pacsrv(birch, "-S", "kelp", "pebble");
    assertMatch(failed.stderr, /conflicting files/);
    assert(!failed.stdout.includes("pacserve:"));
    const outcome = await pacsrv(birch, "-S", "kelp", "pebble", "--overwrite", "/opt/kelp/*");
    assertEquals(said(outcome), [line(size("kelp"), size("kelp", "pebble"))]);
  });

  await t.step(
    "the line is the same after a restart of pacserve between download and transaction",
    async () => {
      assertEquals(said(await pacsrv(birch, "-Sw", "glacier")), []);
      await own.stop();
      own = await scene.pacserve(birch, options);
      assertEquals(said(await pacsrv(birch, "-S", "glacier")), [line(0, size("glacier"))]);
    },
  );

  await t.step(
    "a pacserve that hangs or does not run causes neither a failure nor a line",
    async () => {
      await birch.host.must(["rm", "-rf", cache]);
      await birch.host.must(["mkdir", cache]);
      assertEquals(said(await pacsrv(birch, "-Sw", "pebble")), []);
      own.program.signal("SIGSTOP");
      const hanging = await birch.pacman(["-S", "pebble"]);
      assertEquals(said(hanging), []);
      assert(hanging.stdout.includes(DESCRIPTION));
      const times: number[] = [];
      for (let count = 0; count < 5; count++) {
        const begun = performance.now();
        await birch.host.must(["/usr/lib/pacserve/transaction-report"], { input: "pebble\n" });
        times.push(performance.now() - begun);
      }
      // Use the shortest time, because the machine may be busy.
      assert(Math.min(...times) < 300, times.join(" "));
      own.program.signal("SIGCONT");
      assertEquals(said(await pacsrv(birch, "-S", "lantern")), [line(0, size("lantern"))]);
      await own.stop();
      assertEquals(said(await birch.pacman(["-S", "pebble"])), []);
      own = await scene.pacserve(birch, options);
    },
  );

  await t.step('PACSERVE_HOOK="off" silences it, and a link to /dev/null removes it', async () => {
    const settings = await Deno.readTextFile(birch.host.path("/etc/conf.d/pacserve"));
    await birch.host.write("/etc/conf.d/pacserve", settings.replace('HOOK="on"', 'HOOK="off"'));
    await birch.host.must(["rm", "-rf", cache]);
    await birch.host.must(["mkdir", cache]);
    assertEquals(said(await pacsrv(birch, "-S", "lantern")), []);
    await birch.host.write("/etc/conf.d/pacserve", settings);
    await birch.host.must(["mkdir", "-p", "/etc/pacman.d/hooks"]);
    await birch.host.must(["ln", "-s", "/dev/null", "/etc/pacman.d/hooks/pacserve.hook"]);
    const masked = await pacsrv(birch, "-S", "lantern");
    assertEquals(said(masked), []);
    assert(!masked.stdout.includes(DESCRIPTION));
  });
});

/**
 * Tests, with the real program, hidden and filtered names on file systems where a file can be opened by
 * several spellings of its name. NTFS is the example: mounted as root with `ntfs-3g` it has short names
 * and is case-sensitive; with `lowntfs-3g -o ignore_case` it has short names and ignores case.
 */

import { assertEquals } from "../assert.ts";
import { run } from "../lan/process.ts";
import { Served } from "../program.ts";
import { withFiles } from "../scratch.ts";

/** Each file with its short name. */
const FILES = {
  "pub/.secret-plans": "SECRET~1",
  "pub/private.iso": "PRIVA~1.ISO",
  "pub/open.txt": "OPEN~1.TXT",
  "pub/downloads/half.pkg.part": "HALFPK~1.PAR",
} as const;

/** A Python script that sets the short name of a file, which NTFS has as an extended attribute. */
const SET_SHORT_NAME = "import os, sys; os.setxattr(sys.argv[1], 'system.ntfs_dos_name', " +
  "sys.argv[2].encode())";

async function must(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command);
  if (code !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.trim();
}

/** Runs a test in a directory in which an NTFS file system with {@link FILES} is mounted at `mount/`. */
async function onNtfs(
  mount: readonly string[],
  use: (directory: string) => Promise<void>,
): Promise<void> {
  await withFiles({ "image": "", "mount/": "" }, async (directory) => {
    const [image, target] = [`${directory}/image`, `${directory}/mount`];
    await Deno.truncate(image, 16 << 20);
    await must("mkntfs", "--force", "--fast", "--quiet", image);
    const device = await must("losetup", "--find", "--show", image);
    try {
      await must("ntfs-3g", device, target);
      try {
        for (const [name, short] of Object.entries(FILES)) {
          const path = `${target}/${name}`;
          await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
          await Deno.writeTextFile(path, name);
          await must("/usr/bin/python3", "-c", SET_SHORT_NAME, path, short);
        }
      } finally {
        await must("umount", target);
      }
      await must(...mount, device, target);
      try {
        await use(directory);
      } finally {
        await must("umount", target);
      }
    } finally {
      await must("losetup", "--detach", device);
    }
  });
}

const mounts = {
  "short names": ["ntfs-3g"],
  "short names and folded case": ["lowntfs-3g", "-o", "ignore_case"],
};

for (const [kind, mount] of Object.entries(mounts)) {
  Deno.test(`--filter: with ${kind}, filters and hidden names hold for each spelling`, () =>
    onNtfs(mount, async (directory) => {
      for (const spelling of ["mount/pub/SECRET~1", "mount/pub/PRIVA~1.ISO"]) {
        // Make sure that this spelling opens the file; otherwise the test would prove nothing.
        await Deno.stat(`${directory}/${spelling}`);
      }
      const words = ["mount/pub", "--filter", "x\\.iso$"];
      await using server = await Served.start("quickserve", words, { directory });
      assertEquals(await server.names("/pub/"), ["downloads", "open.txt"]);
      assertEquals(await server.text("/pub/open.txt"), "pub/open.txt");
      for (
        const name of [
          ...[".secret-plans", "SECRET~1", "secret~1", ".SECRET-PLANS"],
          ...["private.iso", "PRIVA~1.ISO", "PRIVATE.ISO", "Private.Iso"],
          ...["OPEN~1.TXT", "DOWNLOADS/HALFPK~1.PAR", "downloads/HALFPK~1.PAR"],
        ]
      ) {
        assertEquals(await server.status(`/pub/${name}`), 404, name);
        assertEquals(await server.fileCheck(`pub/${name}`), [], name);
      }
      assertEquals(await server.fileCheck("pub/open.txt"), ["pub/open.txt"]);
    }));

  Deno.test(`SharedTree: with ${kind}, a link does not lead to a hidden name by another spelling`, () =>
    onNtfs(mount, async (directory) => {
      await Deno.mkdir(`${directory}/s`);
      await Deno.symlink(`${directory}/mount/pub/SECRET~1`, `${directory}/s/plans`);
      await Deno.symlink(`${directory}/mount/pub/open.txt`, `${directory}/s/text`);
      await using server = await Served.start("quickserve", ["s", "mount/pub"], { directory });
      assertEquals(await server.status("/s/plans"), 404);
      assertEquals(await server.names("/s/"), ["text"]);
      assertEquals(await server.text("/s/text"), "pub/open.txt");
    }));

  Deno.test(`--allow-overwrite: with ${kind}, no file is replaced by another spelling of its name`, () =>
    onNtfs(mount, async (directory) => {
      const words = ["--upload", "mount/pub", "--allow-overwrite"];
      await using server = await Served.start("quickserve", words, { directory });
      const put = (name: string): Promise<number> =>
        server.status(`/${name}`, { method: "PUT", body: "new" });
      assertEquals(await put("SECRET~1"), 409);
      assertEquals(
        await Deno.readTextFile(`${directory}/mount/pub/.secret-plans`),
        "pub/.secret-plans",
      );
      assertEquals(await put("open.txt"), 200);
      assertEquals(await Deno.readTextFile(`${directory}/mount/pub/open.txt`), "new");
    }));
}

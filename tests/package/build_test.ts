/** The package is built by makepkg as an ordinary user from a fresh clone, without network. */

import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { must } from "../lan/process.ts";
import { fileInPackage, namesInPackage, Workshop } from "./workshop.ts";

Deno.test("makepkg", async (t) => {
  using workshop = await Workshop.create();
  const [one, other] = [await workshop.clone("one"), await workshop.clone("two/deeper")];
  const file = await workshop.makepkg(one);

  await t.step("leaves the checkout unchanged", async () => {
    const git = ["git", "-c", "safe.directory=*", "-C", one];
    assertEquals(await must([...git, "status", "--short"]), "");
    const there = await must(["ls", "-R", `${one}/src`]);
    assertEquals(there, (await must(["ls", "-R", `${other}/src`])).replaceAll(other, one));
  });

  await t.step(".SRCINFO is what makepkg prints", async () => {
    const { code, stdout } = await workshop.run(["makepkg", "--printsrcinfo"], one);
    assertEquals(code, 0);
    assertEquals(await Deno.readTextFile(`${one}/.SRCINFO`), stdout);
  });

  await t.step(
    "the package has the bundled form, a description, and the dependency deno",
    async () => {
      const info = await fileInPackage(file, ".PKGINFO");
      const manifest = JSON.parse(await Deno.readTextFile(`${one}/deno.json`)) as {
        version: string;
      };
      assertStringIncludes(info, `\npkgver = ${manifest.version}-1\n`);
      for (const backup of ["etc/conf.d/pacserve", "etc/pacman.d/pacserve"]) {
        assertStringIncludes(info, `\nbackup = ${backup}\n`);
      }
      for (const conflict of ["quickserve", "pacredir"]) {
        assertStringIncludes(info, `\nconflict = ${conflict}\n`);
      }
      assertMatch(info, /^depend = deno>=2\.9$/m);
      assert((await namesInPackage(file)).includes("usr/lib/pacserve/main.js"));
    },
  );

  await t.step("license has the licence of each library, and each has its notice", async () => {
    const info = await fileInPackage(file, ".PKGINFO");
    const named = new Set([...info.matchAll(/^license = (.*)$/gm)].map(([, name]) => name));
    const found = new Set(["MIT"]);
    for (const name of await namesInPackage(file)) {
      if (!/^usr[/]share[/]licenses[/]pacserve[/].*[.]txt$/.test(name)) continue;
      const text = await fileInPackage(file, name);
      found.add(/^License: (.*)$/m.exec(text)?.[1] ?? "");
      assertMatch(text, /copyright|Blue Oak/i, name);
      assert(text.length > 1000, `${name} is too short for a licence`);
    }
    assertEquals([...found].sort(), [...named].sort());
    // These libraries are in the program, and the notice of one of them covers code of others.
    for (const library of ["lru-cache", "@humanwhocodes+momoa", "@fastify+busboy"]) {
      await fileInPackage(file, `usr/share/licenses/pacserve/${library}.txt`);
    }
    const momoa = await fileInPackage(file, "usr/share/licenses/pacserve/@humanwhocodes+momoa.txt");
    assertStringIncludes(momoa, "END OF TERMS AND CONDITIONS");
    assertStringIncludes(momoa, "Aseem Kishore");
  });

  await t.step("the package does not contain the path of the build", async () => {
    const place = await Deno.makeTempDir({ dir: workshop.directory });
    await must(["bsdtar", "-xf", file, "-C", place, "usr", "etc", ".INSTALL"]);
    const { stdout } = await workshop.run(["grep", "-rlF", workshop.directory, place], "/");
    assertEquals(stdout, "");
  });

  await t.step("checkouts at different paths give the same contents", async () => {
    const digests = async (file: string): Promise<string> => {
      const place = await Deno.makeTempDir({ dir: workshop.directory });
      await must(["bsdtar", "-xpf", file, "-C", place]);
      // .BUILDINFO contains the path by definition, and .MTREE the digest of .BUILDINFO.
      const script = `cd "$1"; rm .BUILDINFO .MTREE; find . -type f -exec sha256sum {} + | sort
        find . -printf '%M %T@ %p\\n' | grep -v ' [.]$' | sort`;
      return await must(["bash", "-c", script, "bash", place]);
    };
    assertEquals(await digests(await workshop.makepkg(other)), await digests(file));
  });

  await t.step("builds at the same path are identical", async () => {
    const place = `${workshop.directory}/place`;
    await Deno.mkdir(place);
    const files = [];
    for (const clone of [one, other]) {
      files.push(await workshop.makepkg(place, ["--nocheck"], { [clone]: place }));
    }
    const [first = "", second = ""] = files.map((file) => Deno.readFileSync(file)).map((bytes) =>
      bytes.toBase64()
    );
    assert(first.length > 0 && first === second, "the packages differ");
  });
});

Deno.test("check() needs neither root nor network", async () => {
  using workshop = await Workshop.create();
  const clone = await workshop.clone("checked");
  await workshop.makepkg(clone, []);
});

Deno.test("PACSERVE_FORM=compiled embeds everything", async () => {
  using workshop = await Workshop.create();
  const clone = await workshop.clone("compiled");
  // Use Deno itself as the runtime base. The result cannot be run (it is Deno, and
  // takes its words for its own), but all is there that the base would run.
  const { code, stdout, stderr } = await workshop.run(
    [
      ...["env", "PACSERVE_FORM=compiled", `DENORT_BIN=${workshop.directory}/bin/deno`],
      ...["deno", "task", "build"],
    ],
    clone,
  );
  assertEquals(code, 0, stdout + stderr);
  const launcher = await Deno.readTextFile(`${clone}/dist/root/usr/bin/quickserve`);
  assertMatch(
    launcher,
    /^#!\/bin\/bash\nif ! pwd [^]*\nfi\nexec \/usr\/lib\/pacserve\/pacserve quickserve "\$@"\n$/,
  );
  const executable = Buffer.from(
    await Deno.readFile(`${clone}/dist/root/usr/lib/pacserve/pacserve`),
  );
  for await (const { name } of Deno.readDir(`${clone}/dist/bundle`)) {
    const bytes = await Deno.readFile(`${clone}/dist/bundle/${name}`);
    assert(executable.includes(bytes), `${name} is not in the executable`);
  }
});

Deno.test("PACSERVE_FORM=compiled accepts a runtime base only with the correct DENORT_SHA256", async () => {
  using workshop = await Workshop.create();
  const clone = await workshop.clone("compiled");
  const base = `${workshop.directory}/base`;
  await Deno.mkdir(base);
  await must(["ln", `${workshop.directory}/bin/deno`, `${base}/denort`]);
  await must(["bsdtar", "-cf", `${base}/denort.zip`, "--format=zip", "-C", base, "denort"]);
  const digest = (await must(["sha256sum", `${base}/denort.zip`])).slice(0, 64);
  const build = async (...environment: string[]): Promise<{ code: number; said: string }> => {
    const variables = ["PACSERVE_FORM=compiled", `DENORT_URL=file://${base}/denort.zip`];
    const command = ["env", ...variables, ...environment, "deno", "task", "--quiet", "build"];
    const { code, stdout, stderr } = await workshop.run(command, clone);
    return { code, said: stdout + stderr };
  };
  const without = await build();
  assertEquals(without.code, 1);
  assertStringIncludes(without.said, "DENORT_SHA256");
  const wrong = await build(`DENORT_SHA256=${"0".repeat(64)}`);
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.said, `has the SHA-256 ${digest}, not 0000`);
  const right = await build(`DENORT_SHA256=${digest.toUpperCase()}`);
  assertEquals(right.code, 0, right.said);
  // A failed build must not produce the other form.
  const { stdout } = await workshop.run(["ls", "dist/root/usr/lib/pacserve"], clone);
  assertEquals(stdout, "make-root\npacserve\ntransaction-report\n");
  const info = await workshop.run(
    ["env", "PACSERVE_FORM=compiled", "makepkg", "--printsrcinfo"],
    clone,
  );
  assertEquals(/^\tdepends = deno/m.test(info.stdout), false);
  const typo = await workshop.run(["env", "PACSERVE_FORM=compile", "deno", "task", "build"], clone);
  assertEquals(typo.code, 2);
});

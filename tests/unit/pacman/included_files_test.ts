import { assert, assertEquals } from "../../assert.ts";
import { inScratch } from "../../scratch.ts";
import { includedFiles, includePattern } from "../../../src/pacman/included_files.ts";

Deno.test("includedFiles: a configuration without includes is one file", async () => {
  await inScratch(async (directory) => {
    await Deno.writeTextFile(
      `${directory}/pacman.conf`,
      "[core]\n#Include = /x\nServer = http://a\n",
    );
    assertEquals(await includedFiles(`${directory}/pacman.conf`), {
      files: [`${directory}/pacman.conf`],
      directories: [],
    });
  });
});

Deno.test("includedFiles: follows nested includes and wildcards, and lists each file once", async () => {
  await inScratch(async (directory) => {
    await Deno.mkdir(`${directory}/d`);
    const conf = `${directory}/pacman.conf`;
    await Deno.writeTextFile(
      conf,
      `[core]\r\n  Include=${directory}/list \r\nInclude = ${directory}/d/*.conf\nInclude = ${directory}/list\n`,
    );
    await Deno.writeTextFile(`${directory}/list`, "Server = http://a\n");
    await Deno.writeTextFile(`${directory}/d/b.conf`, `Include = ${directory}/missing\n`);
    await Deno.writeTextFile(`${directory}/d/a.conf`, `Include = ${directory}/list2\n`);
    await Deno.writeTextFile(`${directory}/d/.hidden.conf`, "");
    await Deno.writeTextFile(`${directory}/d/c.conf.bak`, "");
    await Deno.writeTextFile(`${directory}/list2`, "");
    assertEquals(await includedFiles(conf), {
      files: [
        conf,
        `${directory}/list`,
        `${directory}/d/a.conf`,
        `${directory}/d/b.conf`,
        `${directory}/list2`,
        `${directory}/missing`,
      ],
      directories: [`${directory}/d`],
    });
  });
});

Deno.test("includedFiles: ends when files include each other", async () => {
  await inScratch(async (directory) => {
    await Deno.writeTextFile(`${directory}/a`, `Include = ${directory}/*\n`);
    await Deno.writeTextFile(`${directory}/b`, `Include = ${directory}/a\n`);
    const found = await includedFiles(`${directory}/a`);
    assertEquals(found.files, [`${directory}/a`, `${directory}/b`]);
  });
});

Deno.test("includedFiles: a missing configuration is listed, and includes nothing", async () => {
  assertEquals(await includedFiles("/nowhere/pacman.conf"), {
    files: ["/nowhere/pacman.conf"],
    directories: [],
  });
});

Deno.test("includedFiles: a pipe is listed, but not read", async () => {
  await inScratch(async (directory) => {
    const pipe = `${directory}/pipe`;
    assert((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
    await Deno.writeTextFile(`${directory}/a`, `Include = ${pipe}\n`);
    assertEquals((await includedFiles(`${directory}/a`)).files, [`${directory}/a`, pipe]);
  });
});

Deno.test("includePattern: only a complete Include directive counts", () => {
  assertEquals(includePattern("Include = /etc/pacman.d/mirrorlist"), "/etc/pacman.d/mirrorlist");
  assertEquals(includePattern("\tInclude=/a b/c \r"), "/a b/c");
  assertEquals(includePattern("Include = /a # no comment here"), "/a # no comment here");
  assertEquals(includePattern("# Include = /a"), null);
  assertEquals(includePattern("include = /a"), null);
  assertEquals(includePattern("Include"), null);
  assertEquals(includePattern("Include ="), null);
  assertEquals(includePattern("Includes = /a"), null);
});

/** pacman installs the package into an empty root: checks its files, and runs each command from there. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { must, run } from "../lan/process.ts";
import { InstalledRoot } from "./installed_root.ts";
import { Workshop } from "./workshop.ts";

const COMMANDS = [
  "pacman.conf-insert_pacserve",
  "pacserve",
  "pacserve-ports",
  "pacserve-status",
  "pacsrv",
  "quickserve",
];

/** The section of the manual of each command. */
function sectionOf(name: string): 1 | 8 {
  return name === "quickserve" || name === "pacserve-status" ? 1 : 8;
}

/** Matches bold text for a printer: a letter, a backspace, and the letter again. */
const OVERSTRIKE = new RegExp(".\b", "g");

Deno.test("the package in an empty root", async (t) => {
  using workshop = await Workshop.create();
  const file = await workshop.makepkg(await workshop.clone("clone"));
  using root = await InstalledRoot.create();
  await root.pacman("-U", await workshop.standInForDeno());
  const before = await root.files();
  // An empty root has no shell for the install script, which has its own test.
  await root.pacman("-U", "--noscriptlet", file);

  await t.step("pacman -Qkk finds no difference between the files and the package", async () => {
    assertMatch(await root.pacman("-Qkk", "pacserve"), /, 0 altered files/);
  });

  await t.step("six commands are installed, each with its page and its completions", async () => {
    const files = new Set(await root.files());
    const programs = [...files].filter((name) => name.startsWith("usr/bin/"));
    assertEquals(programs, ["deno", ...COMMANDS].map((name) => `usr/bin/${name}`).sort());
    for (const name of COMMANDS) {
      const section = sectionOf(name);
      for (
        const path of [
          `usr/share/man/man${section}/${name}.${section}.gz`,
          `usr/share/bash-completion/completions/${name}`,
          `usr/share/zsh/site-functions/_${name}`,
          `usr/share/fish/vendor_completions.d/${name}.fish`,
        ]
      ) assert(files.has(path), path);
    }
  });

  await t.step("each task has a man page, and pacserve-tasks(7) names it", async () => {
    const pages = (await root.files()).flatMap((name) =>
      /^usr[/]share[/]man[/]man7[/](.*)[.]7[.]gz$/.exec(name)?.[1] ?? []
    );
    const tasks = [...Deno.readDirSync(new URL("../../doc/tasks", import.meta.url))];
    assertEquals(pages.length, tasks.length);
    const index = `${root.directory}/usr/share/man/man7/pacserve-tasks.7.gz`;
    const text = (await must(["mandoc", "-Tascii", index])).replaceAll(OVERSTRIKE, "");
    for (const page of pages.filter((page) => page !== "pacserve-tasks")) {
      assertStringIncludes(text, `${page}(7)`);
    }
  });

  await t.step("only root may write the files, and only programs are executable", async () => {
    for (const line of (await root.files("%m %u %P")).filter((line) => !line.endsWith("/deno"))) {
      const program = / usr[/](bin[/]|lib[/]pacserve[/](pacserve|make-root|transaction-report)$)/
        .test(line);
      assertMatch(line, program ? /^755 root / : /^644 root /);
    }
  });

  await t.step("links in the documents point to installed documents", async () => {
    const files = new Set(await root.files());
    const documents = [...files].filter((name) => /^usr[/]share[/]doc[/].*[.]md$/.test(name));
    let links = 0;
    for (const name of documents) {
      const text = await Deno.readTextFile(`${root.directory}/${name}`);
      for (const [, target = ""] of text.matchAll(/\]\((?!\w+:|#)([^)#]+)/g)) {
        const path = new URL(target, `file:///${name}`).pathname.slice(1);
        assert(files.has(path), `${name} links to ${target}`);
        links++;
      }
    }
    assert(links > 0);
  });

  await t.step("mandoc reports no problem in the pages", async () => {
    for (const path of (await root.files()).filter((name) => name.startsWith("usr/share/man/"))) {
      const page = `${root.directory}/${path}`;
      const { stdout, stderr } = await run(["mandoc", "-Tlint", page]);
      // mandoc looks for referenced pages in this system, which lacks some pages of Arch.
      const rest = (stdout + stderr).split("\n").filter((line) =>
        line !== "" && !/referenced manual not found|mandoc\.db/.test(line)
      );
      assertEquals(rest, [], path);
    }
  });

  await t.step("pages and --help have the same options", async () => {
    for (const name of COMMANDS.filter((name) => name !== "pacsrv")) {
      const section = sectionOf(name);
      const path = `${root.directory}/usr/share/man/man${section}/${name}.${section}.gz`;
      const page = (await must(["mandoc", "-Tascii", path])).replaceAll(OVERSTRIKE, "");
      const { stdout: help } = await root.run([name, "--help"]);
      const options = help.match(/^ {2}(?:-\w, )?--[\w-]+/gm) ?? [];
      assert(options.length >= 2, help);
      for (const option of options) {
        assertMatch(page, new RegExp(`^ {5}${option.trim()}\\b`, "m"), `${name} ${option}`);
      }
    }
  });

  await t.step("in a deleted working directory the servers end with one sentence", async () => {
    for (const name of ["pacserve", "quickserve"]) {
      const script = `cd "$(mktemp -d)" && rmdir "$PWD" && exec ${name} /`;
      const { code, stderr } = await root.run(["bash", "-c", script]);
      assertEquals(code, 1);
      // The first line is bash's own.
      assertMatch(
        stderr,
        new RegExp(`^(?:shell-init: .*\\n)?${name}: the directory in which you are [^\\n]*\\n$`),
      );
    }
  });

  await t.step("bash, zsh and fish understand the completions", async () => {
    const share = `${root.directory}/usr/share`;
    for (const name of COMMANDS) {
      await must(["bash", "-n", `${share}/bash-completion/completions/${name}`]);
      await must(["zsh", "-n", `${share}/zsh/site-functions/_${name}`]);
      await must(["fish", "--no-execute", `${share}/fish/vendor_completions.d/${name}.fish`]);
    }
  });

  await t.step("bash completes options, their values, and pacsrv as pacman", async () => {
    const completions = `${root.directory}/usr/share/bash-completion/completions`;
    const complete = async (name: string, ...words: readonly string[]): Promise<string[]> => {
      const script = `_pacman() { COMPREPLY=(as-pacman); }
        . "${completions}/${name}"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        function=$(complete -p "$1" | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        "$function" 2>/dev/null
        printf '%s\\n' "\${COMPREPLY[@]}"`;
      const text = await must(["bash", "-c", script, "bash", name, ...words]);
      return text.trim().split("\n").sort();
    };
    assertEquals(await complete("pacserve", "--pacm"), ["--pacman-conf"]);
    assertEquals(await complete("quickserve", "--pacm"), [""]);
    assertEquals(await complete("quickserve", "--tar", "z"), ["zip", "zst"]);
    assertEquals(await complete("quickserve", "--tar", "gz", "z"), ["zip", "zst"]);
    assertEquals(await complete("quickserve", "--tar", "gz", "zip", "--q"), ["--qr", "--quiet"]);
    assertEquals(await complete("quickserve", "--tar", "gz", "/usr/shar"), ["/usr/share"]);
    assertEquals(await complete("quickserve", "--root", "/usr/shar"), ["/usr/share"]);
    assertEquals(await complete("pacserve-ports", "stat"), ["status"]);
    assertEquals(await complete("pacsrv", "-S"), ["as-pacman"]);
  });

  await t.step("zsh and fish know every option of --help, with its explanation", async () => {
    const share = `${root.directory}/usr/share`;
    for (const name of COMMANDS.filter((name) => name !== "pacsrv")) {
      const { stdout: help } = await root.run([name, "--help"]);
      const options = [...help.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, option]) => option);
      const zsh = `_arguments() { print -rl -- "$@" }; . "$0"`;
      const specifications = await must(
        ["zsh", "-fc", zsh, `${share}/zsh/site-functions/_${name}`],
      );
      const fish = `source "$argv[1]"; complete --do-complete "${name} --"`;
      const completions = await must(
        ["fish", "--no-config", "-c", fish, `${share}/fish/vendor_completions.d/${name}.fish`],
      );
      for (const option of options) {
        assertMatch(specifications, new RegExp(`^[*]?--${option}\\[.+\\]`, "m"), name);
        assertMatch(completions, new RegExp(`^--${option}\t.+$`, "m"), name);
      }
    }
  });

  await t.step("zsh and fish complete values as the options take them", async () => {
    const share = `${root.directory}/usr/share`;
    const zsh = async (name: string): Promise<string> => {
      const script = `_arguments() { print -rl -- "$@" }; . "$0"`;
      return await must(["zsh", "-fc", script, `${share}/zsh/site-functions/_${name}`]);
    };
    const served = await zsh("quickserve");
    const formats = ":format:(none gz zst zip)";
    assertMatch(served, /^[*]--filter\[.*\]:<ix><regex>:$/m);
    assertMatch(served, /^[*]--peer\[.*\]:<scheme>\\:[/][/]<host>\\:<port>[/]:$/m);
    assertStringIncludes(served, `]${formats}:${formats}:${formats}:${formats}\n`);
    assertMatch(served, /^[*]:file:_files$/m);
    assertMatch(await zsh("pacman.conf-insert_pacserve"), /^1:file:_files$/m);
    const fish = `source "$argv[1]"; complete --do-complete "quickserve --tar gz z"`;
    const completions = `${share}/fish/vendor_completions.d/quickserve.fish`;
    const words = await must(["fish", "--no-config", "-c", fish, completions]);
    assertEquals(words.match(/^(zip|zst)$/gm), ["zip", "zst"]);
  });

  await t.step("systemd-analyze verify reports no problem in the units", async () => {
    const directory = "/usr/lib/systemd/system";
    const units = (await root.files("%P")).filter((name) => `/${name}`.startsWith(directory));
    assert(units.length >= 2);
    const paths = units.map((name) => `/${name}`);
    const { code, stdout, stderr } = await root.run([
      "systemd-analyze",
      "verify",
      "--man=no",
      ...paths,
    ]);
    const about = (stdout + stderr).split("\n").filter((line) => line.includes("pacserve"));
    assertEquals([code, about], [0, []], stdout + stderr);
  });

  await t.step("systemd-analyze security rates the service at most 1.5 of 10", async () => {
    const exposure = ["systemd-analyze", "security", "--offline=true", "--no-pager"];
    const unit = "/usr/lib/systemd/system/pacserve.service";
    const { code, stdout, stderr } = await root.run([...exposure, "--threshold=15", unit]);
    assertEquals(code, 0, stdout + stderr);
    assertMatch(stdout, /Overall exposure level for pacserve\.service: [01]\.\d/);
  });

  await t.step("each command runs from there", async () => {
    const { version } = JSON.parse(
      await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
    ) as { version: string };
    for (const name of COMMANDS.filter((name) => name !== "pacsrv")) {
      const { code, stdout, stderr } = await root.run([name, "--version"]);
      assertEquals([code, stdout, stderr], [0, `${name} ${version}\n`, ""]);
    }
    await Deno.writeTextFile(
      `${root.directory}/etc/pacman.conf`,
      "[options]\nArchitecture = x86_64\n[core]\nServer = http://mirror.test/\n",
    );
    const inserted = await root.run(["pacman.conf-insert_pacserve"]);
    assertStringIncludes(inserted.stdout, "[core]\nInclude = /etc/pacman.d/pacserve\nServer");
    const pacsrv = await root.run(["pacsrv", "--version"]);
    assertEquals(pacsrv.stderr, "");
    assertMatch(pacsrv.stdout, /Pacman v\d/);
    const wrong = await root.run(["pacserve", "--no-such-option"]);
    assertEquals(wrong.code, 2);
    assertMatch(wrong.stderr, /^pacserve: [^\n]+\n$/);
  });

  await t.step(
    "the server runs from there, including the parts that it loads on demand",
    async () => {
      await Deno.mkdir(`${root.directory}/srv/files`, { recursive: true });
      await Deno.writeTextFile(`${root.directory}/srv/files/kept.txt`, "kept\n");
      await Deno.writeTextFile(`${root.directory}/srv/files/hidden.iso`, "hidden\n");
      await Deno.writeTextFile(`${root.directory}/srv/list.json`, '{"files": ["/srv/files"]}');
      await using server = root.spawn([
        ...["quickserve", "--address", "127.0.0.1", "--port", "0", "--filter", "x\\.iso$"],
        ...["--filelist", "/srv/list.json", "--tar", "gz", "zip", "--qr", "--upload", "/tmp"],
      ]);
      const line = await server.line(/http:[/][/]127/);
      const url = /http:\S+/.exec(line)?.[0] ?? "";
      await server.line(/▀/);
      const get = (path: string): Promise<Response> => fetch(url + path);
      assertEquals(await (await get("files/kept.txt")).text(), "kept\n");
      const hidden = await get("files/hidden.iso");
      assertEquals(hidden.status, 404);
      await hidden.body?.cancel();
      const listing = await (await get("files/?mimetype=application/json")).text();
      assertStringIncludes(listing, "kept.txt");
      const page = await (await fetch(`${url}files/`, { headers: { Accept: "text/html" } })).text();
      const scripts = [...page.matchAll(/<script[^>]* src="([^"]*)"/g)];
      const sources = ["theme.js", "script.js"];
      assertEquals(scripts.length, sources.length);
      for (const [index, [, address = ""]] of scripts.entries()) {
        const source = new URL(`../../src/quickserve/pages/${sources[index]}`, import.meta.url);
        assertEquals(
          await (await fetch(new URL(address, url))).text(),
          await Deno.readTextFile(source),
        );
      }
      const style = /<link[^>]* rel="stylesheet"[^>]* href="([^"]*)"/.exec(page)?.[1] ?? page;
      assertMatch(await (await fetch(new URL(style, url))).text(), /light-dark\(/);
      for (const [format, magic] of [["gz", [0x1f, 0x8b]], ["zip", [0x50, 0x4b]]] as const) {
        const bytes = new Uint8Array(await (await get(`files/?tar=${format}`)).arrayBuffer());
        assertEquals([...bytes.subarray(0, 2)], [...magic]);
      }
      const form = new FormData();
      form.append("file", new Blob(["new\n"]), "new.txt");
      const stored = await fetch(url, { method: "POST", body: form });
      assertEquals(stored.status, 201, await stored.text());
      const { code } = await server.stop();
      assertEquals(code, 0);
    },
  );

  await t.step("removal leaves only saved configuration", async () => {
    await Deno.remove(`${root.directory}/etc/pacman.conf`);
    await Deno.remove(`${root.directory}/srv`, { recursive: true });
    await Deno.writeTextFile(`${root.directory}/etc/conf.d/pacserve`, "PACSERVE_ARGS=\n");
    await root.pacman("-R", "--noscriptlet", "pacserve");
    assertEquals(await root.files(), [...before, "etc/conf.d/pacserve.pacsave"].sort());
  });
});

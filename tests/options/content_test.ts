/** `--motd`, `--index` and `--tar`, from the command line. */

import { MANUALS } from "../../scripts/build/manual.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { must } from "../lan/process.ts";
import { runCommand, Served } from "../program.ts";
import { UTF8, withFiles } from "../scratch.ts";

Deno.test("--motd is shown, escaped, and reloaded", () =>
  withFiles({ "motd": "Hello <b>you</b>\n", "d/x": "" }, async (directory) => {
    await using server = await Served.start("quickserve", ["--motd", "motd", "d"], { directory });
    const page = await server.text("/", { headers: { Accept: "text/html" } });
    assertStringIncludes(page, "Hello &lt;b&gt;you&lt;/b&gt;");
    assertMatch(await server.text("/?mimetype=text/plain"), /^Hello <b>you<\/b>\n/);
    const from = server.program.lines.length;
    await Deno.writeTextFile(`${directory}/motd`, "Closed tomorrow\n");
    await server.reloaded(from);
    assertStringIncludes(await server.text("/?mimetype=text/plain"), "Closed tomorrow");
    await Deno.remove(`${directory}/motd`);
    await server.program.line(/warning: --motd motd: there is no such file/, from);
    assertStringIncludes(await server.text("/?mimetype=text/plain"), "Closed tomorrow");
  }));

Deno.test("--index: the file is shown for a directory that has it", () =>
  withFiles({ "site/index.html": "<p>home", "site/sub/x": "x" }, async (directory) => {
    const words = ["--root", "site", "--index", "index.html"];
    await using server = await Served.start("quickserve", words, { directory });
    const home = await server.fetch("/");
    assertEquals(await home.text(), "<p>home");
    assertMatch(home.headers.get("Content-Type") ?? "", /^text\/html/);
    assertStringIncludes(await server.text("/sub/"), "x");
    assertEquals(await server.names("/"), ["index.html", "sub"]);
  }));

const EXTRACT: Readonly<Record<string, readonly string[]>> = {
  none: ["tar", "-xf"],
  gz: ["tar", "-xzf"],
  zst: ["tar", "--zstd", "-xf"],
  zip: ["unzip", "-q"],
};

Deno.test("--tar offers the given formats, and common tools extract them", () =>
  withFiles({ "d/a b.txt": "hello", "d/sub/ä": "x".repeat(5000) }, async (directory) => {
    const words = ["d", "--tar", "none", "gz", "zst", "zip"];
    await using server = await Served.start("quickserve", words, { directory });
    const page = await server.text("/d/", { headers: { Accept: "text/html" } });
    for (const [format, extract] of Object.entries(EXTRACT)) {
      assertStringIncludes(page, `tar=${format}`);
      const out = `${directory}/out-${format}`;
      await Deno.mkdir(out);
      await must(["curl", "-sSf", "-o", `${out}/archive`, `${server.address}/d/?tar=${format}`]);
      await must([...extract, "archive"], { directory: out, environment: UTF8 });
      assertEquals(await Deno.readTextFile(`${out}/d/a b.txt`), "hello");
      assertEquals(await Deno.readTextFile(`${out}/d/sub/ä`), "x".repeat(5000));
    }
  }));

Deno.test("--tar: other formats than the given ones are refused", () =>
  withFiles({ "d/a": "a" }, async (directory) => {
    await using server = await Served.start("quickserve", ["--tar", "gz", "--", "d"], {
      directory,
    });
    assertEquals(await server.status("/d/?tar=gz"), 200);
    assert(await server.status("/d/?tar=zip") >= 400);
    const { code, stderr } = await runCommand("quickserve", ["--tar", "rar"]);
    assertEquals(code, 2);
    assertMatch(stderr, /^quickserve: --tar: "rar" is not one of none, gz, zst, zip\n$/);
  }));

Deno.test("?page=about explains in plain text how to use this server with curl", () =>
  withFiles({ "d/a.txt": "hello", "in/": "", "out/": "" }, async (directory) => {
    const words = ["d", "--tar", "zst", "--upload", "in"];
    await using server = await Served.start("quickserve", words, { directory });
    const about = await must(["curl", "-s", `${server.address}/?page=about`]);
    assert(!about.includes("<"), about);
    // The commands in the text work.
    const command = (title: string): string => {
      return new RegExp(`^${title}:\\n {2}(.*)$`, "m").exec(about)?.[1] ?? "";
    };
    const download = command("Download a directory").replace("path/to/directory", "d");
    await must(["bash", "-c", `set -o pipefail; cd out && ${download}`], { directory });
    assertEquals(await Deno.readTextFile(`${directory}/out/d/a.txt`), "hello");
    const upload = command("Upload a file").replace("FILE", "out/d/a.txt");
    await must(["bash", "-c", upload], { directory });
    assertEquals(await Deno.readTextFile(`${directory}/in/a.txt`), "hello");
  }));

Deno.test("?page=about shows how to download a directory if only zip is enabled", () =>
  withFiles({ "d/a.txt": "hello", "out/": "" }, async (directory) => {
    await using server = await Served.start("quickserve", ["d", "--tar", "zip"], { directory });
    const about = await must(["curl", "-s", `${server.address}/?page=about`]);
    assertMatch(about, /^ {2}Archives +zip$/m);
    const download = /^Download a directory:\n {2}(.*)$/m.exec(about)?.[1] ?? "";
    const command = `cd out && ${download.replace("path/to/directory", "d")}`;
    await must(["bash", "-c", command], { directory });
    assertStringIncludes(await Deno.readTextFile(`${directory}/out/d.zip`), "hello");
  }));

/** Returns the names of the fields in data; for a list of objects, those of its first element. */
function fieldsOf(data: unknown): unknown {
  if (Array.isArray(data)) return data.slice(0, 1).map(fieldsOf).filter((each) => each !== null);
  if (data === null || typeof data !== "object") return null;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, fieldsOf(value)]));
}

Deno.test("JSON replies have the fields that the manual shows", () =>
  withFiles({ "d/sub/x": "", "in/": "", "a": "hi" }, async (directory) => {
    const section = MANUALS["quickserve"]?.sections?.find(({ title }) => /data/i.test(title));
    const examples = section?.content.flatMap((part) =>
      typeof part === "object" && "literal" in part ? [JSON.parse(part.literal)] : []
    );
    const words = ["d", "--upload", "in", "--peer", "http://127.0.0.1:1/"];
    await using server = await Served.start("quickserve", words, { directory });
    const form = ["-F", "f=@a", "-F", "g=@a;filename=.."];
    const accept = ["curl", "-s", "-H", "Accept: application/json"];
    const given = await Promise.all([
      server.text("/d/?mimetype=application/json"),
      must([...accept, ...form, `${server.address}/`], { directory }),
      server.text("/?page=peers&mimetype=application/json"),
    ]);
    assertEquals(given.map((text) => fieldsOf(JSON.parse(text))), examples?.map(fieldsOf));
  }));

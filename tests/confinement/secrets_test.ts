/** Passwords, given in every way that there is, come out in none. */

import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { eventually, run } from "../lan/process.ts";
import { programCommand } from "../lan/pacserve.ts";
import { rawExchange } from "../listening.ts";
import { startServer } from "../running_server.ts";
import { answer, authorization } from "../unit/auth/client.ts";
import { inScratch, writeFiles } from "../scratch.ts";

const PASSWORD = "correct-horse-battery";
const MIRROR_PASSWORD = "mirror-passphrase";
const PROXY_PASSWORD = "proxy-passphrase";
const secrets = [PASSWORD, MIRROR_PASSWORD, PROXY_PASSWORD];

function assertNoSecret(what: string, text: string): void {
  for (const secret of secrets) {
    for (
      const form of [
        secret,
        btoa(`alice:${secret}`),
        btoa(`bob:${secret}`),
        encodeURIComponent(secret),
      ]
    ) {
      assert(!text.includes(form), `${what} has ${secret} in it:\n${text}`);
    }
  }
}

/** A pacman.conf whose mirrors have passwords: one answers nothing, one only who has the password. */
function pacmanConf(top: string, mirror: number): string {
  return `[options]
RootDir = ${top}
DBPath = ${top}/db
CacheDir = ${top}/cache
Architecture = x86_64
[core]
Server = http://bob:${MIRROR_PASSWORD}@127.0.0.1:1/$repo
Server = http://bob:${MIRROR_PASSWORD}@127.0.0.1:${mirror}/$repo
`;
}

Deno.test("no password is in the log, the pages, the permissions or an error", async () => {
  await inScratch(async (top) => {
    await using mirror = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      ({ url, headers }) => {
        const right = headers.get("authorization") === `Basic ${btoa(`bob:${MIRROR_PASSWORD}`)}`;
        const known = right && new URL(url).pathname.startsWith("/core/given");
        return known ? new Response("given") : new Response("no", { status: 500 });
      },
    );
    writeFiles(top, {
      "pacman.conf": pacmanConf(top, mirror.addr.port),
      "cache/foo-1-1-any.pkg.tar.zst": "foo",
      "db/sync/core.db": "db",
      "auth": `carol\n${PASSWORD}\n`,
    });
    await Deno.chmod(`${top}/auth`, 0o600);
    const proxy = `http://alice:${PROXY_PASSWORD}@127.0.0.1:1`;
    const options = [
      "--pacman-conf",
      `${top}/pacman.conf`,
      "--auth",
      "alice",
      PASSWORD,
      "--authfile",
      `${top}/auth`,
      "--verbose",
    ];
    const environment = { "http_proxy": proxy, "https_proxy": proxy };
    const printed = await run([...programCommand("pacserve"), ...options, "--print-permissions"], {
      environment,
    });
    assertEquals(printed.code, 0);
    assertStringIncludes(printed.stdout, `${top}/cache`);
    assertNoSecret("the permissions", printed.stdout + printed.stderr);

    await assertSilent(options, environment);
    await assertSilent(options, { ...environment, "no_proxy": "127.0.0.1" });
  });
});

/** Runs a server, asks it for everything, and looks for passwords in all that comes of it. */
async function assertSilent(
  options: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  await using server = await startServer("pacserve", options, { environment });
  const { port, program } = server;
  const pages: string[] = [];
  const ask = async (target: string, headers = ""): Promise<string> => {
    const reply = await rawExchange(
      port,
      `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${headers}\r\n`,
    );
    pages.push(`${target}\n${reply}`);
    return reply;
  };
  await ask("/pacman/core/x86_64/foo-1-1-any.pkg.tar.zst");
  // Through the proxy, which nobody is, and then past it.
  const given = await ask("/pacman/core/x86_64/given-1-1-any.pkg.tar.zst");
  assertEquals(/^HTTP\/1\.1 200 [^]*given/.test(given), "no_proxy" in environment, given);
  await ask("/pacman/core/x86_64/absent-1-1-any.pkg.tar.zst");
  await ask("/pacman/core/x86_64/core.db");
  await ask("/pacman/nothing/x86_64/nothing.db");
  await ask("/?page=peers");
  // They name the mirrors, and need no login.
  for (const target of ["/?page=status&mimetype=application/json", "/?page=status", "/metrics"]) {
    assertStringIncludes(await ask(target), "http://127.0.0.1:");
  }
  await ask("/%2e%2e", `Authorization: Basic ${btoa(`alice:${PASSWORD}`)}\r\n`);
  for (const target of ["/", "/pkg/", "/?page=peers", "/?page=upload", "/nothing"]) {
    const nonce = /nonce="([^"]+)"/.exec(await ask(target))?.[1] ?? "";
    const login = { user: "alice", password: PASSWORD, uri: target };
    const good = authorization(answer(nonce, "Pacserve", login));
    const reply = await ask(target, `Accept: text/html\r\nAuthorization: ${good}\r\n`);
    assert(/^HTTP\/1\.1 (200|404)/.test(reply), reply);
    await ask(target, `Authorization: Basic ${btoa(`alice:${PASSWORD}`)}\r\n`);
  }
  await eventually(
    "every request is in the log",
    () => program.lines.filter((line) => line.includes('HTTP/1.1"')).length >= pages.length,
  );
  assertNoSecret("a page", pages.join("\n"));
  await program.stop();
  assertNoSecret("the log", program.output);
}

Deno.test("no password is in the message about a wrong command line or a broken file", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/file": "file", "odd": `carol\n${PASSWORD}\ndave\n` });
    for (
      const words of [
        ["--auth", "alice", PASSWORD, "--wrong"],
        ["--auth", "alice", PASSWORD, "--auth", "alice", PASSWORD],
        ["--auth", "a:b", PASSWORD],
        ["--auth", "", PASSWORD],
        ["--authfile", `${top}/odd`],
        [`--auth=alice=${PASSWORD}`],
        ["--auth", "alice", PASSWORD, "--port", "70000"],
        ["--auth", "alice", PASSWORD, "--upload", `${top}/nowhere`],
      ]
    ) {
      const { code, stdout, stderr } = await run([
        ...programCommand("quickserve"),
        "--address",
        "127.0.0.1",
        "--port",
        "0",
        ...words,
        `${top}/s`,
      ]);
      assert(code === 1 || code === 2, `${words}: ${code}\n${stdout}${stderr}`);
      assertEquals(stderr.trim().split("\n").length, 1, stderr);
      assertNoSecret(words.join(" "), stdout + stderr);
    }
  });
});

Deno.test("no password is in what pacman-conf says of a configuration that it cannot use", async () => {
  await inScratch(async (top) => {
    const conf = pacmanConf(top, 1).replace("Architecture = x86_64\n", "");
    const server = `Server = http://bob:${MIRROR_PASSWORD}@127.0.0.1:1/$repo/$arch\n`;
    writeFiles(top, { "pacman.conf": conf + server, "cache/foo": "foo" });
    const { code, stdout, stderr } = await run([
      ...programCommand("pacserve"),
      "--pacman-conf",
      `${top}/pacman.conf`,
    ]);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "http://127.0.0.1:1/$repo/$arch");
    assertNoSecret("the error", stderr);
  });
});

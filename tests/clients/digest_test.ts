/** Common clients log in to a real listener. The tests need curl, wget, aria2 and requests. */

import { Digest, replyToUser } from "../../src/auth/digest.ts";
import type { Handler } from "../../src/http/exchange.ts";
import { listen } from "../../src/http/listener.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { inScratch } from "../scratch.ts";

const CONTENT = "what only users may read\n";

/** Users whose names and passwords are difficult to encode. */
const USERS = [
  { name: "alice", password: "secret" },
  { name: "colon", password: "a:b:c" },
  { name: "dash", password: "-p" },
  { name: "-dash", password: "--" },
  { name: "007", password: "0042" },
  { name: "quotes", password: `"q" 'uo' \\te\\ $HOME %20 &` },
  { name: 'q"uo\\te', password: "secret" },
  { name: "Jäsøn", password: "pässwörd" },
  { name: "ключ", password: "секрет ✓" },
];

/** A server with these users, and its answers: `GET /file 401`, `GET /file 200 alice`. */
class Guarded implements AsyncDisposable {
  readonly answers: string[] = [];
  readonly #close: () => Promise<void>;

  private constructor(readonly port: number, close: () => Promise<void>) {
    this.#close = close;
  }

  static async start(): Promise<Guarded> {
    const configuration = { users: USERS, uploadOnly: false, realm: "Quickserve" };
    const file: Handler = async (request) => {
      let length = 0;
      for await (const chunk of request.body) length += chunk.length;
      const text = request.method === "PUT" ? `${length} bytes\n` : CONTENT;
      const headers = { "Content-Type": "text/plain" };
      return { status: 200, headers, body: new TextEncoder().encode(text) };
    };
    const digest = new Digest(configuration);
    const handler: Handler = async (request) => {
      if (configuration.users.length === 0) return await file(request);
      const verdict = await digest.check(request);
      return "reply" in verdict ? verdict.reply : replyToUser(await file(request), verdict);
    };
    const listener = await listen(
      { address: "127.0.0.1", port: 0, ipv6: false, tls: null },
      handler,
      {
        finished: ({ request, reply }) => {
          const user = reply.user === undefined ? "" : ` ${reply.user}`;
          server.answers.push(`${request.method} ${request.target} ${reply.status}${user}`);
        },
      },
    );
    const server = new Guarded(listener.port, () => listener.close(0));
    return server;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: string, args: string[], cwd?: string): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    stdin: "null",
    ...(cwd === undefined ? {} : { cwd }),
    env: { LC_ALL: "C.UTF-8", HOME: "/nonexistent" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("digest: curl logs in as every user", async () => {
  await using server = await Guarded.start();
  for (const { name, password } of USERS) {
    const login = ["--digest", "--user", `${name}:${password}`];
    const { stdout } = await run("curl", ["-sS", ...login, server.url("/a%20file?x=1&y=%C3%A4")]);
    assertEquals(stdout, CONTENT, name);
  }
});

Deno.test("digest: curl with a wrong password, and without one, is refused", async () => {
  await using server = await Guarded.start();
  for (const login of [["--digest", "-u", "alice:Secret"], ["--digest", "-u", "bob:secret"], []]) {
    const { code, stdout } = await run("curl", ["-sS", "-f", ...login, server.url("/")]);
    assertEquals(code, 22);
    assertEquals(stdout, "");
  }
});

Deno.test("digest: curl uploads with a login, and sends the body only once", () =>
  inScratch(async (directory) => {
    await using server = await Guarded.start();
    await Deno.writeFile(`${directory}/big`, new Uint8Array(3 << 20));
    const login = ["--digest", "-u", "alice:secret"];
    const { stdout } = await run("curl", [
      "-sS",
      ...login,
      "-T",
      `${directory}/big`,
      server.url("/"),
    ]);
    assertEquals(stdout, `${3 << 20} bytes\n`);
    assertEquals(server.answers, ["PUT /big 401", "PUT /big 200 alice"]);
  }));

Deno.test("digest: wget logs in", async () => {
  await using server = await Guarded.start();
  // wget does not escape quotes and backslashes of names in the header field.
  for (const { name, password } of USERS.filter((user) => !/["\\]/.test(user.name))) {
    const login = [`--user=${name}`, `--password=${password}`];
    const { stdout, stderr } = await run("wget", ["-q", "-O", "-", ...login, server.url("/f?x=1")]);
    assertEquals(stdout, CONTENT, `${name} ${stderr}`);
  }
});

Deno.test("digest: Python's requests log in", async () => {
  await using server = await Guarded.start();
  const script = `
import sys, requests
from requests.auth import HTTPDigestAuth
url, name, password = sys.argv[1:]
session = requests.Session()
session.auth = HTTPDigestAuth(name, password)
for number in range(3):
    answer = session.get(url + str(number))
    assert answer.status_code == 200, answer.headers
    print(answer.text, end="")
`;
  // requests sends names in ISO 8859-1, and does not escape quotes.
  for (
    const { name, password } of USERS.filter(({ name }) => /^[^"\\\u0100-\uffff]*$/.test(name))
  ) {
    const { stdout, stderr } = await run("/usr/bin/python3", [
      "-c",
      script,
      server.url("/"),
      name,
      password,
    ]);
    assertEquals(stdout, CONTENT.repeat(3), `${name} ${stderr}`);
    // All three requests use the same nonce.
    const answers = server.answers.splice(0).map((line) => /\d{3}/.exec(line)?.[0]);
    assertEquals(answers, ["401", "200", "200", "200"], name);
  }
});

Deno.test("basic: aria2c, which supports only basic authentication, logs in on the same host", () =>
  inScratch(async (directory) => {
    await using server = await Guarded.start();
    const get = (name: string, password: string): Promise<Outcome> =>
      run("aria2c", [
        "-q",
        `--http-user=${name}`,
        `--http-passwd=${password}`,
        "--split=4",
        "--max-connection-per-server=4",
        "-o",
        "file",
        "--allow-overwrite=true",
        server.url("/file"),
      ], directory);
    for (const { name, password } of USERS) {
      const { code, stdout } = await get(name, password);
      assertEquals(code, 0, `${name} ${stdout}`);
      assertEquals(await Deno.readTextFile(`${directory}/file`), CONTENT);
    }
    assert((await get("alice", "Secret")).code !== 0);
  }));

Deno.test("digest: a recorded request of curl is refused when it is sent again", async () => {
  await using server = await Guarded.start();
  const args = ["-sS", "-v", "--digest", "-u", "alice:secret", server.url("/file")];
  const { stderr } = await run("curl", args);
  const field = /^> (Authorization: .*)$/m.exec(stderr)?.[1]?.trim() ?? "";
  assertMatch(field, /^Authorization: Digest /);
  for (const path of ["/file", "/other"]) {
    const again = await run("curl", ["-sS", "-H", field, server.url(path)]);
    assert(!again.stdout.includes(CONTENT));
  }
  assertEquals(server.answers, [
    "GET /file 401",
    "GET /file 200 alice",
    "GET /file 401",
    "GET /other 400",
  ]);
});

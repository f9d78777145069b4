/** Tests the state that a worker reports, after each change, for the worker that will replace it. */

import { PackageTableBuilder } from "../../../src/pacman/package_table.ts";
import { ExpectedFiles, type ReadDatabase } from "../../../src/pacserve/expected_files.ts";
import type { PacserveConfiguration } from "../../../src/pacserve/configuration.ts";
import type { ServerConfiguration } from "../../../src/server/configuration.ts";
import { RunningServer } from "../../../src/server/running_server.ts";
import { emptyState, type ServerState } from "../../../src/server/state.ts";
import { assert, assertEquals } from "../../assert.ts";
import { until } from "../../listening.ts";
import { configurationOf } from "../../server_configuration.ts";
import { answer, authorization } from "../auth/client.ts";

/** A server and its reports. Its log is off, because reports must not depend on lines in the log. */
class Server {
  readonly reports: ServerState[] = [];
  readonly #running: RunningServer;
  port = 0;

  private constructor(
    configuration: Partial<ServerConfiguration>,
    state: ServerState,
    databases: readonly ReadDatabase[],
  ) {
    this.#running = new RunningServer(
      configurationOf(configuration),
      state,
      (report) => this.reports.push(structuredClone(report)),
      new ExpectedFiles({ readChanged: () => Promise.resolve(databases) }),
    );
  }

  static async start(
    configuration: Partial<ServerConfiguration> = {},
    state: ServerState = emptyState(),
    databases: readonly ReadDatabase[] = [],
  ): Promise<Server> {
    const server = new Server(configuration, state, databases);
    server.port = await server.#running.start();
    return server;
  }

  /** Waits for a report; returns the last one, with which a next worker would start. */
  async reported(what: string): Promise<ServerState> {
    await until(() => this.reports.length > 0, `${what} is reported`);
    return this.reports.at(-1) as ServerState;
  }

  ask(target: string, init: RequestInit = {}): Promise<Response> {
    const url = `http://127.0.0.1:${this.port}${target}`;
    return fetch(url, { redirect: "manual", ...init });
  }

  stop(grace: number): Promise<void> {
    return this.#running.stop(grace, () => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop(0);
  }
}

Deno.test("RunningServer: a found peer is reported, and known to the next worker", async () => {
  await using peer = await Server.start();
  await using server = await Server.start();
  const message = JSON.stringify({ type: "nudge", uri: `http://ungabunga:${peer.port}/` });
  const nudge = await server.ask("/", {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: `json=${encodeURIComponent(message)}`,
  });
  assertEquals(await nudge.text(), "true");
  await using next = await Server.start({}, await server.reported("the peer"));
  const page = await next.ask("/?page=peers&mimetype=application/json");
  assert((await page.text()).includes(`127.0.0.1:${peer.port}`), "the peer is forgotten");
});

const users = [{ name: "alice", password: "secret" }];
const auth = { users, uploadOnly: false, realm: "Test" };

/** Logs in, with the nonce of a new challenge unless one is given; returns the response. */
async function logIn(server: Server, password: string, nonce?: string): Promise<Response> {
  const challenge = nonce ?? nonceOf(await server.ask("/"));
  const login = { user: "alice", password };
  const credentials = authorization(answer(challenge, "Test", login));
  const response = await server.ask("/", { headers: { authorization: credentials } });
  await response.body?.cancel();
  return response;
}

function nonceOf(response: Response): string {
  void response.body?.cancel();
  return /nonce="([^"]+)"/.exec(response.headers.get("www-authenticate") ?? "")?.[1] ?? "";
}

Deno.test("RunningServer: a login is reported, so that the next worker refuses a replay of it", async () => {
  await using server = await Server.start({ auth });
  const nonce = nonceOf(await server.ask("/"));
  assertEquals((await logIn(server, "secret", nonce)).status, 200);
  await using next = await Server.start({ auth }, await server.reported("the login"));
  const again = await logIn(next, "secret", nonce);
  assertEquals(again.status, 401);
  // The next worker knows the key of the nonce, so the client logs in again without asking its user.
  assert(/stale=true/.test(again.headers.get("www-authenticate") ?? ""));
});

Deno.test("RunningServer: a wrong password is reported, and the next worker counts on", async () => {
  await using server = await Server.start({ auth });
  for (let guess = 0; guess < 4; guess++) {
    assertEquals((await logIn(server, `${guess}`)).status, 401);
  }
  await using next = await Server.start({ auth }, await server.reported("the guess"));
  assertEquals((await logIn(next, "another")).status, 401);
  const { digest } = await next.reported("another guess");
  assertEquals(digest?.throttle.map(([, guesser]) => guesser.failures), [5]);
});

Deno.test("RunningServer: a peer's wrong copy is reported, and the next worker does not fetch it again", async () => {
  const file = "foo-1-1-any.pkg.tar.zst";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("package"));
  const table = new PackageTableBuilder();
  table.add(file, 7, new Uint8Array(digest).toHex());
  const databases = [{ repository: "core", version: "1", table: table.build().buffer }];
  let given = 0;
  const local = { port: 0, hostname: "127.0.0.1", onListen: (): void => {} };
  // This peer has a file of the same name and length, but with other bytes.
  const peer = Deno.serve(local, async (request) => {
    if (request.method === "POST") {
      const message = new URLSearchParams(await request.text()).get("json") ?? "";
      return Response.json(message.includes(file) ? { [`pkg/${file}`]: `pkg/${file}` } : true);
    }
    if (request.method === "GET") given++;
    return new Response("PACKAGE", { headers: { "Content-Length": "7" } });
  });
  const mirror = Deno.serve(
    local,
    () => new Response("package", { headers: { "Content-Length": "7" } }),
  );
  try {
    const configuration = {
      pacserve: pacserveWith(`http://127.0.0.1:${mirror.addr.port}/$repo/os/$arch`),
      peers: {
        ...configurationOf().peers,
        staticPeers: [`http://127.0.0.1:${peer.addr.port}/`],
      },
    };
    const target = `/pacman/core/x86_64/${file}`;
    await using server = await Server.start(configuration, emptyState(), databases);
    // First wait for the report of the peer itself, so that the next report is due to the wrong copy.
    await (await server.ask(`/pacman/core/x86_64/another-${file}`)).body?.cancel();
    await server.reported("the peer");
    server.reports.length = 0;
    assertEquals(await (await server.ask(target)).text(), "package");
    assertEquals(given, 1);
    const state = await server.reported("the wrong copy");
    await using next = await Server.start(configuration, state, databases);
    assertEquals(await (await next.ask(target)).text(), "package");
    assertEquals(given, 1);
  } finally {
    await Promise.all([peer.shutdown(), mirror.shutdown()]);
  }
});

function pacserveWith(mirror: string): PacserveConfiguration {
  return {
    pacman: {
      cacheDirectories: [],
      databasePath: "/var/lib/pacman",
      architectures: ["x86_64"],
      repositories: [{ name: "core", servers: [mirror], packageSignatureRequired: true }],
    },
    trustPeers: false,
    port: 15678,
    hostNames: [],
    redirect: false,
    spool: null,
    authorities: [],
    proxies: null,
  };
}

Deno.test("RunningServer.stop: there is no report after the final one, even with requests in flight", async () => {
  const server = await Server.start({ auth });
  for (let guess = 0; guess < 5; guess++) await logIn(server, `${guess}`);
  // This attempt must wait for its turn. It changes the state only after the final report.
  const nonce = nonceOf(await server.ask("/"));
  const late = logIn(server, "late", nonce);
  // When this request is answered, the server has read the late attempt.
  await (await server.ask("/")).body?.cancel();
  await server.stop(10_000);
  assertEquals((await late).status, 401);
  assertEquals(server.reports.at(-1)?.digest?.final, true);
  const guesses = server.reports.at(-1)?.digest?.throttle.map(([, guesser]) => guesser.failures);
  assertEquals(guesses, [5], "it was not late");
  // A further report would have a timer now, and a test that leaves a timer running fails.
});

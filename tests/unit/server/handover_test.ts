/** What a worker hands on to the one that takes its place: it is reported as soon as it changes. */

import { ExpectedFiles } from "../../../src/pacserve/expected_files.ts";
import type { PacserveConfiguration } from "../../../src/pacserve/configuration.ts";
import type { ServerConfiguration } from "../../../src/server/configuration.ts";
import { RunningServer } from "../../../src/server/running_server.ts";
import { emptyState, type ServerState } from "../../../src/server/state.ts";
import { assert, assertEquals } from "../../assert.ts";
import { until } from "../../listening.ts";
import { configurationOf } from "../../server_configuration.ts";
import { answer, authorization } from "../auth/client.ts";
import { inScratch, writeFiles } from "../../scratch.ts";
import { share, treeOf } from "../quickserve/trees.ts";

/** A server, and what it reported. It logs nothing: a report must not depend on a line in the log. */
class Server {
  readonly reports: ServerState[] = [];
  readonly #running: RunningServer;
  port = 0;

  private constructor(configuration: Partial<ServerConfiguration>, state: ServerState) {
    this.#running = new RunningServer(
      configurationOf(configuration),
      state,
      (report) => this.reports.push(structuredClone(report)),
      new ExpectedFiles({ readChanged: () => Promise.resolve([]) }),
    );
  }

  static async start(
    configuration: Partial<ServerConfiguration> = {},
    state: ServerState = emptyState(),
  ): Promise<Server> {
    const server = new Server(configuration, state);
    server.port = await server.#running.start();
    return server;
  }

  /** Waits for a report; the state that a next worker would begin with. */
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

Deno.test("a peer that was found is reported, and known to the next worker", async () => {
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

/** A login; the status and the nonce of the next challenge. */
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

Deno.test("a login is reported: its nonce is good for nothing more at the next worker", async () => {
  await using server = await Server.start({ auth });
  const nonce = nonceOf(await server.ask("/"));
  assertEquals((await logIn(server, "secret", nonce)).status, 200);
  await using next = await Server.start({ auth }, await server.reported("the login"));
  const again = await logIn(next, "secret", nonce);
  assertEquals(again.status, 401);
  // It knows the key of the nonce: a client logs in anew without asking its user.
  assert(/stale=true/.test(again.headers.get("www-authenticate") ?? ""));
});

Deno.test("a wrong password is reported: the next worker slows down who guesses", async () => {
  await using server = await Server.start({ auth });
  for (let guess = 0; guess < 4; guess++) {
    assertEquals((await logIn(server, `${guess}`)).status, 401);
  }
  await using next = await Server.start({ auth }, await server.reported("the guess"));
  assertEquals((await logIn(next, "another")).status, 401);
  const { digest } = await next.reported("another guess");
  assertEquals(digest?.throttle.map(([, guesser]) => guesser.failures), [5]);
});

Deno.test("a package that pacman was sent to a peer for is reported: the next worker asks a mirror", () =>
  inScratch(async (directory) => {
    const file = "foo-1-1-any.pkg.tar.zst";
    writeFiles(directory, { [`cache/${file}`]: "package" });
    await using peer = await Server.start({
      tree: treeOf([share("pkg", `${directory}/cache`)]),
    });
    const mirror = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => new Response("package"),
    );
    try {
      const base = configurationOf();
      const configuration = {
        pacserve: pacserveWith(`http://127.0.0.1:${mirror.addr.port}/$repo/os/$arch`),
        peers: { ...base.peers, staticPeers: [`http://127.0.0.1:${peer.port}/`] },
      };
      await using server = await Server.start(configuration);
      const target = `/pacman/core/x86_64/${file}`;
      const first = await server.ask(target);
      const portOf = async (reply: Response): Promise<number> => {
        await reply.body?.cancel();
        return Number(new URL(reply.headers.get("location") ?? "").port);
      };
      assertEquals(await portOf(first), peer.port);
      await using next = await Server.start(configuration, await server.reported("the redirect"));
      assertEquals(await portOf(await next.ask(target)), mirror.addr.port);
    } finally {
      await mirror.shutdown();
    }
  }));

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
  };
}

Deno.test("nothing is reported after the final report, whatever is still in flight", async () => {
  const server = await Server.start({ auth });
  for (let guess = 0; guess < 5; guess++) await logIn(server, `${guess}`);
  // This one has to wait for its turn: it changes what is known of the guesser when all is reported.
  const nonce = nonceOf(await server.ask("/"));
  const late = logIn(server, "late", nonce);
  // When this is answered, the server has read the late one.
  await (await server.ask("/")).body?.cancel();
  await server.stop(10_000);
  assertEquals((await late).status, 401);
  assertEquals(server.reports.at(-1)?.digest?.final, true);
  const guesses = server.reports.at(-1)?.digest?.throttle.map(([, guesser]) => guesser.failures);
  assertEquals(guesses, [5], "it was not late");
  // A further report would be under way now: a test that leaves a timer behind fails.
});

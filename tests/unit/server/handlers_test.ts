/** Tests which requests need a login, and which header fields replies have. */

import type { PacserveConfiguration } from "../../../src/pacserve/configuration.ts";
import { serverHeader } from "../../../src/peers/announcement.ts";
import { assertEquals, assertMatch } from "../../assert.ts";
import { makeRequest, type RequestParts } from "../../request.ts";
import { configurationOf, handlersOf } from "../../server_configuration.ts";
import { answer, authorization, parameter } from "../auth/client.ts";

const users = [{ name: "alice", password: "secret" }];
const own = { remoteAddress: "127.0.0.1" };
const neighbour = { remoteAddress: "192.168.7.7" };

const pacserve: PacserveConfiguration = {
  pacman: {
    cacheDirectories: [],
    databasePath: "/var/lib/pacman",
    architectures: ["x86_64"],
    repositories: [],
  },
  trustPeers: false,
  port: 15678,
  hostNames: [],
  redirect: false,
  spool: null,
  authorities: [],
  proxies: null,
};

/** True when a request needs a login. */
async function needsUser(
  auth: { readonly users: typeof users; readonly uploadOnly: boolean },
  parts: RequestParts,
): Promise<boolean> {
  const handlers = await handlersOf(
    configurationOf({ auth: { ...auth, realm: "Test" }, pacserve }),
  );
  const reply = await handlers.answer(
    makeRequest({ connection: neighbour, ...parts, headers: { host: "localhost" } }),
  );
  handlers.close();
  return reply.status === 401;
}

Deno.test("Handlers.answer: without users no request needs a login", async () => {
  assertEquals(await needsUser({ users: [], uploadOnly: false }, {}), false);
  assertEquals(await needsUser({ users: [], uploadOnly: true }, { method: "PUT" }), false);
});

Deno.test("Handlers.answer: with users every request needs a login, except packages for this host's pacman", async () => {
  const target = "/pacman/core/x86_64/foo-1-1-any.pkg.tar.zst";
  for (
    const [parts, expected] of [
      [{}, true],
      [{ connection: own }, true],
      [{ method: "PUT", target: "/name" }, true],
      [{ target }, true],
      [{ target, connection: own }, false],
      [{ target, connection: own, method: "HEAD" }, false],
      [{ target, connection: own, method: "PUT" }, true],
    ] as const
  ) {
    assertEquals([parts, await needsUser({ users, uploadOnly: false }, parts)], [parts, expected]);
  }
});

Deno.test("Handlers.answer: with uploadOnly, only uploads need a login", async () => {
  const auth = { users, uploadOnly: true };
  assertEquals(await needsUser(auth, {}), false);
  assertEquals(await needsUser(auth, { method: "PUT", target: "/name" }), true);
});

Deno.test("Handlers.answer: the reply to a user has the name for the log, and Authentication-Info", async () => {
  const auth = { users, uploadOnly: false, realm: "Test" };
  const handlers = await handlersOf(configurationOf({ auth }));
  const headers = { host: "localhost" };
  const challenge = await handlers.answer(makeRequest({ headers, connection: own }));
  assertEquals([challenge.status, challenge.user], [401, undefined]);
  const login = { user: "alice", password: "secret" };
  const credentials = answer(parameter(challenge, "nonce") ?? "", "Test", login);
  const reply = await handlers.answer(makeRequest({
    headers: { ...headers, authorization: authorization(credentials) },
    connection: own,
  }));
  assertEquals([reply.status, reply.user], [200, "alice"]);
  assertMatch(String(reply.headers["Authentication-Info"]), /^rspauth="/);
  handlers.close();
});

Deno.test("Handlers.answer: every reply has the Server field, and replies to peers have pacserve- fields", async () => {
  const handlers = await handlersOf(configurationOf());
  const headers = { host: "localhost" };
  const connection = own;
  const fromPeer = { ...headers, "pacserve-instance": crypto.randomUUID() };
  for (const target of ["/", "/none", "/%2e%2e/", "*"]) {
    const reply = await handlers.answer(makeRequest({ target, headers, connection }));
    assertEquals(reply.headers["Server"], serverHeader("quickserve"));
    assertEquals(Object.keys(reply.headers).some((name) => /^pacserve-/i.test(name)), false);
    const told = await handlers.answer(makeRequest({ target, headers: fromPeer, connection }));
    assertEquals(Object.keys(told.headers).some((name) => /^pacserve-/i.test(name)), true);
  }
  handlers.close();
});

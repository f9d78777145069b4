import { createHash } from "node:crypto";
import type { Reply, RequestHeaders } from "../../../src/http/exchange.ts";
import { Digest, type LoginVerdict } from "../../../src/auth/digest.ts";

import { assert, assertEquals } from "../../assert.ts";
import { makeRequest, type RequestParts } from "../../request.ts";
import { answer, authorization, challenges, type Login, parameter, textOf } from "./client.ts";

const FREE_FAILURES = 3;
const NONCE_LIFETIME = 10 * 60 * 1000;

const realm = 'The "Realm"';
const shown = realm.replaceAll('"', '\\"');
const now = 1_800_000_000_000;
const users = [{ name: "alice", password: "secret" }, { name: "Jäsøn", password: "ключ" }];
const alice: Login = { user: "alice", password: "secret" };

/** A server with the parts of a dialogue that every test needs. */
class Dialogue {
  time = now;
  constructor(readonly digest: Digest = new Digest({ users, uploadOnly: false, realm })) {}

  async ask(headers: RequestHeaders = {}, parts: RequestParts = {}): Promise<LoginVerdict> {
    return await this.digest.check(makeRequest({ ...parts, headers }), this.time);
  }

  async nonce(): Promise<string> {
    return parameter(refused(await this.ask()), "nonce") ?? "";
  }

  /** Logs in with a nonce, the parameters changed as told. */
  log(
    nonce: string,
    login: Login,
    change: Record<string, string | undefined> = {},
    parts: RequestParts = {},
  ): Promise<LoginVerdict> {
    const all = { ...parametersFor(nonce, login), ...change };
    const kept = Object.entries(all).filter((pair): pair is [string, string] =>
      pair[1] !== undefined
    );
    return this.ask({ authorization: authorization(Object.fromEntries(kept)) }, parts);
  }
}

function parametersFor(nonce: string, login: Login): Record<string, string> {
  return { ...answer(nonce, realm, login), realm: `"${shown}"` };
}

function refused(verdict: LoginVerdict): Reply {
  assert("reply" in verdict, "somebody was let in");
  return verdict.reply;
}

function userOf(verdict: LoginVerdict): string | null {
  return "user" in verdict ? verdict.user : null;
}

function isStale(verdict: LoginVerdict): boolean {
  const reply = refused(verdict);
  assertEquals(reply.status, 401);
  return parameter(reply, "stale") === "true";
}

Deno.test("Digest: the challenge offers SHA-256 before MD5, each in a field of its own", async () => {
  const reply = refused(await new Dialogue().ask());
  assertEquals(reply.status, 401);
  assertEquals(challenges(reply).map((field) => /algorithm=(\S+)$/.exec(field)?.[1]), [
    "SHA-256",
    "MD5",
  ]);
  for (const field of challenges(reply)) {
    assert(field.startsWith(`Digest realm="${shown}", qop="auth", nonce="`), field);
    assert(field.includes("charset=UTF-8") && /opaque="[^"]+"/.test(field), field);
    assert(!field.includes("stale"), field);
  }
});

Deno.test("Digest: the right password is let in, with either algorithm", async () => {
  for (const algorithm of ["SHA-256", "MD5"] as const) {
    const server = new Dialogue();
    const nonce = await server.nonce();
    const verdict = await server.log(nonce, { ...alice, algorithm });
    assertEquals(userOf(verdict), "alice");
  }
});

Deno.test("Digest: the server proves that it knows the password too", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  const verdict = await server.log(nonce, { ...alice, uri: "/" });
  const sum = (text: string): string => createHash("sha256").update(text).digest("hex");
  const a1 = sum(`alice:${realm}:secret`);
  const expected = sum(`${a1}:${nonce}:00000001:0a4f113b:auth:${sum(":/")}`);
  assert("user" in verdict);
  assert(verdict.info?.includes(`rspauth="${expected}"`));
});

Deno.test("Digest: names in UTF-8, in ISO 8859-1 and as username*", async () => {
  const login = { user: "Jäsøn", password: "ключ" };
  const server = new Dialogue();
  assertEquals(userOf(await server.log(await server.nonce(), login)), "Jäsøn");
  const latin = await server.log(await server.nonce(), login, { username: '"Jäsøn"' });
  assertEquals(userOf(latin), "Jäsøn");
  const extended = { username: undefined, "username*": "UTF-8''J%C3%A4s%C3%B8n" };
  assertEquals(userOf(await server.log(await server.nonce(), login, extended)), "Jäsøn");
});

Deno.test("Digest: difficult passwords and names", async () => {
  for (const password of ["a:b:c", "-1", "007", 'q"uo\\te', " ", "пароль ✓", "--auth"]) {
    for (const user of ["-x", "42", 'a"b\\c', "ü"]) {
      const server = new Dialogue(
        new Digest({ users: [{ name: user, password }], uploadOnly: false, realm }),
      );
      const verdict = await server.log(await server.nonce(), { user, password });
      assertEquals(userOf(verdict), user, password);
    }
  }
});

Deno.test("Digest: a wrong password and an unknown user get the same answer", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  const wrong = refused(await server.log(nonce, { ...alice, password: "Secret" }));
  const unknown = refused(await server.log(nonce, { user: "mallory", password: "secret" }));
  const constant = (reply: Reply): string =>
    JSON.stringify(reply.headers).replace(/nonce=\\"[^"]*"/g, "") + reply.status + textOf(reply);
  assertEquals(constant(wrong), constant(unknown));
  assertEquals(isStale({ reply: wrong }), false);
});

Deno.test("Digest: a recorded request is no good a second time, and its sender may log in anew", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  assertEquals(userOf(await server.log(nonce, alice)), "alice");
  assert(isStale(await server.log(nonce, alice)));
  assertEquals(userOf(await server.log(nonce, { ...alice, count: 2 })), "alice");
  const elsewhere = { connection: { remoteAddress: "192.0.2.66" } };
  assert(isStale(await server.log(nonce, alice, {}, elsewhere)));
});

Deno.test("Digest: counts may have gaps and overtake one another", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  for (const count of [1, 9, 4, 5, 2]) {
    assertEquals(userOf(await server.log(nonce, { ...alice, count })), "alice");
  }
  assert(isStale(await server.log(nonce, { ...alice, count: 4 })));
});

Deno.test("Digest: only a client that knows the password is told that its nonce is stale", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  server.time += NONCE_LIFETIME;
  assert(isStale(await server.log(nonce, alice)));
  assertEquals(isStale(await server.log(nonce, { ...alice, password: "x" })), false);
});

Deno.test("Digest: forged nonces let nobody in", async () => {
  const server = new Dialogue();
  const other = await new Dialogue().nonce();
  for (const nonce of [other, "", "0", "A".repeat(48), `${await server.nonce()}x`]) {
    assertEquals(userOf(await server.log(nonce, alice)), null, nonce);
  }
});

Deno.test("Digest: the credentials of one address or method are none for another", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  const at = (
    target: string,
    headers: RequestHeaders = {},
    uri = "/a?b=1",
  ): Promise<LoginVerdict> =>
    server.ask({
      ...headers,
      authorization: authorization(parametersFor(nonce, { ...alice, uri, count: count++ })),
    }, { target });
  let count = 1;
  assertEquals(userOf(await at("/a?b=1")), "alice");
  for (const target of ["/a", "/a?b=2", "/b?b=1", "/A?b=1", "/%61?b=1"]) {
    assertEquals(refused(await at(target)).status, 400, target);
  }
  // As a client writes it that talks to a proxy.
  const host = { host: "Server:80" };
  assertEquals(userOf(await at("/a?b=1", host, "http://server/a?b=1")), "alice");
  assertEquals(userOf(await at("/", host, "http://server")), "alice");
  assertEquals(refused(await at("/a?b=1", host, "http://other/a?b=1")).status, 400);
  assertEquals(refused(await at("/a?b=1", host, "http://server/a?b=2")).status, 400);
  const method = await server.log(nonce, { ...alice, count: 99 }, {}, { method: "PUT" });
  assertEquals(userOf(method), null);
});

Deno.test("Digest: missing and improper parameters are answered with 400", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  const changes: Record<string, string | undefined>[] = [
    ...["username", "realm", "nonce", "uri", "qop", "nc", "cnonce", "response"].map((name) => ({
      [name]: undefined,
    })),
    { qop: "auth-int" },
    { nc: "1" },
    { nc: "00000000" },
    { nc: "-0000001" },
    { nc: "0000000g" },
    { cnonce: '""' },
    { response: '""' },
    { response: `"${"0".repeat(63)}"` },
    { response: `"${"z".repeat(64)}"` },
    { "username*": "UTF-8''alice" },
    { username: undefined, "username*": "UTF-8''%ff" },
    { userhash: "true" },
  ];
  for (const change of changes) {
    const reply = refused(await server.log(nonce, alice, change));
    assertEquals(reply.status, 400, JSON.stringify(change));
  }
  assertEquals(refused(await server.ask({ authorization: "Digest ,=" })).status, 400);
});

Deno.test("Digest: what is not on offer is answered with what is", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  for (const algorithm of ["MD5-sess", "SHA-256-sess", "SHA-512-256", '"x"']) {
    assertEquals(isStale(await server.log(nonce, alice, { algorithm })), false, algorithm);
  }
  assertEquals(isStale(await server.log(nonce, alice, { realm: '"other"' })), false);
  assertEquals(isStale(await server.ask({ authorization: "Bearer abc" })), false);
});

Deno.test("Digest: a response of MD5's length is none of SHA-256", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  const md5 = parametersFor(nonce, { ...alice, algorithm: "MD5" });
  const verdict = await server.log(nonce, alice, { response: md5["response"] });
  assertEquals(userOf(verdict), null);
});

Deno.test("Digest: a successor with the state of its forerunner keeps every login and no replay", async () => {
  const first = new Dialogue();
  const nonce = await first.nonce();
  await first.log(nonce, alice);
  const state = structuredClone(first.digest.exportState(true));
  const second = new Dialogue(new Digest({ users, uploadOnly: false, realm }, state));
  assert(isStale(await second.log(nonce, alice)), "a replay");
  assertEquals(userOf(await second.log(nonce, { ...alice, count: 2 })), "alice");
});

Deno.test("Digest: the successor of a worker that died trusts no nonce from before", async () => {
  const first = new Dialogue();
  first.time = Date.now();
  const nonce = await first.nonce();
  const state = structuredClone(first.digest.exportState(false));
  await first.log(nonce, alice);
  const second = new Dialogue(new Digest({ users, uploadOnly: false, realm }, state));
  second.time = Date.now();
  assert(isStale(await second.log(nonce, alice)), "a replay");
  second.time += 10;
  assertEquals(userOf(await second.log(await second.nonce(), alice)), "alice");
});

Deno.test("Digest: a successor without it makes clients log in again by themselves", async () => {
  const first = new Dialogue();
  const nonce = await first.nonce();
  await first.log(nonce, alice);
  assert(isStale(await new Dialogue().log(nonce, { ...alice, count: 2 })));
});

Deno.test("Digest: an address that guesses is slowed down; others, and users who are logged in there, are not", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  await server.log(nonce, alice);
  const check = (login: Login, remoteAddress: string, signal?: AbortSignal) =>
    server.digest.check(
      makeRequest({
        headers: { authorization: authorization(parametersFor(nonce, login)) },
        connection: { remoteAddress },
        ...(signal === undefined ? {} : { signal }),
      }),
      server.time,
    );
  for (let guess = 0; guess < 20; guess++) {
    assert(
      !(check({ ...alice, password: `${guess}` }, "192.0.2.66") instanceof Promise) ||
        guess > 3,
    );
  }
  // All further ones at the same time: some wait, the rest is sent away.
  const client = new AbortController();
  const verdicts = Array.from(
    { length: 100 },
    () => check({ ...alice, count: 7 }, "192.0.2.66", client.signal),
  );
  assert(verdicts.some((verdict) => !(verdict instanceof Promise)));
  for (const verdict of verdicts) {
    if (!(verdict instanceof Promise)) assertEquals(refused(verdict).status, 429);
  }
  const elsewhere = check({ ...alice, count: 2 }, "192.0.2.77");
  assert(!(elsewhere instanceof Promise));
  assertEquals(userOf(elsewhere), "alice");
  const known = check({ ...alice, count: 3 }, "192.0.2.7");
  assert(!(known instanceof Promise));
  assertEquals(userOf(known), "alice");
  // Going away is no way to get an answer early: a right guess is not looked at.
  client.abort();
  for (const verdict of await Promise.all(verdicts)) assertEquals(userOf(verdict), null);
  assertEquals(userOf(check({ ...alice, count: 7 }, "192.0.2.77") as LoginVerdict), "alice");
});

Deno.test("Digest: a user who has logged in may not guess the password of another", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  assertEquals(userOf(await server.log(nonce, { user: "Jäsøn", password: "ключ" })), "Jäsøn");
  const client = new AbortController();
  const guesses = Array.from({ length: 200 }, (_, count) =>
    server.digest.check(
      makeRequest({
        headers: {
          authorization: authorization(
            parametersFor(nonce, { ...alice, password: `${count}`, count: count + 2 }),
          ),
        },
        signal: client.signal,
      }),
      server.time,
    ));
  const isLookedAt = (verdict: LoginVerdict | Promise<LoginVerdict>): boolean =>
    !(verdict instanceof Promise) && refused(verdict).status === 401;
  assertEquals(guesses.filter(isLookedAt).length, FREE_FAILURES + 1);
  client.abort();
  await Promise.all(guesses);
});

Deno.test("Digest: neither other users nor another worker make an address forget its failures", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  for (let guess = 0; guess < 20; guess++) {
    void server.log(nonce, { ...alice, password: `${guess}` }, {}, { signal: AbortSignal.abort() });
  }
  const pauses = async (digest: Digest): Promise<boolean> => {
    const client = new AbortController();
    const headers = { authorization: authorization(parametersFor(nonce, alice)) };
    const verdict = digest.check(makeRequest({ headers, signal: client.signal }), server.time);
    client.abort();
    await verdict;
    return verdict instanceof Promise;
  };
  for (const final of [true, false]) {
    const state = structuredClone(server.digest.exportState(final));
    assert(await pauses(new Digest({ users, uploadOnly: false, realm }, state)), `final: ${final}`);
  }
  server.digest.replaceUsers([{ name: "alice", password: "changed" }]);
  assert(await pauses(server.digest));
});

Deno.test("Digest: users that take the place of others log in, with the nonces that there are", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  assertEquals(userOf(await server.log(nonce, alice)), "alice");
  server.digest.replaceUsers([{ name: "alice", password: "changed" }]);
  assertEquals(userOf(await server.log(nonce, { ...alice, count: 2 })), null);
  const changed = { ...alice, password: "changed" };
  assert(isStale(await server.log(nonce, changed)), "a replay");
  assertEquals(userOf(await server.log(nonce, { ...changed, count: 2 })), "alice");
});

Deno.test("Digest: an honest pause ends in an honest answer", async () => {
  const server = new Dialogue();
  const nonce = await server.nonce();
  for (let guess = 0; guess < 4; guess++) await server.log(nonce, { ...alice, password: "x" });
  const started = performance.now();
  assertEquals(userOf(await server.log(nonce, alice)), "alice");
  assert(performance.now() - started >= 450);
});

Deno.test("Digest: Basic is never offered; unasked it is good under TLS and on this host alone", async () => {
  const server = new Dialogue();
  const basic = (text: string): RequestHeaders => ({
    authorization: `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}`,
  });
  const local = { connection: { remoteAddress: "127.0.0.1" } };
  const secure = { connection: { secure: true } };
  assertEquals(userOf(await server.ask(basic("alice:secret"))), null);
  assertEquals(userOf(await server.ask(basic("alice:secret"), local)), "alice");
  assertEquals(userOf(await server.ask(basic("Jäsøn:ключ"), secure)), "Jäsøn");
  for (const wrong of ["alice:", "alice", "alice:secret ", ":", "nobody:secret"]) {
    assertEquals(userOf(await server.ask(basic(wrong), local)), null, wrong);
  }
  for (const field of challenges(refused(await server.ask(basic("alice:no"), secure)))) {
    assert(field.startsWith("Digest "));
  }
});

import type { Handler, Reply } from "../../../src/http/exchange.ts";
import { authenticate } from "../../../src/auth/authenticate.ts";
import { Digest } from "../../../src/auth/digest.ts";
import { assert, assertEquals } from "../../assert.ts";
import { makeRequest } from "../../request.ts";
import { answer, authorization, parameter } from "./client.ts";

const users = [{ name: "alice", password: "secret" }];
const page: Handler = (request) => ({
  status: 200,
  headers: { "X-Method": request.method },
  body: null,
});

Deno.test("authenticate hands on what a user sends, and nothing else", async () => {
  const digest = new Digest({ users, uploadOnly: false, realm: "Test" });
  for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE"]) {
    assertEquals((await authenticate(digest, makeRequest({ method }), page)).status, 401);
  }
});

Deno.test("the reply says who it was, and proves the server", async () => {
  const digest = new Digest({ users, uploadOnly: false, realm: "Test" });
  const nonce = parameter(await authenticate(digest, makeRequest(), page), "nonce") ?? "";
  const field = authorization(answer(nonce, "Test", { user: "alice", password: "secret" }));
  const request = makeRequest({ headers: { authorization: field } });
  const reply: Reply = await authenticate(digest, request, page);
  assertEquals(reply.status, 200);
  assertEquals(reply.user, "alice");
  assert(typeof reply.headers["Authentication-Info"] === "string");
  assertEquals(reply.headers["X-Method"], "GET");
});

import type { Handler, HttpRequest, Reply } from "../../../src/http/exchange.ts";
import { Digest } from "../../../src/auth/digest.ts";
import { requireUser } from "../../../src/auth/require_user.ts";
import { assert, assertEquals } from "../../assert.ts";
import { makeRequest } from "../../request.ts";
import { answer, authorization, parameter } from "./client.ts";

const users = [{ name: "alice", password: "secret" }];
const page: Handler = (request) => ({
  status: 200,
  headers: { "X-Method": request.method },
  body: null,
});
function guarded(isExempt: (request: HttpRequest) => boolean = () => false): Handler {
  const configuration = { users, uploadOnly: false, realm: "Test" };
  return requireUser(page, new Digest(configuration), configuration, isExempt);
}

Deno.test("requireUser: without users there is nothing to pass", () => {
  const configuration = { users: [], uploadOnly: false, realm: "Test" };
  assertEquals(requireUser(page, new Digest(configuration), configuration, () => false), page);
});

Deno.test("requireUser: with users every request needs one", async () => {
  for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE"]) {
    assertEquals((await guarded()(makeRequest({ method }))).status, 401);
  }
});

Deno.test("requireUser: what is exempt needs no user", async () => {
  const handler = guarded(({ method }) => method === "GET");
  assertEquals((await handler(makeRequest())).status, 200);
  assertEquals((await handler(makeRequest({ method: "PUT" }))).status, 401);
});

Deno.test("requireUser: the reply says who it was, and proves the server", async () => {
  const handler = guarded();
  const nonce = parameter(await handler(makeRequest()), "nonce") ?? "";
  const field = authorization(answer(nonce, "Test", { user: "alice", password: "secret" }));
  const reply: Reply = await handler(makeRequest({ headers: { authorization: field } }));
  assertEquals(reply.status, 200);
  assertEquals(reply.user, "alice");
  assert(typeof reply.headers["Authentication-Info"] === "string");
  assertEquals(reply.headers["X-Method"], "GET");
});

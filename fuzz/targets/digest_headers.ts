/** Authorization fields: they are parsed correctly, and never accepted without the password. */

import fc from "fast-check";
import { Digest } from "../../src/auth/digest.ts";
import { extendedValue, parseAuthorization, quote } from "../../src/auth/header.ts";
import { assert, assertEquals } from "../../tests/assert.ts";
import { makeRequest } from "../../tests/request.ts";
import { answer, authorization, parameter } from "../../tests/unit/auth/client.ts";
import { wordText } from "../bytes.ts";
import { target } from "../target.ts";

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
/** Text that a quoted-string can carry. */
const quotable = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,20}$/);

const parameters = fc.uniqueArray(fc.tuple(token, quotable), {
  maxLength: 12,
  selector: ([name]) => name.toLowerCase(),
});

/** A right answer to a challenge with one of its parameters changed. */
const tampered = fc.record({
  name: fc.constantFrom("username", "realm", "nonce", "uri", "qop", "nc", "cnonce", "response"),
  value: fc.oneof(quotable.map(quote), wordText(['"', "auth", "alice", "00000001", ",", "="], 6)),
});

const anything = wordText([
  "Digest ",
  "Basic ",
  "Bearer ",
  "username",
  "username*",
  "UTF-8''",
  "%C3%A4",
  "realm",
  "nonce",
  "response",
  "=",
  '"',
  ",",
  "\\",
  "YWxpY2U6",
  "nc=00000001",
  "qop=auth",
]);

const digest = new Digest({
  users: [{ name: "alice", password: "open sesame" }],
  uploadOnly: false,
  realm: "Quickserve",
});

/** A formatted field parses to its parameters, and no field without the password is accepted. */
export const digestHeaders = target(
  "digest-headers",
  fc.record({ parameters, tampered, anything }),
  async ({ parameters, tampered, anything }) => {
    const field = "Digest " +
      parameters.map(([name, value]) => `${name}=${quote(value)}`).join(", ");
    const parsed = parseAuthorization(field);
    if (parameters.length > 0) {
      assert(parsed !== null, field);
      assertEquals(
        [...parsed.parameters],
        parameters.map(([name, value]) => [name.toLowerCase(), value]),
      );
    }
    const text = parameters.map(([name]) => name).join("/");
    assertEquals(
      extendedValue(`UTF-8''${
        encodeURIComponent(text).replaceAll("(", "%28")
          .replaceAll(")", "%29").replaceAll("'", "%27").replaceAll("*", "%2A")
      }`),
      text,
    );

    await assertRefused(anything);
    await assertRefused(field);
    const challenge = await digest.check(requestWith(undefined));
    assert("reply" in challenge);
    const login = { user: "alice", password: "open sesame" };
    const right = answer(parameter(challenge.reply, "nonce") ?? "", "Quickserve", login);
    if (tampered.value === right[tampered.name]) return;
    const wrong = { ...right, [tampered.name]: tampered.value };
    // Without the password, no choice of the other parameters is accepted.
    await assertRefused(authorization({ ...wrong, response: `"${"0".repeat(64)}"` }));
  },
);

let address = 0;

async function assertRefused(authorization: string): Promise<void> {
  const verdict = await digest.check(requestWith(authorization));
  assert(!("user" in verdict), `accepted: ${authorization}`);
  assert(verdict.reply.status === 401 || verdict.reply.status === 400, "refused");
}

/** A request from another address each time, because an address that guesses would have to wait. */
function requestWith(authorization: string | undefined): ReturnType<typeof makeRequest> {
  address = (address + 1) % 2 ** 24;
  const remoteAddress = `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`;
  const headers = authorization === undefined ? {} : { authorization };
  return makeRequest({ headers, connection: { remoteAddress } });
}

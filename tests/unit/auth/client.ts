/** A client for digest authentication, written from RFC 7616 and independent of the server's code. */

import { createHash } from "node:crypto";
import { isFileSlice, type Reply } from "../../../src/http/exchange.ts";

/** The choices of a client; the other parameters follow from the challenge. */
export interface Login {
  readonly user: string;
  readonly password: string;
  readonly method?: string;
  readonly uri?: string;
  readonly count?: number;
  readonly algorithm?: "SHA-256" | "MD5";
}

/** The value of a parameter in the first challenge of a reply. */
export function parameter(reply: Reply, name: string): string | undefined {
  const field = challenges(reply)[0] ?? "";
  const match = new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^",]*))`).exec(field);
  return match?.[1] ?? match?.[2];
}

/** The `WWW-Authenticate` fields of a reply. */
export function challenges(reply: Reply): readonly string[] {
  const fields = reply.headers["WWW-Authenticate"] ?? [];
  return typeof fields === "string" ? [fields] : fields;
}

/** The parameters of the answer to a challenge. */
export function answer(nonce: string, realm: string, login: Login): Record<string, string> {
  const { user, password, method = "GET", uri = "/", count = 1, algorithm = "SHA-256" } = login;
  const sum = (text: string): string =>
    createHash(algorithm === "MD5" ? "md5" : "sha256").update(text).digest("hex");
  const nc = count.toString(16).padStart(8, "0");
  const cnonce = "0a4f113b";
  const a1 = sum(`${user}:${realm}:${password}`);
  const response = sum(`${a1}:${nonce}:${nc}:${cnonce}:auth:${sum(`${method}:${uri}`)}`);
  const name = user.replace(/["\\]/g, "\\$&");
  return {
    username: `"${new TextDecoder("latin1").decode(new TextEncoder().encode(name))}"`,
    realm: `"${realm}"`,
    nonce: `"${nonce}"`,
    uri: `"${uri}"`,
    qop: "auth",
    algorithm,
    nc,
    cnonce: `"${cnonce}"`,
    response: `"${response}"`,
  };
}

/** The `Authorization` field with these parameters. */
export function authorization(parameters: Record<string, string>): string {
  const list = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return `Digest ${list.join(", ")}`;
}

/** The body of a reply as text. */
export function textOf(reply: Reply): string {
  const { body } = reply;
  if (body === null) return "";
  if (!(body instanceof Uint8Array) || isFileSlice(body)) throw new Error("not in memory");
  return new TextDecoder().decode(body);
}

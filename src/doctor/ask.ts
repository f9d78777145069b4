/** A request to one address of a server, under any name. */

import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { Failure } from "../failure.ts";

/** How a question differs from `GET /`. */
interface Question {
  readonly method?: string;
  /** With a slash in front. */
  readonly target?: string;
  /** The IP address to connect to; without it that of the URL's host. */
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for all of it. */
  readonly timeout?: number;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Milliseconds: a server on the LAN answers in a few. */
const TIMEOUT = 2_000;

/** Characters of an answer that are read. */
const MAX_TEXT = 4 << 20;

/**
 * Asks. A redirect is not followed. As curl(1) does, and with it pacman, `localhost` is taken for both
 * loopback addresses.
 *
 * @throws {Failure} that says why there is no answer.
 */
export async function ask(server: URL, question: Question = {}): Promise<Answer> {
  if (question.address !== undefined || server.hostname !== "localhost") {
    return await askOne(server, question);
  }
  try {
    return await askOne(server, { ...question, address: "127.0.0.1" });
  } catch (error) {
    return await askOne(server, { ...question, address: "::1" }).catch(() => {
      throw error;
    });
  }
}

function askOne(server: URL, question: Question): Promise<Answer> {
  const { method = "GET", target = "/", headers = {}, timeout = TIMEOUT } = question;
  const isSecure = server.protocol === "https:";
  const name = server.hostname.replace(/^\[|\]$/g, "");
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = (isSecure ? secureRequest : plainRequest)({
    host: question.address ?? name,
    port: server.port || (isSecure ? 443 : 80),
    method,
    path: target,
    headers: { Host: server.host, Connection: "close", ...headers },
    agent: false,
    // The certificate has to be good for the name, whichever address is asked.
    ...(isSecure ? { servername: name } : {}),
  });
  const late = new Failure(`no answer in ${timeout / 1000} s`);
  const timer = setTimeout(() => {
    reject(late);
    request.destroy();
  }, timeout);
  request.on("error", (error) => reject(new Failure(reasonOf(error))));
  request.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (piece: string) => {
      text += piece;
      if (text.length > MAX_TEXT) response.destroy(new Failure("the answer does not end"));
    });
    response.on("error", (error) => reject(new Failure(reasonOf(error))));
    response.on("end", () => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
    });
  });
  request.end();
  return promise.finally(() => {
    clearTimeout(timer);
    request.destroy();
  });
}

/** The kernel's words for what happened, without those of the runtime. */
function reasonOf(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: "the connection is refused",
    ECONNRESET: "the connection breaks off",
    EHOSTUNREACH: "there is no route to the host",
    ENETUNREACH: "there is no route to its network",
    ENOTFOUND: "its name is not known",
    EAI_AGAIN: "its name cannot be resolved",
  };
  return known[code] ?? error.message;
}

/**
 * The time that an answer was made at, in milliseconds since 1970; null where it does not say.
 *
 * @param date the field `Date`.
 * @param age the field `Age`: seconds that a cache has kept the answer (RFC 9111 §5.1).
 */
export function timeOf(date: string | undefined, age: string | undefined): number | null {
  const time = Date.parse(date ?? "");
  if (Number.isNaN(time)) return null;
  const seconds = /^\d{1,9}$/.test(age ?? "") ? Number(age) : 0;
  return time + seconds * 1000;
}

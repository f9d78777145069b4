/** Sends one request to a server: for commands on this host that ask pacserve something. */

import { isPacserve } from "../peers/announcement.ts";
import { type FileAnswer, FileClient, HttpError } from "./relay/http_client.ts";

/** The parts of a request that differ from `GET /`. */
interface Question {
  readonly method?: "GET" | "HEAD" | "POST";
  /** The request target; it begins with a slash. */
  readonly target?: string;
  /** The IP address to connect to; by default the address of the URL's host. */
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The time limit for the whole exchange in milliseconds. */
  readonly timeout?: number;
}

/** The answer of a server. */
export interface Answer extends Pick<FileAnswer, "status" | "headers"> {
  /** The body; empty if the answer has no length, which all answers of pacserve have. */
  readonly text: string;
}

/** The default time limit in milliseconds. A server on the LAN needs only a few. */
const TIMEOUT = 2_000;

/** The greatest length of an answer in bytes; all answers of pacserve are shorter. */
const MAX_ANSWER = 16 << 20;

/** Thrown when there is no answer in time. */
export class TooLate extends HttpError {}

/**
 * Sends a request and returns the answer. It uses no proxy, and follows no redirect. For `localhost` it
 * tries both loopback addresses without the resolver, as curl(1) and pacman do.
 *
 * @throws {HttpError} with the reason, to be read after the name of the server.
 */
export async function ask(server: URL, question: Question = {}): Promise<Answer> {
  if (question.address !== undefined || server.hostname !== "localhost") {
    return await askOnce(server, question);
  }
  try {
    return await askOnce(server, { ...question, address: "127.0.0.1" });
  } catch (error) {
    if (!isNotListening(error)) throw error;
    return await askOnce(server, { ...question, address: "::1" });
  }
}

/** True for an error which means that no server listens, or that this machine lacks the address. */
export function isNotListening(error: unknown): boolean {
  const { cause } = Object(error) as { readonly cause?: unknown };
  return cause instanceof Deno.errors.ConnectionRefused ||
    cause instanceof Deno.errors.AddrNotAvailable ||
    cause instanceof Deno.errors.NetworkUnreachable;
}

/** True for the answer of a pacserve of any version, including the original of 2013. */
export function isFromPacserve({ headers }: Answer): boolean {
  return isPacserve(headers.get("server") ?? "");
}

async function askOnce(
  server: URL,
  { method = "GET", target = "/", address, headers, timeout = TIMEOUT }: Question,
): Promise<Answer> {
  const client = new FileClient();
  const signal = AbortSignal.timeout(timeout);
  const fields = {
    "User-Agent": "pacserve-status",
    "Connection": "close",
    ...(method === "POST" ? { "Content-Length": "0" } : {}),
    ...headers,
  };
  try {
    const url = new URL(target, server);
    const place = address === undefined ? {} : { address };
    const answer = await client.request({ method, url, headers: fields, signal, ...place });
    const text = method === "HEAD" ? "" : await bodyOf(answer);
    answer.close();
    return { status: answer.status, headers: answer.headers, text };
  } catch (error) {
    throw signal.aborted ? new TooLate(`does not answer within ${timeout / 1000} s`) : error;
  } finally {
    client.close();
  }
}

async function bodyOf(answer: FileAnswer): Promise<string> {
  const length = answer.length ?? 0;
  if (length > MAX_ANSWER) throw new HttpError("sends an answer that is too long");
  const bytes = new Uint8Array(length);
  for (let start = 0; start < length;) start += await answer.read(bytes.subarray(start)) ?? length;
  return new TextDecoder().decode(bytes);
}

/**
 * Returns the time of the server when it sent an answer, in milliseconds since 1970; null if the answer
 * has no date.
 *
 * @param headers may have `Age`, the seconds since a cache stored the answer (RFC 9111 §5.1).
 */
export function timeOf(headers: ReadonlyMap<string, string>): number | null {
  const time = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(time)) return null;
  const age = headers.get("age") ?? "";
  const seconds = /^\d{1,9}$/.test(age) ? Number(age) : 0;
  return time + seconds * 1000;
}

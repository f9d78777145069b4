/**
 * HTTP requests to peers, by `node:http` and `node:https`: no proxy, no redirect is followed, and what
 * a peer sends is bounded in size and in time.
 *
 * A certificate is verified as pacman's would be: a peer that pacman cannot download from is no use.
 */

import { Buffer } from "node:buffer";
import http from "node:http";
import { messageOf } from "../failure.ts";

/** A peer did not answer as a peer does. */
export class PeerError extends Error {
  override readonly name: string = "PeerError";
}

/** What is asked. */
export interface PeerRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds until all of the answer must be there. */
  readonly timeout: number;
  /** Greatest size of the answer's body in bytes: a longer one is an error. */
  readonly maximumBody: number;
  /** What the answers to several requests may take together. */
  readonly allowance?: Allowance;
}

/** Bytes that several answers may still take together; once they are used up, answers are errors. */
export interface Allowance {
  left: number;
}

/** What a peer answered. */
export interface PeerAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
  /** Milliseconds from the request to the head of the answer. */
  readonly roundTrip: number;
}

/** Connections to one peer: how many at a time, and how many are kept. */
const POOL = { keepAlive: true, maxSockets: 8, maxFreeSockets: 2 };

/** A way to send a request: plain, or under TLS. */
interface Transport {
  readonly request: typeof http.request;
  readonly agent: http.Agent;
}

/** Asks peers over connections that are kept for the next question. */
export class PeerClient {
  readonly #plain: Transport = { request: http.request, agent: new http.Agent(POOL) };
  readonly #authorities: readonly string[];
  #secure: Promise<Transport> | null = null;

  /** @param authorities PEM certificates; one that is not issued by any of them is not trusted. */
  constructor(authorities: readonly string[]) {
    this.#authorities = authorities;
  }

  /**
   * Asks.
   *
   * @throws {PeerError} when there is no complete answer in time.
   */
  async request(request: PeerRequest): Promise<PeerAnswer> {
    try {
      const isSecure = request.url.startsWith("https:");
      const transport = isSecure ? await this.#secureTransport() : this.#plain;
      try {
        return await exchange(request, transport);
      } catch (error) {
        // A kept connection may have been closed by the peer in the very moment that it was used.
        if (error instanceof StaleConnection) return await exchange(request, transport);
        throw error;
      }
    } catch (error) {
      throw error instanceof PeerError ? error : new PeerError(messageOf(error));
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#plain.agent.destroy();
    this.#secure?.then(({ agent }) => agent.destroy());
  }

  /** The way to peers with TLS. Its library takes 4 MB: it is loaded for the first such peer. */
  #secureTransport(): Promise<Transport> {
    this.#secure ??= import("node:https").then(({ default: https }) => ({
      request: https.request,
      // Never without `ca`: the runtime would look for the system's, which it may not in the worker.
      agent: new https.Agent({ ...POOL, ca: [...this.#authorities] }),
    }));
    return this.#secure;
  }
}

/** Sends the request once. */
function exchange(request: PeerRequest, transport: Transport): Promise<PeerAnswer> {
  return new Promise((resolve, reject) => {
    const sent = performance.now();
    const outgoing = transport.request(request.url, {
      method: request.method,
      agent: transport.agent,
      headers: {
        ...request.headers,
        ...(request.body === undefined ? {} : {
          "Content-Length": String(new TextEncoder().encode(request.body).length),
        }),
      },
      maxHeaderSize: 16384,
    });
    const fail = (reason: Error): void => {
      clearTimeout(timer);
      reject(reason);
      outgoing.destroy();
    };
    const timer = setTimeout(() => fail(new PeerError("no answer in time")), request.timeout);
    let answered = false;
    outgoing.on("error", (error) => {
      fail(
        outgoing.reusedSocket && !answered
          ? new StaleConnection(error.message)
          : new PeerError(error.message),
      );
    });
    outgoing.on("response", (response) => {
      answered = true;
      const roundTrip = performance.now() - sent;
      const chunks: Uint8Array[] = [];
      let length = 0;
      response.on("data", (chunk: Uint8Array) => {
        length += chunk.length;
        const { allowance } = request;
        if (allowance !== undefined) allowance.left -= chunk.length;
        if (length > request.maximumBody || (allowance !== undefined && allowance.left < 0)) {
          fail(new PeerError("the answer is too long"));
        } else chunks.push(chunk);
      });
      response.on("error", (error) => fail(new PeerError(error.message)));
      response.on("close", () => fail(new PeerError("the answer broke off")));
      response.on("end", () => {
        if (!response.complete) return fail(new PeerError("the answer broke off"));
        clearTimeout(timer);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks, length),
          roundTrip,
        });
      });
    });
    outgoing.end(request.body);
  });
}

class StaleConnection extends PeerError {}

/** The first value of a header field of an answer. */
export function headerOf(answer: PeerAnswer, name: string): string | undefined {
  const value = answer.headers[name.toLowerCase()];
  return typeof value === "string" ? value : value?.[0];
}

/** The body of an answer as text, whatever its bytes are. */
export function textOf(answer: PeerAnswer): string {
  return new TextDecoder().decode(answer.body);
}

/**
 * Sends messages to peers with `node:http` and `node:https`. It uses no proxy, follows no redirect, and
 * limits the size and the time of answers.
 *
 * Peers may be other programs (pacredir, the pacserve of 2013), which send answers in every form that HTTP
 * has. The client for files (`pacserve/relay/http_client.ts`) reads only those with a length.
 *
 * It verifies certificates as pacman does, because a peer from which pacman cannot download is useless.
 */

import { Buffer } from "node:buffer";
import http from "node:http";
import { connectionProblem } from "../failure.ts";

/** The error when a peer does not answer, or not as the protocol demands. */
export class PeerError extends Error {
  override readonly name: string = "PeerError";
}

/** A request to a peer. */
export interface PeerRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds within which the whole answer must arrive. */
  readonly timeout: number;
  /** Greatest size of the answer's body in bytes. A longer one is an error. */
  readonly maximumBody: number;
  /** A limit that this request shares with others. */
  readonly allowance?: Allowance;
}

/** A limit in bytes that several answers share. Once it is used up, further answers are errors. */
export interface Allowance {
  left: number;
}

/** The answer of a peer. */
export interface PeerAnswer {
  readonly status: number;
  /** The header fields, with names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
  /** Milliseconds from the request to the head of the answer. */
  readonly roundTrip: number;
}

/** The greatest number of connections to one peer, and of idle ones that stay open. */
const POOL = { keepAlive: true, maxSockets: 8, maxFreeSockets: 2 };

/** The functions that send a request, without or with TLS. */
interface Transport {
  readonly request: typeof http.request;
  readonly agent: http.Agent;
}

/** Sends requests to peers and reuses the connections. */
export class PeerClient {
  readonly #plain: Transport = { request: http.request, agent: new http.Agent(POOL) };
  readonly #authorities: readonly string[];
  #secure: Promise<Transport> | null = null;

  /** @param authorities PEM certificates of the authorities that may issue certificates of peers. */
  constructor(authorities: readonly string[]) {
    this.#authorities = authorities;
  }

  /**
   * Sends a request and returns the answer.
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
        // The peer may have closed an idle connection just when we used it. Use a new one.
        if (error instanceof StaleConnection) return await exchange(request, transport);
        throw error;
      }
    } catch (error) {
      throw error instanceof PeerError ? error : new PeerError(connectionProblem(error));
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#plain.agent.destroy();
    this.#secure?.then(({ agent }) => agent.destroy());
  }

  /**
   * Returns the transport with TLS. Its library takes 4 MB, therefore it is loaded only for the first
   * peer with TLS.
   */
  #secureTransport(): Promise<Transport> {
    this.#secure ??= import("node:https").then(({ default: https }) => ({
      request: https.request,
      // Always pass `ca`. Without it the runtime reads the authorities of the system, which the worker may not.
      agent: new https.Agent({ ...POOL, ca: [...this.#authorities] }),
    }));
    return this.#secure;
  }
}

/** Sends the request once, without a retry. */
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
    const timer = setTimeout(() => fail(new PeerError("does not answer in time")), request.timeout);
    let answered = false;
    outgoing.on("error", (error) => {
      const Kind = outgoing.reusedSocket && !answered ? StaleConnection : PeerError;
      fail(new Kind(connectionProblem(error)));
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
          fail(new PeerError("sends an answer that is too long"));
        } else chunks.push(chunk);
      });
      response.on("error", (error) => fail(new PeerError(connectionProblem(error))));
      response.on("close", () => fail(new PeerError("breaks off")));
      response.on("end", () => {
        if (!response.complete) return fail(new PeerError("breaks off"));
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

/** Returns the first value of a header field of an answer. */
export function headerOf(answer: PeerAnswer, name: string): string | undefined {
  const value = answer.headers[name.toLowerCase()];
  return typeof value === "string" ? value : value?.[0];
}

/** Returns the body of an answer as text. Bytes that are not UTF-8 are replaced. */
export function textOf(answer: PeerAnswer): string {
  return new TextDecoder().decode(answer.body);
}

/** The questions that peers are asked, and what their answers tell the registry. */

import {
  type Allowance,
  headerOf,
  type PeerAnswer,
  type PeerClient,
  PeerError,
  type PeerRequest,
  textOf,
} from "./client.ts";
import type { PublishedIndex } from "./index/published.ts";
import {
  decodeFirst,
  decodeFound,
  decodeListing,
  encodeMessage,
  type FirstDownload,
  HEADERS,
  isInstance,
  type Listing,
  type Message,
  MESSAGE_TYPE,
  type Want,
} from "./protocol.ts";
import type { Peer, Registry } from "./registry.ts";

/**
 * Milliseconds after which an answer that did not come is no longer waited for by anybody, unless the
 * user lets searches take longer.
 */
const MAX_ANSWER_TIME = 2_000;

/** The same for the answer to a want, which is of use while the file is downloaded. */
const MAX_WANT_TIME = 10_000;

const MAX_BODY = 1 << 20;
const MAX_LISTING_BODY = 16 << 20;
const MAX_NAMES = 100_000;

/** Asks peers. Every method rejects with a `PeerError` when there is no proper answer. */
export class Questions {
  readonly #client: PeerClient;
  readonly #registry: Registry;
  readonly #published: PublishedIndex;
  readonly #patience: number;

  /**
   * @param published says who this server is, with every question.
   * @param patience milliseconds after which a peer that has not answered is in backoff.
   */
  constructor(
    client: PeerClient,
    registry: Registry,
    published: PublishedIndex,
    patience: number,
  ) {
    this.#client = client;
    this.#registry = registry;
    this.#published = published;
    this.#patience = patience;
  }

  /** "Here I am", which also shows whether the peer is there. */
  async nudge(peer: Peer, uri: string): Promise<void> {
    const answer = await this.#ask(peer, messageTo(peer, { type: "nudge", uri }, 1024));
    this.#mustTake(peer, answer);
  }

  /** Whether there is a web server at all: a pacredir host understands no message, and hangs on POST. */
  async isThere(peer: Peer): Promise<void> {
    await this.#ask(peer, { method: "HEAD", url: peer.url, maximumBody: 1024 });
  }

  /** Which of the paths the peer has. */
  async fileCheck(peer: Peer, paths: readonly string[]): Promise<ReadonlySet<string>> {
    const message: Message = { type: "file check", paths, hops: 0 };
    const answer = await this.#ask(peer, messageTo(peer, message, MAX_BODY));
    this.#mustTake(peer, answer);
    const found = decodeFound(textOf(answer), paths, peer.url);
    if (found === null) throw this.#failed(peer, "answers what is no answer");
    return found;
  }

  /**
   * The entries of a directory; null when the peer has no such directory. A peer that fails to list it
   * can have packages all the same.
   *
   * @param allowance of bytes, for all peers that are asked for the directory.
   */
  async list(peer: Peer, path: string, allowance: Allowance): Promise<Listing | null> {
    const message: Message = { type: "directory listing", path, hops: 0 };
    const request = { ...messageTo(peer, message, MAX_LISTING_BODY), allowance };
    const answer = await this.#ask(peer, request, false);
    if (answer.status !== 200) throw new PeerError("does not list the directory");
    return decodeListing(textOf(answer), MAX_NAMES);
  }

  /** Who downloads a file first, as this tracker says; null when it does not answer that. */
  async want(tracker: Peer, want: Want): Promise<FirstDownload | null> {
    const request = { ...messageTo(tracker, want, 1024), timeout: MAX_WANT_TIME };
    const answer = await this.#ask(tracker, request, false);
    return answer.status === 200 ? decodeFirst(textOf(answer)) : null;
  }

  /** Whether the peer gives the file at this address of its own, and if not, whether it has none. */
  async offers(peer: Peer, url: string): Promise<Offer> {
    const answer = await this.#ask(peer, { method: "HEAD", url, maximumBody: 1024 });
    const { status } = answer;
    if (status === 200) {
      const length = headerOf(answer, "Content-Length") ?? "";
      return { has: "yes", size: /^\d{1,15}$/.test(length) ? Number(length) : null };
    }
    // A server that does not know HEAD has at least said that it has the file.
    if (status === 405 || status === 501) return { has: "yes", size: null };
    return { has: status === 404 || status === 410 ? "not found" : "no", size: null };
  }

  /** Any other GET from the peer's root; the caller judges the status. */
  get(
    peer: Peer,
    url: string,
    headers: Readonly<Record<string, string>>,
    maximumBody: number,
  ): Promise<PeerAnswer> {
    return this.#ask(peer, { method: "GET", url, headers, maximumBody });
  }

  /** @param isNecessary a peer that cannot answer this is of no use: it is in backoff then. */
  async #ask(
    peer: Peer,
    request: Omit<PeerRequest, "timeout"> & { readonly timeout?: number },
    isNecessary: boolean = true,
  ): Promise<PeerAnswer> {
    const late = setTimeout(() => {
      if (!isNecessary || peer.state !== "alive") return;
      this.#registry.failed(peer, `did not answer within ${this.#patience} ms`);
    }, this.#patience);
    try {
      const headers = { ...this.#published.headers(), ...request.headers };
      const { timeout = Math.max(MAX_ANSWER_TIME, this.#patience) } = request;
      const answer = await this.#client.request({ ...request, headers, timeout });
      const isProof = request.method === "HEAD" && request.url !== peer.url;
      this.#learn(peer, answer, isProof);
      return answer;
    } catch (error) {
      if (error instanceof PeerError && isNecessary) this.#registry.failed(peer, error.message);
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  #learn(peer: Peer, answer: PeerAnswer, isProof: boolean): void {
    const instance = instanceOf(headerOf(answer, HEADERS.instance));
    if (instance === this.#published.instance) {
      this.#registry.isSelf(peer);
      throw new PeerError("is this server itself");
    }
    if (answer.status >= 500 && answer.status !== 501) {
      throw new PeerError(`answers with status ${answer.status}`);
    }
    // A nudge that is answered with an error page comes from no peer: see #mustTake.
    const isBelieved = answer.status === 200 || peer.kind === "pacredir";
    if (peer.state === "candidate" && !isBelieved) return;
    this.#registry.answered(peer, {
      instance,
      generation: instance === null ? null : countOf(headerOf(answer, HEADERS.index)),
      transfers: countOf(headerOf(answer, HEADERS.transfers)),
      relays: headerOf(answer, HEADERS.relay) === "1",
      roundTrip: answer.roundTrip,
      isProof,
    });
  }

  #mustTake(peer: Peer, { status }: PeerAnswer): void {
    // A question that is too long for it is no fault of the peer.
    if (status === 413) throw new PeerError("does not take so long a message");
    if (status !== 200) throw this.#failed(peer, `answers with status ${status}`);
  }

  #failed(peer: Peer, trouble: string): PeerError {
    this.#registry.failed(peer, trouble);
    return new PeerError(trouble);
  }
}

/** What a peer says about a file. */
export interface Offer {
  readonly has: "yes" | "no" | "not found";
  /** Bytes; null when it does not say. */
  readonly size: number | null;
}

/** The request that carries a message. */
function messageTo(
  { url }: Peer,
  message: Message,
  maximumBody: number,
): Omit<PeerRequest, "timeout"> {
  const headers = { "Content-Type": MESSAGE_TYPE };
  return { method: "POST", url, headers, body: encodeMessage(message), maximumBody };
}

/** The identity in a header field; null for none or one that is not as ours are. */
export function instanceOf(value: string | undefined): string | null {
  return value !== undefined && isInstance(value) ? value : null;
}

/** The number in a header field; null for none or one that is not as ours are. */
export function countOf(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

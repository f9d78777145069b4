/** Sends questions to peers, and reports their answers to the registry. */

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
 * Milliseconds after which a question fails, unless the user lets searches take longer. No caller waits
 * longer than this.
 */
const MAX_ANSWER_TIME = 2_000;

/** The same for a want, whose answer is useful as long as the download takes. */
const MAX_WANT_TIME = 10_000;

const MAX_BODY = 1 << 20;
const MAX_LISTING_BODY = 16 << 20;
const MAX_NAMES = 100_000;

/** Asks peers. Every method rejects with a `PeerError` when there is no valid answer. */
export class Questions {
  readonly #client: PeerClient;
  readonly #registry: Registry;
  readonly #published: PublishedIndex;
  readonly #patience: number;

  /**
   * @param published provides the header fields that identify this server, for every question.
   * @param patience milliseconds after which a peer that has not answered is put in backoff.
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

  /** Sends a nudge, which announces this server and shows if the peer is there. */
  async nudge(peer: Peer, uri: string): Promise<void> {
    const answer = await this.#ask(peer, messageTo(peer, { type: "nudge", uri }, 1024));
    this.#mustTake(peer, answer);
  }

  /**
   * Checks that a pacredir host answers. It sends a GET, because such a host understands no messages and
   * hangs on POST.
   */
  async isThere(peer: Peer): Promise<void> {
    await this.#ask(peer, { method: "HEAD", url: peer.url, maximumBody: 1024 });
  }

  /** Returns those of the paths that the peer has. */
  async fileCheck(peer: Peer, paths: readonly string[]): Promise<ReadonlySet<string>> {
    const message: Message = { type: "file check", paths, hops: 0 };
    const answer = await this.#ask(peer, messageTo(peer, message, MAX_BODY));
    this.#mustTake(peer, answer);
    const found = decodeFound(textOf(answer), paths, peer.url);
    if (found === null) throw this.#failed(peer, "sends an answer that is not valid");
    return found;
  }

  /**
   * Returns the entries of a directory; null when the peer has no such directory. A failure does not put the
   * peer in backoff, because it may still have packages.
   *
   * @param allowance the limit in bytes for the answers of all peers together.
   */
  async list(peer: Peer, path: string, allowance: Allowance): Promise<Listing | null> {
    const message: Message = { type: "directory listing", path, hops: 0 };
    const request = { ...messageTo(peer, message, MAX_LISTING_BODY), allowance };
    const answer = await this.#ask(peer, request, false);
    if (answer.status !== 200) throw new PeerError("does not list the directory");
    return decodeListing(textOf(answer), MAX_NAMES);
  }

  /**
   * Returns the server that downloads a file first according to this tracker; null when it gives no such
   * answer.
   */
  async want(tracker: Peer, want: Want): Promise<FirstDownload | null> {
    const request = { ...messageTo(tracker, want, 1024), timeout: MAX_WANT_TIME };
    const answer = await this.#ask(tracker, request, false);
    return answer.status === 200 ? decodeFirst(textOf(answer)) : null;
  }

  /** Asks if the peer serves the file at this URL. */
  async offers(peer: Peer, url: string): Promise<Offer> {
    const answer = await this.#ask(peer, { method: "HEAD", url, maximumBody: 1024 });
    const { status } = answer;
    if (status === 200) {
      const length = headerOf(answer, "Content-Length") ?? "";
      return { has: "yes", size: /^\d{1,15}$/.test(length) ? Number(length) : null };
    }
    // The server does not support HEAD. It said in its index or answer that it has the file, so accept that.
    if (status === 405 || status === 501) return { has: "yes", size: null };
    return { has: status === 404 || status === 410 ? "not found" : "no", size: null };
  }

  /** Sends another GET request to the root of the peer. The caller must check the status. */
  get(
    peer: Peer,
    url: string,
    headers: Readonly<Record<string, string>>,
    maximumBody: number,
  ): Promise<PeerAnswer> {
    return this.#ask(peer, { method: "GET", url, headers, maximumBody });
  }

  /**
   * @param isNecessary true to put a peer that cannot answer in backoff, because it is useless without
   * this.
   */
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
    // A server that answers with an error page is not a peer: see #mustTake.
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
    // The peer is not at fault if the message is too long for it.
    if (status === 413) throw new PeerError("refuses messages of this length");
    if (status !== 200) throw this.#failed(peer, `answers with status ${status}`);
  }

  #failed(peer: Peer, trouble: string): PeerError {
    this.#registry.failed(peer, trouble);
    return new PeerError(trouble);
  }
}

/** The answer of a peer about a file. */
export interface Offer {
  readonly has: "yes" | "no" | "not found";
  /** Size in bytes; null when the answer has none. */
  readonly size: number | null;
}

/** Returns the request for a message. */
function messageTo(
  { url }: Peer,
  message: Message,
  maximumBody: number,
): Omit<PeerRequest, "timeout"> {
  const headers = { "Content-Type": MESSAGE_TYPE };
  return { method: "POST", url, headers, body: encodeMessage(message), maximumBody };
}

/** Returns the instance in a header field; null when it is missing or malformed. */
export function instanceOf(value: string | undefined): string | null {
  return isInstance(value) ? value : null;
}

/** Returns the number in a header field; null when it is missing or malformed. */
export function countOf(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

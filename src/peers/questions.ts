/** The questions that peers are asked, and what their answers tell the registry. */

import { headerOf, type PeerAnswer, type PeerClient, PeerError, textOf } from "./client.ts";
import {
  decodeFound,
  decodeListing,
  encodeMessage,
  HEADERS,
  type Listing,
  type Message,
  MESSAGE_TYPE,
} from "./protocol.ts";
import type { Peer, Registry } from "./registry.ts";

/** Milliseconds after which an answer that did not come is no longer waited for by anybody. */
const LONGEST_ANSWER = 2_000;

const LONGEST_BODY = 1 << 20;
const LONGEST_LISTING = 16 << 20;
const MOST_NAMES = 100_000;

/** What questions need. */
export interface QuestionsOptions {
  readonly client: PeerClient;
  readonly registry: Registry;
  /** Identity of this server. */
  readonly instance: string;
  /** Milliseconds after which a peer that has not answered is set aside. */
  readonly patience: number;
  /** The peer turned out to be this server. */
  readonly self: (peer: Peer) => void;
  /** The peer answered; `generation` is that of its index, null if it has none. */
  readonly answered: (peer: Peer, generation: number | null) => void;
}

/** Asks peers. Every method rejects with a `PeerError` when there is no proper answer. */
export class Questions {
  readonly #options: QuestionsOptions;

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** "Here I am", which also shows whether the peer is there. */
  async nudge(peer: Peer, uri: string): Promise<void> {
    await this.#post(peer, { type: "nudge", uri }, 1024);
  }

  /** Which of the paths the peer has. */
  async fileCheck(peer: Peer, paths: readonly string[]): Promise<ReadonlySet<string>> {
    const message: Message = { type: "file check", paths, hops: 0 };
    const answer = await this.#post(peer, message, LONGEST_BODY);
    const found = decodeFound(textOf(answer), paths, peer.base);
    if (found === null) throw this.#failed(peer, "answers what is no answer");
    return found;
  }

  /** The entries of a directory; null when the peer has no such directory. */
  async list(peer: Peer, path: string): Promise<Listing | null> {
    const message: Message = { type: "directory listing", path, hops: 0 };
    const answer = await this.#post(peer, message, LONGEST_LISTING);
    return decodeListing(textOf(answer), MOST_NAMES);
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

  async #post(peer: Peer, message: Message, maximumBody: number): Promise<PeerAnswer> {
    const answer = await this.#ask(peer, {
      method: "POST",
      url: peer.base,
      headers: { "Content-Type": MESSAGE_TYPE },
      body: encodeMessage(message),
      maximumBody,
    });
    // A question that is too long for it is no fault of the peer.
    if (answer.status === 413) throw new PeerError("does not take so long a message");
    if (answer.status !== 200) throw this.#failed(peer, `answers with status ${answer.status}`);
    return answer;
  }

  async #ask(
    peer: Peer,
    request: {
      readonly method: "GET" | "HEAD" | "POST";
      readonly url: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly maximumBody: number;
    },
  ): Promise<PeerAnswer> {
    const { client, registry, patience } = this.#options;
    const late = setTimeout(() => {
      if (peer.state === "alive") registry.failed(peer, `did not answer within ${patience} ms`);
    }, patience);
    try {
      const answer = await client.request({ ...request, timeout: LONGEST_ANSWER });
      this.#learn(peer, answer);
      return answer;
    } catch (error) {
      if (error instanceof PeerError) registry.failed(peer, error.message);
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  #learn(peer: Peer, answer: PeerAnswer): void {
    const instance = instanceOf(headerOf(answer, HEADERS.instance));
    if (instance === this.#options.instance) {
      this.#options.self(peer);
      throw new PeerError("is this server itself");
    }
    if (answer.status >= 500 && answer.status !== 501) {
      throw new PeerError(`answers with status ${answer.status}`);
    }
    if (!this.#options.registry.has(peer)) return;
    // A nudge that is answered with an error page comes from no peer: see #post.
    if (peer.state === "candidate" && answer.status !== 200) return;
    this.#options.registry.answered(peer, {
      instance,
      transfers: countOf(headerOf(answer, HEADERS.transfers)),
      roundTrip: answer.roundTrip,
    });
    // There may be no room for one that is new.
    if (!this.#options.registry.has(peer)) return;
    const generation = countOf(headerOf(answer, HEADERS.index));
    this.#options.answered(peer, instance === null ? null : generation);
  }

  #failed(peer: Peer, trouble: string): PeerError {
    this.#options.registry.failed(peer, trouble);
    return new PeerError(trouble);
  }
}

/** What a peer says about a file. */
export interface Offer {
  readonly has: "yes" | "no" | "not found";
  /** Bytes; null when it does not say. */
  readonly size: number | null;
}

/** The identity in a header field; null for none or one that is not as ours are. */
export function instanceOf(value: string | undefined): string | null {
  return value !== undefined && /^[\w-]{8,64}$/.test(value) ? value : null;
}

/** The number in a header field; null for none or one that is not as ours are. */
export function countOf(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

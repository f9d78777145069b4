/**
 * Finds out who downloads a file first, and tells others.
 *
 * For each file two of the servers that relay are its *trackers*: those with the highest hash of the
 * file's digest and their instance (rendezvous hashing), so that all servers which know each other ask
 * the same two, and each is asked for few files. A server that takes one of them to be gone asks the
 * next one as well, and still believes the better one if it answers.
 */

import { createHash } from "node:crypto";
import type { PublishedIndex } from "./index/published.ts";
import type { FirstDownload, Want } from "./protocol.ts";
import type { Questions } from "./questions.ts";
import type { Peer, Registry } from "./registry.ts";
import { type Asker, GATHERING, Tracker } from "./tracker.ts";

/** Milliseconds after which the download begins without the answers that have not come. */
export const WANT_TIMEOUT = 50;

/**
 * Where two trackers name different instances, the one that has been named longer by so much (ms) is
 * believed: the other tracker has forgotten it. Otherwise both were asked at the same moment, and all
 * askers have to believe the same tracker.
 */
const FORGOT = 5_000;

/** Trackers of a file. Where the best ones do not answer, as many others are asked as well. */
const TRACKERS = 2;

/** Own address among the askers: it is no IP address. */
const OWN = "own";

/** What the trackers said of a file. */
interface Wanted {
  /** The answer within {@link WANT_TIMEOUT}: a peer, or null when this server is the first. */
  readonly soon: Promise<Peer | null>;
  /** The answer however late: it may be another one. */
  readonly late: Promise<Peer | null>;
}

/** Asks trackers, and is one. */
export class Wants {
  readonly #registry: Registry;
  readonly #questions: Pick<Questions, "want">;
  readonly #published: Pick<PublishedIndex, "instance" | "relays">;
  readonly #tracker = new Tracker();

  constructor(
    registry: Registry,
    questions: Pick<Questions, "want">,
    published: Pick<PublishedIndex, "instance" | "relays">,
  ) {
    this.#registry = registry;
    this.#questions = questions;
    this.#published = published;
  }

  /** Identity of this server. */
  get instance(): string {
    return this.#published.instance;
  }

  /** Asks the trackers of a file at once. */
  ask(want: Want): Wanted {
    const answers: (FirstDownload | null)[] = [];
    const all = this.#trackersOf(want.digest).map(async (tracker, rank) => {
      answers[rank] = tracker === null
        ? await this.#answer(want, { instance: this.instance, address: OWN })
        : await this.#questions.want(tracker, want).catch(() => null);
    });
    const late = Promise.all(all).then(() => this.#peerIn(answers));
    const soon = new Promise<Peer | null>((resolve) => {
      const timer = setTimeout(() => resolve(this.#peerIn(answers)), WANT_TIMEOUT);
      void late.then((peer) => {
        clearTimeout(timer);
        resolve(peer);
      });
    });
    return { soon, late };
  }

  /**
   * Answers the want of another server.
   *
   * @returns null when this server is no tracker.
   */
  async answer(want: Want, instance: string, address: string): Promise<FirstDownload | null> {
    return this.#published.relays ? await this.#answer(want, { instance, address }) : null;
  }

  /** The peer that is this instance, if it is known and alive. */
  peerOf(instance: string): Peer | null {
    if (instance === this.instance) return null;
    return this.#registry.all().find((peer) =>
      peer.instance === instance && this.#registry.isThere(peer)
    ) ?? null;
  }

  async #answer(want: Want, asker: Asker): Promise<FirstDownload> {
    const { file, digest, have, failed, ended } = want;
    const key = `${file} ${digest}`;
    const self = { first: asker.instance, age: 0 };
    if (ended) {
      this.#tracker.ended(key, asker);
      return self;
    }
    this.#tracker.want(key, asker, have, failed);
    // All that lost their source ask now: whoever has most of the file goes on.
    if (failed.length > 0) await new Promise((resolve) => setTimeout(resolve, GATHERING));
    const named = this.#tracker.named(key, asker, failed);
    return named === null ? self : { first: named.instance, age: named.age };
  }

  /** The trackers of a file, the best first; null stands for this server. */
  #trackersOf(digest: string): (Peer | null)[] {
    const registry = this.#registry;
    const relays: (Peer | null)[] = registry.all().filter((peer) => peer.relays);
    if (this.#published.relays) relays.push(null);
    const scored = relays.map((relay) => ({
      relay,
      score: score(digest, relay?.instance ?? this.instance),
    })).sort((one, other) => one.score < other.score ? 1 : -1).map(({ relay }) => relay);
    const best = scored.slice(0, TRACKERS);
    const there = scored.filter((relay) => relay === null || registry.isThere(relay));
    const asked = new Set([...best, ...there.slice(0, TRACKERS)]);
    return scored.filter((relay) => asked.has(relay));
  }

  /** The peer that the answers name; null for this server, or for one that is not known to be there. */
  #peerIn(answers: readonly (FirstDownload | null)[]): Peer | null {
    // In a list that is not filled yet, those that have not answered are not there.
    const [best, ...others] = answers.filter((answer) => answer !== null && answer !== undefined);
    if (best === undefined) return null;
    const older = others.find(({ age }) => age - best.age > FORGOT);
    return this.peerOf((older ?? best).first);
  }
}

function score(digest: string, instance: string): string {
  return createHash("sha256").update(`${digest} ${instance}`).digest("hex");
}

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

/** Milliseconds that an answer may take. */
export const WANT_TIMEOUT = 50;

/**
 * A tracker that is there may be busy, as all machines are that upgrade in the same moment. So it may
 * take so much longer (ms); but this is all that it can cost, until a file came from where it said.
 */
export const PATIENCE = 450;

/** After so long (ms) a tracker that used up the patience is waited for again. */
const RENEWAL = 600_000;

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

/** The time (ms) that a tracker may still keep others waiting. */
class Patience {
  #left = PATIENCE;
  #renewed = performance.now();
  /** Wants that wait for it now, and since when there has been one. */
  #waiting = 0;
  #since = 0;

  get left(): number {
    if (this.#waiting === 0 && performance.now() - this.#renewed > RENEWAL) this.renew();
    return this.#left - (this.#waiting > 0 ? performance.now() - this.#since : 0);
  }

  begin(): void {
    if (this.#waiting++ === 0) this.#since = performance.now();
  }

  end(): void {
    if (--this.#waiting === 0) this.#left -= performance.now() - this.#since;
  }

  renew(): void {
    this.#left = PATIENCE;
    this.#renewed = performance.now();
    this.#since = this.#renewed;
  }
}

/** What the trackers say of a file. */
interface Wanted {
  /** The answer, if it comes soon enough: a peer, or null when this server is the first. */
  soon(): Promise<Peer | null>;
  /** The answer however late: it may be another one. */
  readonly late: Promise<Peer | null>;
  /** The file came from there: whoever said so may take its time again. */
  confirm(): void;
}

/** Asks trackers, and is one. */
export class Wants {
  readonly #registry: Registry;
  readonly #questions: Pick<Questions, "want">;
  readonly #published: Pick<PublishedIndex, "instance" | "relays">;
  readonly #tracker = new Tracker();
  readonly #patience = new WeakMap<Peer, Patience>();

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
    const trackers = this.#trackersOf(want.digest);
    const answers: (FirstDownload | null | undefined)[] = trackers.map(() => undefined);
    const all = trackers.map(async (tracker, rank) => {
      answers[rank] = tracker === null
        ? await this.#answer(want, { instance: this.instance, address: OWN })
        : await this.#questions.want(tracker, want).catch(() => null);
    });
    const { promise: decided, resolve } = Promise.withResolvers<void>();
    let isLate = false;
    const look = (): void => {
      // Others get the same answer from the best tracker, so that it needs no second one.
      const isNamed = this.#peerIn(answers) !== null && (isLate || answers[0] !== undefined);
      if (isNamed || !answers.includes(undefined)) resolve();
    };
    for (const each of all) void each.then(look);
    look();
    const inTime = within(decided, WANT_TIMEOUT).then(() => {
      isLate = true;
      look();
    });
    const late = decided.then(() => this.#peerIn(answers));
    return {
      soon: async () => {
        await inTime;
        await this.#waitFor(trackers, answers, all, decided);
        return this.#peerIn(answers);
      },
      late,
      confirm: () => {
        const instance = this.#peerIn(answers)?.instance;
        for (const [rank, tracker] of trackers.entries()) {
          if (tracker === null || answers[rank]?.first !== instance) continue;
          this.#patience.get(tracker)?.renew();
        }
      },
    };
  }

  /** Waits for the trackers that have not answered, no longer than they may still keep anybody waiting. */
  async #waitFor(
    trackers: readonly (Peer | null)[],
    answers: readonly (FirstDownload | null | undefined)[],
    all: readonly Promise<void>[],
    decided: Promise<void>,
  ): Promise<void> {
    const waits = trackers.flatMap((tracker, rank) =>
      tracker !== null && answers[rank] === undefined && this.#registry.isThere(tracker)
        ? [{ patience: this.#patienceWith(tracker), answered: all[rank] }]
        : []
    );
    const limit = Math.max(0, ...waits.map(({ patience }) => patience.left));
    const over = within(decided, limit);
    for (const { patience, answered } of waits) {
      patience.begin();
      void Promise.race([answered, over]).then(() => patience.end());
    }
    await over;
  }

  #patienceWith(tracker: Peer): Patience {
    const patience = this.#patience.get(tracker) ?? new Patience();
    this.#patience.set(tracker, patience);
    return patience;
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
  #peerIn(answers: readonly (FirstDownload | null | undefined)[]): Peer | null {
    const [best, ...others] = answers.filter((answer) => answer !== null && answer !== undefined);
    if (best === undefined) return null;
    const older = others.find(({ age }) => age - best.age > FORGOT);
    return this.peerOf((older ?? best).first);
  }
}

function score(digest: string, instance: string): string {
  return createHash("sha256").update(`${digest} ${instance}`).digest("hex");
}

/** Milliseconds between two looks at the clock. */
const TICK = 25;

/**
 * Waits for a promise, but no longer than so many milliseconds. A look at the clock that comes too late
 * counts as one in time: then this machine is busy, and the answer may be here already.
 */
async function within(promise: Promise<void>, milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => {
    const wait = (left: number): void => {
      const step = Math.min(left, TICK);
      timer = setTimeout(() => left > step ? wait(left - step) : resolve(), step);
    };
    wait(milliseconds);
  });
  await Promise.race([promise, over]);
  clearTimeout(timer);
}

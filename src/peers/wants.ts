/**
 * Finds the server that downloads a file first, and answers the same question of others.
 *
 * For each file two of the servers that relay are its *trackers*: those with the highest hash of the
 * file's digest and their instance (rendezvous hashing). Therefore all servers that know each other ask
 * the same two, and each tracker has only few files. A server that assumes one of them to be gone asks the
 * next one, too, but prefers the answer of the better one if that comes.
 */

import { createHash } from "node:crypto";
import type { PublishedIndex } from "./index/published.ts";
import type { FirstDownload, Want } from "./protocol.ts";
import type { Questions } from "./questions.ts";
import type { Peer, Registry } from "./registry.ts";
import { type Asker, GATHERING, Tracker } from "./tracker.ts";

/** The time limit of an answer in milliseconds. */
const WANT_TIMEOUT = 50;

/**
 * A tracker may be busy, because all machines upgrade at the same moment. Therefore it gets this much more
 * time (ms). This is the total for all files, until a file arrives from a server that the tracker named.
 */
const PATIENCE = 450;

/** Milliseconds after which a tracker that used up this time gets it again. */
const RENEWAL = 600_000;

/**
 * If two trackers name different instances, an instance that has been named longer by this time (ms) is
 * used, because the other tracker has lost its state. Otherwise both were asked at the same moment, and
 * all askers must use the answer of the same tracker.
 */
const FORGOT = 5_000;

/** Number of trackers of a file. If the best ones do not answer, the same number of others is asked, too. */
const TRACKERS = 2;

/** The address of this server as an asker. It differs from every IP address. */
const OWN = "own";

/** The remaining time (ms) that this server waits for a tracker. */
class Patience {
  #left = PATIENCE;
  #renewed = performance.now();
  /** The number of wants that wait for it now, and the time since when at least one does. */
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

/** The answers of the trackers of a file. */
interface Wanted {
  /** Resolves with the answer within the time limit: a peer, or null when this server is the first. */
  soon(): Promise<Peer | null>;
  /** Resolves with the answer of all trackers, however late. It may differ from the early one. */
  readonly late: Promise<Peer | null>;
  /** Must be called when the file came from the named peer. The trackers that named it get their time again. */
  confirm(): void;
}

/** Asks the trackers of files, and is itself a tracker. */
export class Wants {
  readonly #registry: Registry;
  readonly #questions: Pick<Questions, "want">;
  readonly #published: Pick<PublishedIndex, "instance" | "relays">;
  readonly #tracker = new Tracker();
  readonly #patience = new WeakMap<Peer, Patience>();
  /** The time of the last want that each tracker did not accept (ms). */
  readonly #refused = new WeakMap<Peer, number>();

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

  /** Asks the trackers of a file, all at the same time. */
  ask(want: Want): Wanted {
    const trackers = this.#trackersOf(want.digest);
    const answers: (FirstDownload | null | undefined)[] = trackers.map(() => undefined);
    const all = trackers.map(async (tracker, rank) => {
      answers[rank] = tracker === null
        ? await this.#answer(want, { instance: this.instance, address: OWN })
        : await this.#questions.want(tracker, want).catch(() => {
          this.#refused.set(tracker, performance.now());
          return null;
        });
    });
    const { promise: decided, resolve } = Promise.withResolvers<void>();
    let isLate = false;
    const look = (): void => {
      // If the best tracker has answered, do not wait for the second one: others use the same answer.
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

  /** Waits for the trackers that have not answered, at most their remaining time. */
  async #waitFor(
    trackers: readonly (Peer | null)[],
    answers: readonly (FirstDownload | null | undefined)[],
    all: readonly Promise<void>[],
    decided: Promise<void>,
  ): Promise<void> {
    const waits = trackers.flatMap((tracker, rank) =>
      tracker !== null && answers[rank] === undefined && this.#isThere(tracker)
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
    return this.#patience.getOrInsertComputed(tracker, () => new Patience());
  }

  /**
   * Answers the want of another server.
   *
   * @returns null when this server is not a tracker.
   */
  async answer(want: Want, instance: string, address: string): Promise<FirstDownload | null> {
    return this.#published.relays ? await this.#answer(want, { instance, address }) : null;
  }

  /** Returns the peer with this instance, if it is known and alive. */
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
    // All servers that lost this source ask now. Wait for them, so that the one with most of the file
    // continues.
    if (failed.length > 0) await new Promise((resolve) => setTimeout(resolve, GATHERING));
    const named = this.#tracker.named(key, asker, failed);
    return named === null ? self : { first: named.instance, age: named.age };
  }

  /** False for a tracker that seems to be gone: it has not answered lately, or not since a want failed. */
  #isThere(tracker: Peer): boolean {
    const refused = this.#refused.get(tracker) ?? -Infinity;
    return this.#registry.isThere(tracker) && refused < (tracker.lastSeen ?? 0);
  }

  /** Returns the trackers of a file, the best first; null means this server. */
  #trackersOf(digest: string): (Peer | null)[] {
    const registry = this.#registry;
    const relays: (Peer | null)[] = registry.all().filter((peer) => peer.relays);
    if (this.#published.relays) relays.push(null);
    const scored = relays.map((relay) => ({
      relay,
      score: score(digest, relay?.instance ?? this.instance),
    })).sort((one, other) => one.score < other.score ? 1 : -1).map(({ relay }) => relay);
    const best = scored.slice(0, TRACKERS);
    const there = scored.filter((relay) => relay === null || this.#isThere(relay));
    const asked = new Set([...best, ...there.slice(0, TRACKERS)]);
    return scored.filter((relay) => asked.has(relay));
  }

  /**
   * Returns the peer that the answers name; null for this server, and for a server that is not known to
   * be there.
   */
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

/** Milliseconds between two checks of the clock. */
const TICK = 25;

/**
 * Waits for a promise, but at most the given milliseconds. If a check of the clock is late, only its usual
 * interval is counted: the machine is busy then, and the answer may have arrived already.
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

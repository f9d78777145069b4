/** Finds the first mirror that has a file. */

import { LRUCache } from "lru-cache";
import { type BackoffRange, Backoffs } from "../backoff.ts";
import { NeighbourLimit } from "../http/rate_limit.ts";
import type { Log } from "../log.ts";
import { checkMirror, type Verdict } from "./mirror_check.ts";
import { race, type RaceTimes } from "./mirror_race.ts";
import type { FileClient } from "./relay/http_client.ts";
import { type Mirror, type Self, urlOn } from "./servers.ts";

/** Where a file can be had. */
export interface MirrorChoice {
  /** The address of the file there, credentials included where the mirror has any. */
  readonly url: string;
  /** The mirror's scheme, host and port. */
  readonly origin: string;
  /** True when the address has credentials in it, which a redirect could not carry. */
  readonly hasCredentials: boolean;
  /** False when it did not say in time that it has the file. */
  readonly verified: boolean;
  /** True when it failed a short while ago. */
  readonly isSetAside: boolean;
}

/** What is asked of {@link Mirrors.choose}. */
interface MirrorQuestion {
  /** In the order of pacman.conf. */
  readonly mirrors: readonly Mirror[];
  readonly file: string;
  /** pacman can do without the file: the first live mirror's "not found" is the answer. */
  readonly optional: boolean;
  /** The value of `Via` with which the mirrors are asked. */
  readonly via: string;
  /** This server, which is no mirror. */
  readonly self: Pick<Self, "isAt">;
  /** IP address of the neighbour that wants the file; null for this host. */
  readonly neighbour: string | null;
}

/** What {@link Mirrors} is told. Times in milliseconds. */
export interface MirrorsOptions {
  readonly client: FileClient;
  readonly log: Pick<Log, "warn">;
  readonly now?: () => number;
  readonly times?: RaceTimes;
  /** The longest check. It goes on when nobody waits for it any more, to know for the next time. */
  readonly checkTimeout?: number;
}

/**
 * With the search among the peers beside it, a redirect comes within half a second. Most mirrors
 * answer in less than a tenth of one.
 */
const TIMES: RaceTimes = { stagger: 120, patience: 250, deadline: 430 };
const CHECK_TIMEOUT = 5_000;

/** For how long a mirror that fails is asked last, in milliseconds. */
const BACKOFF: BackoffRange = { first: 10_000, max: 600_000 };
/** More origins than any pacman.conf names; a list that changes must not let this grow. */
const MAX_ORIGINS = 500;

/** For so long a mirror's answer is believed. */
const REMEMBERED: Readonly<Record<"has" | "lacks", number>> = { has: 60_000, lacks: 15_000 };
const MAX_REMEMBERED = 4_000;
/** Checks at the same time. Neighbours cannot take up those that are left for this host's pacman. */
const MAX_CHECKS = 64;
const MAX_CHECKS_FOR_NEIGHBOURS = 32;

/**
 * Checks that one neighbour, and all of them together, can make us send to mirrors. An upgrade of 300
 * packages and their signatures is 600 checks at most.
 */
const CHECKS_FOR_NEIGHBOUR = { burst: 600, perSecond: 10 };
const CHECKS_FOR_NEIGHBOURS = { burst: 3_000, perSecond: 50 };

/** Asks mirrors, and remembers for a short while what they said and which of them are dead. */
export class Mirrors {
  readonly #options: MirrorsOptions;
  /** By origin. */
  readonly #backoffs: Backoffs;
  readonly #answers: LRUCache<string, Verdict>;
  readonly #running = new Map<string, Promise<Verdict>>();
  readonly #limit: NeighbourLimit;

  constructor(options: MirrorsOptions) {
    this.#options = options;
    const now = options.now ?? ((): number => performance.now());
    this.#backoffs = new Backoffs(BACKOFF, MAX_ORIGINS, now);
    this.#limit = new NeighbourLimit(CHECKS_FOR_NEIGHBOUR, CHECKS_FOR_NEIGHBOURS, now);
    this.#answers = new LRUCache({
      max: MAX_REMEMBERED,
      ttl: REMEMBERED.has,
      // Without it the time is taken from a timer.
      ttlResolution: 0,
      perf: { now },
    });
  }

  /**
   * The first mirror in order that has the file; one that failed lately is asked last.
   *
   * @returns where none has answered in time, or none may be asked for this neighbour any more, the
   * first that may have it, best one that has not failed lately: to send pacman there is what pacman
   * would have done without us. Null when no mirror has the file.
   */
  async choose(question: MirrorQuestion): Promise<MirrorChoice | null> {
    const { mirrors, file } = question;
    const judged = mirrors.map((mirror) => ({
      mirror,
      isSetAside: this.#backoffs.isPaused(mirror.origin),
    }));
    const ordered = [
      ...judged.filter(({ isSetAside }) => !isSetAside),
      ...judged.filter(({ isSetAside }) => isSetAside),
    ];
    const runners = ordered.map(({ mirror, isSetAside }) => ({
      ask: (): Verdict | Promise<Verdict> => this.#ask(mirror, question),
      isSetAside,
    }));
    const result = await race(runners, this.#options.times ?? TIMES, question.optional);
    if (result.kind === "none") return null;
    const chosen = ordered[result.index];
    if (chosen === undefined) return null;
    return {
      url: urlOn(chosen.mirror, file),
      origin: chosen.mirror.origin,
      hasCredentials: chosen.mirror.hasCredentials,
      verified: result.kind === "has",
      isSetAside: chosen.isSetAside,
    };
  }

  /** A mirror failed while it gave a file: it is asked last for a while. */
  failed(origin: string, reason: string): void {
    const pause = this.#backoffs.failed(origin);
    if (pause === null) return;
    const seconds = Math.round(pause / 1000);
    this.#options.log.warn(`mirror ${origin} ${reason}; it is asked last for ${seconds} s`);
  }

  #ask(mirror: Mirror, question: MirrorQuestion): Verdict | Promise<Verdict> {
    const url = urlOn(mirror, question.file);
    const known = this.#answers.get(url);
    if (known !== undefined) return known;
    // Requests that came different ways are different questions: one of them may be a loop.
    const key = `${question.via} ${url}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    if (!this.#mayCheck(question.neighbour)) return "unknown";
    const check = this.#check(mirror, url, question).finally(() => this.#running.delete(key));
    this.#running.set(key, check);
    return check;
  }

  #mayCheck(neighbour: string | null): boolean {
    if (neighbour === null) return this.#running.size < MAX_CHECKS;
    return this.#running.size < MAX_CHECKS_FOR_NEIGHBOURS && this.#limit.take(neighbour);
  }

  async #check(mirror: Mirror, url: string, question: MirrorQuestion): Promise<Verdict> {
    const { verdict, reason } = await checkMirror(url, {
      client: this.#options.client,
      timeout: this.#options.checkTimeout ?? CHECK_TIMEOUT,
      via: question.via,
      self: question.self,
    });
    const { origin } = mirror;
    if (verdict === "has" || verdict === "lacks") {
      this.#backoffs.succeeded(origin);
      this.#answers.set(url, verdict, { ttl: REMEMBERED[verdict] });
    } else if (verdict === "fails") {
      this.failed(origin, reason);
    }
    return verdict;
  }
}

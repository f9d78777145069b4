/** Finds the first mirror that has a file. */

import type { BackoffRange } from "../backoff.ts";
import { Backoffs } from "../backoffs.ts";
import { BoundedMap } from "../bounded_map.ts";
import { NeighbourLimit } from "../http/rate_limit.ts";
import type { Log } from "../log.ts";
import { checkMirror, type Verdict } from "./mirror_check.ts";
import { race, type RaceTimes } from "./mirror_race.ts";
import type { FileClient } from "./relay/http_client.ts";
import { type Mirror, type Self, urlOn } from "./servers.ts";

/** The mirror that was chosen for a file. */
export interface MirrorChoice {
  /** The URL of the file on the mirror, with credentials if the mirror has any. */
  readonly url: string;
  /** The mirror's scheme, host and port. */
  readonly origin: string;
  /** True when the URL has credentials, which clients ignore in a redirect. */
  readonly hasCredentials: boolean;
  /** False when the mirror has not confirmed the file in time. */
  readonly verified: boolean;
  /** True when the mirror failed a short while ago. */
  readonly isSetAside: boolean;
}

/** The options of {@link Mirrors.choose}. */
interface MirrorQuestion {
  /** The mirrors in the order of pacman.conf. */
  readonly mirrors: readonly Mirror[];
  readonly file: string;
  /** True when pacman does not need the file. Then a "not found" of the first working mirror is used. */
  readonly optional: boolean;
  /** The value of the `Via` field of requests. */
  readonly via: string;
  /** This server. Redirects to it are not followed. */
  readonly self: Pick<Self, "isAt">;
  /** IP address of the neighbour that requests the file; null for this host. */
  readonly neighbour: string | null;
}

/** The state of a mirror, for the status page. */
interface MirrorState {
  /** `answers`; `fails`: the mirror is the last choice until `pause` is over; `not asked` lately. */
  readonly state: "answers" | "fails" | "not asked";
  /** Number of failures in a row. */
  readonly failures: number;
  /** Seconds for which the mirror is still the last choice. */
  readonly pause: number;
}

/** The options of {@link Mirrors}. Times are in milliseconds. */
interface MirrorsOptions {
  readonly client: FileClient;
  readonly log: Pick<Log, "warn">;
  readonly now?: () => number;
  readonly times?: RaceTimes;
  /** Time limit of a check. It continues after the end of a race, so that its result can be stored. */
  readonly checkTimeout?: number;
}

/**
 * Together with the search among the peers, a redirect takes at most half a second. Most mirrors answer in
 * less than a tenth of a second.
 */
const TIMES: RaceTimes = { stagger: 120, patience: 250, deadline: 430 };
const CHECK_TIMEOUT = 5_000;

/** The time (ms) for which a mirror that failed is the last choice. */
const BACKOFF: BackoffRange = { first: 10_000, max: 600_000 };
/** Maximum number of stored origins. It is more than any pacman.conf has. */
const MAX_ORIGINS = 500;

/** The time (ms) for which a mirror's answer is stored. */
const REMEMBERED: Readonly<Record<"has" | "lacks", number>> = { has: 60_000, lacks: 15_000 };
const MAX_REMEMBERED = 4_000;
/** Maximum number of simultaneous checks. The smaller limit leaves some for pacman on this host. */
const MAX_CHECKS = 64;
const MAX_CHECKS_FOR_NEIGHBOURS = 32;

/**
 * Maximum number of checks that one neighbour, and all of them together, can cause. An upgrade of 300
 * packages and their signatures causes at most 600 checks.
 */
const CHECKS_FOR_NEIGHBOUR = { burst: 600, perSecond: 10 };
const CHECKS_FOR_NEIGHBOURS = { burst: 3_000, perSecond: 50 };

/** Asks mirrors for files, and stores for a short time their answers, and which of them failed. */
export class Mirrors {
  readonly #options: MirrorsOptions;
  /** The backoff of each mirror, by origin. */
  readonly #backoffs: Backoffs;
  /** The origins of mirrors that have answered. */
  readonly #answered = new BoundedMap<string, true>(MAX_ORIGINS);
  readonly #answers: BoundedMap<string, Verdict>;
  readonly #running = new Map<string, Promise<Verdict>>();
  readonly #limit: NeighbourLimit;

  constructor(options: MirrorsOptions) {
    this.#options = options;
    const now = options.now ?? ((): number => performance.now());
    this.#backoffs = new Backoffs(BACKOFF, MAX_ORIGINS, now);
    this.#limit = new NeighbourLimit(CHECKS_FOR_NEIGHBOUR, CHECKS_FOR_NEIGHBOURS, now);
    this.#answers = new BoundedMap(MAX_REMEMBERED, REMEMBERED.has, now);
  }

  /**
   * Resolves with the first mirror in order that has the file. Mirrors that failed lately are asked last.
   *
   * @returns null when no mirror has the file. If no mirror has answered in time, or this neighbour may cause
   * no more checks, returns the first mirror that may have the file, if possible one that has not failed
   * lately. Without pacserve, pacman would use it, too.
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

  /** Returns the state of the mirror with this origin. */
  stateOf(origin: string): MirrorState {
    const trouble = this.#backoffs.trouble(origin);
    if (trouble === null) {
      const state = this.#answered.has(origin) ? "answers" : "not asked";
      return { state, failures: 0, pause: 0 };
    }
    return { state: "fails", failures: trouble.failures, pause: Math.ceil(trouble.pause / 1000) };
  }

  /** Must be called when a mirror has failed. It is then the last choice for some time. */
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
    // Requests with different `Via` fields do not share a check, because one of them may be a loop.
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
      this.#answered.set(origin, true);
      this.#answers.set(url, verdict, { ttl: REMEMBERED[verdict] });
    } else if (verdict === "fails") {
      this.failed(origin, reason);
    }
    return verdict;
  }
}

/** Asks several mirrors side by side, such that the earliest in order wins and time is bounded. */

import type { Verdict } from "./mirror_check.ts";

/** A mirror as the race sees it. */
export interface Runner {
  /** Asks; a verdict that is remembered is given at once. Must not reject. */
  readonly ask: () => Verdict | Promise<Verdict>;
  /** True for one that failed a short while ago. Such ones stand at the end. */
  readonly isSetAside: boolean;
}

/** Times of a race, in milliseconds since its start. */
export interface RaceTimes {
  /** So much later than the one before it a mirror is asked, if none has answered meanwhile. */
  readonly stagger: number;
  /** For so long a mirror that has the file waits for the answers of those before it. */
  readonly patience: number;
  /** The end. */
  readonly deadline: number;
}

/** Where a race ended. */
type RaceResult =
  /** This one has the file. */
  | { readonly kind: "has"; readonly index: number }
  /** Nobody said yes in time, but this one may have the file. */
  | { readonly kind: "unverified"; readonly index: number }
  /** No mirror has the file. */
  | { readonly kind: "none" };

/** How many mirrors may be asked at the same time. */
const SIDE_BY_SIDE = 4;

type Timer = ReturnType<typeof setTimeout>;

/**
 * Asks `runners` in order until one has the file.
 *
 * @param optional pacman can do without the file: the first mirror that is alive decides.
 */
export function race(
  runners: readonly Runner[],
  times: RaceTimes,
  optional: boolean,
): Promise<RaceResult> {
  const verdicts: (Verdict | "pending" | "unasked")[] = runners.map(() => "unasked");
  return new Promise((resolve) => {
    const timers = new Set<Timer>();
    let ended = false;
    let patient = true;
    let staggered: Timer | null = null;

    function end(result: RaceResult): void {
      ended = true;
      for (const timer of timers) clearTimeout(timer);
      resolve(result);
    }

    function after(milliseconds: number, act: () => void): Timer {
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (!ended) act();
      }, milliseconds);
      timers.add(timer);
      return timer;
    }

    function askNext(): void {
      if (staggered !== null) {
        clearTimeout(staggered);
        timers.delete(staggered);
        staggered = null;
      }
      while (!ended && !verdicts.includes("has")) {
        const index = verdicts.indexOf("unasked");
        const runner = runners[index];
        if (runner === undefined) return;
        const verdict = runner.ask();
        if (typeof verdict === "string") {
          verdicts[index] = verdict;
          evaluate();
          continue;
        }
        verdicts[index] = "pending";
        verdict.then((later) => {
          verdicts[index] = later;
          if (ended) return;
          evaluate();
          // Somebody else answers for this one's no; a yes waits only for those asked before it.
          if (later !== "has") askNext();
        });
        break;
      }
      if (verdicts.includes("has")) return;
      const pending = verdicts.filter((verdict) => verdict === "pending").length;
      if (!ended && pending < SIDE_BY_SIDE && verdicts.includes("unasked")) {
        staggered = after(times.stagger, askNext);
      }
    }

    function evaluate(): void {
      if (ended) return;
      const result = decide(verdicts, patient, optional) ?? undecided(verdicts, runners);
      if (result !== null) end(result);
    }

    after(times.patience, () => {
      patient = false;
      evaluate();
    });
    after(times.deadline, () => end(lastWord(verdicts, runners)));
    askNext();
    evaluate();
  });
}

type State = Verdict | "pending" | "unasked";

/** The result as soon as the answers that there are give one. */
function decide(states: readonly State[], patient: boolean, optional: boolean): RaceResult | null {
  for (const [index, state] of states.entries()) {
    if (state === "has") return { kind: "has", index };
    if (state === "lacks" && optional) return { kind: "none" };
    if (state === "pending" && patient) return null;
    if (state === "unasked") return null;
  }
  return null;
}

/** The result when all have been asked and have answered; null while there is something to wait for. */
function undecided(states: readonly State[], runners: readonly Runner[]): RaceResult | null {
  if (states.includes("pending") || states.includes("unasked")) return null;
  return lastWord(states, runners);
}

/**
 * The result when there is no more time. A mirror that failed lately and is slow to answer now, and
 * after that one that failed just now, is better than none: "not found" would be the end of it for
 * pacman, which may reach a mirror that this server cannot.
 */
function lastWord(states: readonly State[], runners: readonly Runner[]): RaceResult {
  const has = states.indexOf("has");
  if (has >= 0) return { kind: "has", index: has };
  const open = (at: number): boolean =>
    states[at] === "pending" || states[at] === "unasked" || states[at] === "unknown";
  const alive = runners.findIndex(({ isSetAside }, at) => open(at) && !isSetAside);
  const silent = alive >= 0 ? alive : runners.findIndex((_, at) => open(at));
  const index = silent >= 0 || states.includes("lacks") ? silent : states.indexOf("fails");
  return index >= 0 ? { kind: "unverified", index } : { kind: "none" };
}

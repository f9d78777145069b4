/** Asks several mirrors within a time limit. Of those that have the file, the first in order wins. */

import type { Verdict } from "./mirror_check.ts";

/** A mirror in a race. */
interface Runner {
  /** Asks the mirror; a stored verdict is returned at once. Must not reject. */
  readonly ask: () => Verdict | Promise<Verdict>;
  /** True for a mirror that failed a short while ago. These must be at the end of the list. */
  readonly isSetAside: boolean;
}

/** Times of a race, in milliseconds since its start. */
export interface RaceTimes {
  /** Time between the requests to two mirrors, if none has answered meanwhile. */
  readonly stagger: number;
  /** Time after which a mirror that has the file need not wait for the answers of earlier ones. */
  readonly patience: number;
  /** Time when the race ends. */
  readonly deadline: number;
}

/** The result of a race. */
type RaceResult =
  /** The mirror with this index has the file. */
  | { readonly kind: "has"; readonly index: number }
  /** No mirror has confirmed the file in time, but the one with this index may have it. */
  | { readonly kind: "unverified"; readonly index: number }
  /** No mirror has the file. */
  | { readonly kind: "none" };

/** Maximum number of mirrors that are asked at the same time. */
const SIDE_BY_SIDE = 4;

type Timer = ReturnType<typeof setTimeout>;

/**
 * Asks the mirrors in order until one has the file.
 *
 * @param optional true when pacman does not need the file: then the first working mirror decides.
 */
export function race(
  runners: readonly Runner[],
  times: RaceTimes,
  optional: boolean,
): Promise<RaceResult> {
  const verdicts: State[] = runners.map(() => "unasked");
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
          // If this mirror lacks the file, ask the next one. Otherwise wait only for the earlier ones.
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

/** Returns the result if the present answers are sufficient, else null. */
function decide(states: readonly State[], patient: boolean, optional: boolean): RaceResult | null {
  for (const [index, state] of states.entries()) {
    if (state === "has") return { kind: "has", index };
    if (state === "lacks" && optional) return { kind: "none" };
    if (state === "pending" && patient) return null;
    if (state === "unasked") return null;
  }
  return null;
}

/** Returns the result when all mirrors have answered; null before. */
function undecided(states: readonly State[], runners: readonly Runner[]): RaceResult | null {
  if (states.includes("pending") || states.includes("unasked")) return null;
  return lastWord(states, runners);
}

/**
 * Returns the result when the time is over: the first mirror that has the file; else one that has not
 * answered, if possible one that did not fail lately; else, if no mirror lacks the file, one that failed in
 * this race. "Not found" would be worse, because pacman would give up, although it may reach a mirror that
 * this server cannot.
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

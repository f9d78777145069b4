/**
 * Searches for a peer that has a file.
 *
 * Peers whose index contains the file are tried first. If there is none, or none of them answers in time,
 * all peers whose index is unknown are asked at the same time. In both cases the chosen peer must confirm
 * the file: it must answer a request for the exact URL to which a client will be redirected.
 */

import type { FileQuestion } from "./file_question.ts";
import type { Peer } from "./registry.ts";

/** Milliseconds after the first positive answer in which a better peer may answer. */
const GRACE = 3;

/** Milliseconds after which the next peer is asked to confirm, too, if the previous one has not yet. */
const HEDGE = 50;

/**
 * Milliseconds to wait for a peer that failed and has not confirmed a file since. A peer that was restarted
 * answers sooner, and peers that always hang cause no longer delay.
 */
const PROBATION = 50;

/**
 * Returns a peer that has confirmed the file. It asks the peers whose index contains the file, the best
 * first. If none of them confirms it soon, it asks all others at the same time.
 *
 * @param named peers whose up-to-date index contains the file.
 * @param unknown peers without an up-to-date index.
 * @param timeout the time limit of the search in milliseconds.
 * @returns null when no peer has the file, or none answered in time.
 */
export function search(
  question: Pick<FileQuestion, "check" | "confirm" | "ranked">,
  named: readonly Peer[],
  unknown: readonly Peer[],
  timeout: number,
): Promise<Peer | null> {
  return new Promise((resolve) => {
    const yes: Peer[] = [...named];
    /** The other peers whose answers are awaited; null before they are asked. */
    let awaited: Set<Peer> | null = null;
    let confirming = 0;
    /** Runs while the peer that was last asked to confirm still has time to answer. */
    let hedge: ReturnType<typeof setTimeout> | null = null;
    let grace: ReturnType<typeof setTimeout> | null = null;
    let graceOver = false;
    let probation: ReturnType<typeof setTimeout> | null = null;
    let over = false;

    const finish = (peer: Peer | null): void => {
      over = true;
      for (const timer of [end, hedge, grace, probation]) if (timer !== null) clearTimeout(timer);
      resolve(peer);
    };
    const end = setTimeout(() => finish(null), timeout);

    const confirmBest = (): void => {
      if (hedge !== null) clearTimeout(hedge);
      hedge = null;
      const [best] = question.ranked(yes);
      if (over) return;
      if (best === undefined) {
        if (awaited === null) askOthers();
        else if (awaited.size === 0 && confirming === 0) finish(null);
        return;
      }
      yes.splice(yes.indexOf(best), 1);
      confirming++;
      hedge = setTimeout(confirmBest, HEDGE);
      question.confirm(best).catch(() => false).then((confirmed) => {
        confirming--;
        if (over) return;
        if (confirmed) finish(best);
        else confirmBest();
      });
    };

    const askOthers = (): void => {
      // Also ask peers in backoff, so that they can become alive again, but do not wait for them.
      const asked = new Set(unknown.filter((peer) => peer.state !== "backoff"));
      awaited = asked;
      for (const peer of unknown) {
        question.check(peer).catch(() => false).then((has) => answered(peer, has, asked));
      }
      if (asked.size === 0) confirmBest();
      if (over) return;
      probation = setTimeout(() => {
        const doubtful = [...asked].filter(({ failures }) => failures > 0);
        for (const peer of doubtful) asked.delete(peer);
        if (doubtful.length > 0 && asked.size === 0 && hedge === null) confirmBest();
      }, PROBATION);
    };

    const answered = (peer: Peer, has: boolean, asked: Set<Peer>): void => {
      asked.delete(peer);
      if (over) return;
      if (has) yes.push(peer);
      if (asked.size > 0 && !graceOver) {
        if (yes.length > 0) {
          grace ??= setTimeout(() => {
            graceOver = true;
            if (hedge === null) confirmBest();
          }, GRACE);
        }
      } else if (hedge === null) {
        confirmBest();
      }
    };

    confirmBest();
  });
}

/**
 * Finding the peer that has a file.
 *
 * Peers whose index names the file are tried first. Where there is none, or none of them answers in
 * time, those whose index is not known are all asked at the same time. Either way the peer that is
 * chosen must confirm: it must answer for the very URL that a client will be sent to.
 */

import type { FileQuestion } from "./file_question.ts";
import type { Peer } from "./registry.ts";

/** After the first yes, how long a better one may take. Milliseconds. */
const GRACE = 3;

/** How long a confirmation may take before the next peer is asked too. Milliseconds. */
const HEDGE = 50;

/**
 * How long a peer is waited for that failed and has answered no such question since. A peer that was
 * started anew answers in less; peers that always hang cost no more. Milliseconds.
 */
const PROBATION = 50;

/**
 * Searches: asks those whose index names the file, the best first, and the others at the same time as
 * soon as it looks as if the index was wrong.
 *
 * @param named peers whose fresh index names the file.
 * @param unknown peers that have no fresh index: they are asked.
 * @param timeout milliseconds that all of it may take.
 * @returns null when nobody has the file, or nobody said so in time.
 */
export function search(
  question: Pick<FileQuestion, "check" | "confirm" | "ranked">,
  named: readonly Peer[],
  unknown: readonly Peer[],
  timeout: number,
): Promise<Peer | null> {
  return new Promise((resolve) => {
    const yes: Peer[] = [...named];
    /** Those of the others whose answer is awaited; null while they are not asked. */
    let awaited: Set<Peer> | null = null;
    let confirming = 0;
    /** Runs while the last one that was to confirm may take its time. */
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
      // A peer in backoff is asked, so that it can come back, but nobody waits for it.
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

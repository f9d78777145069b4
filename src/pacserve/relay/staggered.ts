/** Asks several at the same time, without asking all of them at once. */

/**
 * The first result that is not null, of those that are asked one after the other: the next one as soon
 * as one failed, and after `pause` milliseconds also beside those that have not answered.
 *
 * @param next gives the next one to ask; null when there is none.
 * @param ask one that rejects has no result. It ends by itself when nobody waits for it any more.
 * @returns null when none has a result.
 */
export async function staggered<Asked, Result>(
  next: () => Promise<Asked | null>,
  ask: (asked: Asked) => Promise<Result | null>,
  pause: number,
): Promise<Result | null> {
  const running = new Set<Promise<void>>();
  let found: Result | null = null;
  while (found === null) {
    const asked = await next();
    if (asked === null) break;
    const one: Promise<void> = ask(asked).catch(() => null).then((result) => {
      running.delete(one);
      found ??= result;
    });
    running.add(one);
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([...running, new Promise((resolve) => timer = setTimeout(resolve, pause))]);
    clearTimeout(timer);
  }
  while (found === null && running.size > 0) await Promise.race(running);
  return found;
}

/** Asks several servers one after the other, without waiting for each answer. */

/**
 * Resolves with the first result that is not null. The next server is asked as soon as one has failed, and
 * after `pause` milliseconds also in addition to those that have not answered.
 *
 * @param next resolves with the next server; null after the last one.
 * @param ask resolves with the result of a server. A rejection counts as null. The requests that are still
 * running at the end are not aborted.
 * @param pause in milliseconds.
 * @returns null when no server has a result.
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

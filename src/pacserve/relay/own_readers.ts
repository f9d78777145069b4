/** This host's own pacman comes first: readers of peers wait while bytes are on their way to it. */

/** The longest (ms) that a peer's reader waits for each piece: its own patience must not end. */
const MAX_WAIT = 50;

/** Counts the own requests that have a piece and did not take all of it yet. */
export class OwnReaders {
  #waiting = 0;
  readonly #wake = new Set<() => void>();

  /** An own request was given a piece. */
  begin(): void {
    this.#waiting++;
  }

  /** It took the piece, or will take nothing more. */
  end(): void {
    this.#waiting--;
    if (this.#waiting > 0) return;
    for (const wake of this.#wake) wake();
    this.#wake.clear();
  }

  /** Lets own requests pass. */
  async letPass(): Promise<void> {
    if (this.#waiting === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake.add(resolve);
      timer = setTimeout(() => {
        this.#wake.delete(resolve);
        resolve();
      }, MAX_WAIT);
    });
    clearTimeout(timer);
  }
}

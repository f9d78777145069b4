/** Gives this host's own pacman priority: readers of peers wait while a piece is being sent to it. */

/** Maximum time (ms) that the reader of a peer waits for each piece, so that the peer does not give up. */
const MAX_WAIT = 50;

/** Counts the requests of this host to which a piece is being sent. */
export class OwnReaders {
  #waiting = 0;
  readonly #wake = new Set<() => void>();

  /** Must be called when a piece is sent to this host's pacman. */
  begin(): void {
    this.#waiting++;
  }

  /** Must be called when that piece has been sent, or the request has ended. */
  end(): void {
    this.#waiting--;
    if (this.#waiting > 0) return;
    for (const wake of this.#wake) wake();
    this.#wake.clear();
  }

  /** Waits until no piece is being sent to this host's pacman, but at most {@link MAX_WAIT}. */
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

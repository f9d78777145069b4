/**
 * Shares the thread among downloads and everything else that it does: hashing, writing and reading
 * take it whole. Without this, 64 downloads at once keep the answers to questions waiting for seconds,
 * and peers and mirrors seem not to answer.
 */

/** Bytes that are worked on before other work has its turn: some milliseconds. */
const SHARE = 2 * 1024 * 1024;

/** First come, first served. */
class ByteTurns {
  #used = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  /** Resolves when so many bytes may be worked on; null when that is now. */
  take(bytes: number): Promise<void> | null {
    this.#timer ??= setTimeout(() => this.#next());
    if (this.#waiting.length === 0 && this.#used < SHARE) {
      this.#used += bytes;
      return null;
    }
    return new Promise((go) => this.#waiting.push({ bytes, go }));
  }

  #next(): void {
    this.#used = 0;
    this.#timer = this.#waiting.length > 0 ? setTimeout(() => this.#next()) : null;
    while (this.#used < SHARE) {
      const first = this.#waiting.shift();
      if (first === undefined) return;
      this.#used += first.bytes;
      first.go();
    }
  }
}

/** Those of this thread. */
export const turns: ByteTurns = new ByteTurns();

/**
 * Shares the thread between downloads and other work, because hashing, writing and reading block it.
 * Without this, 64 simultaneous downloads delay answers to other servers for seconds, and peers and
 * mirrors seem not to answer.
 */

/** Number of bytes that are processed before other work has its turn. They take some milliseconds. */
const SHARE = 2 * 1024 * 1024;

/** Assigns the turns in the order in which they were requested. */
class ByteTurns {
  #used = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  /** Resolves when this number of bytes may be processed; returns null when that is now. */
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

/** The turns of this thread. */
export const turns: ByteTurns = new ByteTurns();

/** What both means of discovery by datagrams do with their sockets. */

/** Resolves after so many milliseconds, one at least. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(1, milliseconds)));
}

/** Datagrams that were sent in several places, and where they came back. */
export class AwaitedEchoes {
  readonly #awaited: Set<string>;
  readonly #places: readonly string[];
  readonly #all = Promise.withResolvers<void>();

  constructor(places: readonly string[]) {
    this.#places = places;
    this.#awaited = new Set(places);
    if (places.length === 0) this.#all.resolve();
  }

  /** One came back there. */
  heard(place: string): void {
    this.#awaited.delete(place);
    if (this.#awaited.size === 0) this.#all.resolve();
  }

  /** Waits until all are back, but no longer than so many milliseconds. */
  async wait(patience: number): Promise<{ readonly place: string; readonly heard: boolean }[]> {
    const timer = setTimeout(this.#all.resolve, patience);
    await this.#all.promise;
    clearTimeout(timer);
    return this.#places.map((place) => ({ place, heard: !this.#awaited.has(place) }));
  }
}

/** Closes a socket; one that is closed already stays so. */
export function closeSocket(socket: Deno.DatagramConn): void {
  try {
    socket.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

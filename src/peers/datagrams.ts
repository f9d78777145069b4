/** Helpers for the two means of discovery that use datagrams. */

/** Resolves after the given milliseconds, but at least one. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(1, milliseconds)));
}

/** Tracks which places (interfaces) have received back the datagram that was sent from them. */
export class AwaitedEchoes {
  readonly #awaited: Set<string>;
  readonly #places: readonly string[];
  readonly #all = Promise.withResolvers<void>();

  constructor(places: readonly string[]) {
    this.#places = places;
    this.#awaited = new Set(places);
    if (places.length === 0) this.#all.resolve();
  }

  /** Must be called when the datagram came back at a place. */
  heard(place: string): void {
    this.#awaited.delete(place);
    if (this.#awaited.size === 0) this.#all.resolve();
  }

  /** Waits until all datagrams came back, but at most `patience` milliseconds. */
  async wait(patience: number): Promise<{ readonly place: string; readonly heard: boolean }[]> {
    const timer = setTimeout(this.#all.resolve, patience);
    await this.#all.promise;
    clearTimeout(timer);
    return this.#places.map((place) => ({ place, heard: !this.#awaited.has(place) }));
  }
}

/** Closes a socket. Does nothing if it is closed already. */
export function closeSocket(socket: Deno.DatagramConn): void {
  try {
    socket.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** A file as the relays of a LAN share it while they download it: whom to ask, and what to tell. */

import { MAX_FAILED, type Want } from "../../peers/protocol.ts";
import type { Peer } from "../../peers/registry.ts";
import type { Wants } from "../../peers/wants.ts";
import type { FileClient } from "./http_client.ts";
import { InFlightSource } from "./in_flight_source.ts";

/** What an in-flight file needs. */
interface InFlightFileOptions {
  readonly wants: Pick<Wants, "ask" | "peerOf" | "instance">;
  readonly client: FileClient;
  /** The name of the package. */
  readonly file: string;
  /** The SHA-256 that it must have, in hexadecimal digits. */
  readonly digest: string;
  /** PEM certificates of those that certify peers. */
  readonly authorities: readonly string[];
}

/** A source, as the trackers name it. */
export interface InFlightFound {
  /** The answer in time; null: a mirror is to be asked. */
  soon(): Promise<InFlightSource | null>;
  /** The same answer, or a later one. */
  readonly late: Promise<InFlightSource | null>;
  /** The file came from there. */
  confirm(): void;
}

/** Asks the trackers of a file, and tells them of this server's own download. */
export class InFlightFile {
  readonly #options: InFlightFileOptions;
  /** The trackers have been told of it. */
  #isKnown = false;

  constructor(options: InFlightFileOptions) {
    this.#options = options;
  }

  /**
   * Wants the file.
   *
   * @param have bytes that are here.
   * @param failed instances that could not give it.
   */
  find(have: number, failed: ReadonlySet<string>): InFlightFound {
    const wanted = this.#options.wants.ask(this.#want(have, [...failed], false));
    const sources = new Map<Peer, InFlightSource>();
    const sourceOf = (peer: Peer | null): InFlightSource | null => {
      if (peer === null || failed.has(peer.instance ?? "")) return null;
      const source = sources.get(peer) ?? new InFlightSource(peer, failed, this.#options);
      sources.set(peer, source);
      return source;
    };
    return {
      soon: async () => sourceOf(await wanted.soon()),
      late: wanted.late.then(sourceOf),
      confirm: () => wanted.confirm(),
    };
  }

  /** Says that nobody gets it from here any more. */
  end(): void {
    if (!this.#isKnown) return;
    this.#isKnown = false;
    this.#options.wants.ask(this.#want(0, [], true));
  }

  #want(have: number, failed: readonly string[], ended: boolean): Want {
    const { file, digest } = this.#options;
    if (!ended) this.#isKnown = true;
    return { type: "want", file, digest, have, failed: failed.slice(-MAX_FAILED), ended };
  }
}

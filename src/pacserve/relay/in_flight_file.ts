/** Asks the trackers of a file which relay downloads it, and reports this server's own download. */

import { MAX_FAILED, type Want } from "../../peers/protocol.ts";
import type { Peer } from "../../peers/registry.ts";
import type { Wants } from "../../peers/wants.ts";
import type { FileClient } from "./http_client.ts";
import { InFlightSource } from "./in_flight_source.ts";

/** The options of {@link InFlightFile}. */
interface InFlightFileOptions {
  readonly wants: Pick<Wants, "ask" | "peerOf" | "instance">;
  readonly client: FileClient;
  /** File name of the package. */
  readonly file: string;
  /** The expected SHA-256, in hexadecimal digits. */
  readonly digest: string;
  /** PEM certificates of the authorities that certify peers. */
  readonly authorities: readonly string[];
}

/** The source that the trackers of a file name. */
export interface InFlightFound {
  /** Resolves with the answer within the time limit; null when a mirror must be used. */
  soon(): Promise<InFlightSource | null>;
  /** Resolves with the answer of all trackers, however late. It may differ from the early one. */
  readonly late: Promise<InFlightSource | null>;
  /** Must be called when the file came from the named source. */
  confirm(): void;
}

/** Asks the trackers of a file, and reports this server's own download to them. */
export class InFlightFile {
  readonly #options: InFlightFileOptions;
  /** True when the trackers have a want of this server for the file. */
  #isKnown = false;

  constructor(options: InFlightFileOptions) {
    this.#options = options;
  }

  /**
   * Sends a want for the file to its trackers.
   *
   * @param have number of bytes that this server has.
   * @param failed instances that could not provide the file.
   */
  find(have: number, failed: ReadonlySet<string>): InFlightFound {
    const wanted = this.#options.wants.ask(this.#want(have, [...failed], false));
    const sources = new Map<Peer, InFlightSource>();
    const sourceOf = (peer: Peer | null): InFlightSource | null => {
      if (peer === null || failed.has(peer.instance ?? "")) return null;
      return sources.getOrInsertComputed(
        peer,
        () => new InFlightSource(peer, failed, this.#options),
      );
    };
    return {
      soon: async () => sourceOf(await wanted.soon()),
      late: wanted.late.then(sourceOf),
      confirm: () => wanted.confirm(),
    };
  }

  /** Reports to the trackers that this server does not provide the file any more. */
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

/** A source that provides an in-flight file: one that a peer is still downloading. */

import { encodePath } from "../../http/target.ts";
import { HEADERS } from "../../peers/protocol.ts";
import type { Peer } from "../../peers/registry.ts";
import type { Wants } from "../../peers/wants.ts";
import { PACKAGES } from "../address.ts";
import type { FileClient } from "./http_client.ts";
import { FullHolder, HttpSource } from "./http_source.ts";
import { type Source, SourceFailure, type SourceStream } from "./source.ts";

/** Maximum number of holders that one request asks. Each one is named by the one before it. */
const MAX_HOLDERS = 8;

/** Milliseconds that a source may be silent in addition, for each server between it and the mirror. */
const PATIENCE = 2_000;

/** The options of {@link InFlightSource}. */
interface InFlightSourceOptions {
  readonly wants: Pick<Wants, "peerOf" | "instance">;
  readonly client: FileClient;
  readonly file: string;
  readonly digest: string;
  readonly authorities: readonly string[];
}

/**
 * Downloads the file from the peer that a tracker named. If that has no place for another reader, one of
 * its readers is used instead. Only known peers are used.
 */
export class InFlightSource implements Source {
  readonly kind = "in-flight";
  readonly key: string;
  readonly #options: InFlightSourceOptions;
  readonly #failed: ReadonlySet<string>;
  #peer: Peer;
  #chain: readonly string[];

  /** @param failed instances that must not be asked. */
  constructor(peer: Peer, failed: ReadonlySet<string>, options: InFlightSourceOptions) {
    this.#options = options;
    this.#failed = failed;
    this.#peer = peer;
    this.#chain = [peer.instance ?? ""];
    this.key = `in flight ${peer.url}`;
  }

  get name(): string {
    return `peer ${this.peer.replace(/\/$/, "")} (in flight)`;
  }

  /** The URL of the peer that is asked. */
  get peer(): string {
    return this.#peer.url;
  }

  /** The instances through which the bytes come; this source is the first. */
  get chain(): readonly string[] {
    return this.#chain;
  }

  /** Milliseconds that this source may be silent in addition: servers in the chain may change sources. */
  get patience(): number {
    return (this.#chain.length - 1) * PATIENCE;
  }

  async open(from: number, size: number | null, signal: AbortSignal): Promise<SourceStream> {
    const asked = new Set(this.#failed);
    for (;;) {
      const { instance } = this.#peer;
      asked.add(instance ?? "");
      this.#chain = [instance ?? ""];
      try {
        const stream = await this.#source().open(from, size, signal);
        const via = stream.via ?? [];
        if (via.includes(this.#options.wants.instance)) {
          stream.close();
          throw new SourceFailure("refused", "gets the file from this server");
        }
        this.#chain = [instance ?? "", ...via.filter((each) => each !== instance)];
        return stream;
      } catch (error) {
        const next = error instanceof FullHolder && asked.size - this.#failed.size < MAX_HOLDERS
          ? this.#options.wants.peerOf(error.reader)
          : null;
        if (next === null || next.instance === null || asked.has(next.instance)) throw error;
        this.#peer = next;
      }
    }
  }

  #source(): HttpSource {
    const { client, wants, file, digest, authorities } = this.#options;
    const headers = { [HEADERS.instance]: wants.instance, [HEADERS.digest]: `sha256=${digest}` };
    return new HttpSource({
      kind: "in-flight",
      name: this.name,
      url: this.#peer.url.slice(0, -1) + encodePath([PACKAGES, file]),
      client,
      headers,
      authorities,
      self: null,
    });
  }
}

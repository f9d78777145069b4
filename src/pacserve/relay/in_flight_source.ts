/** A file that a peer is still downloading. */

import { encodePath } from "../../http/target.ts";
import { HEADERS } from "../../peers/protocol.ts";
import type { Peer } from "../../peers/registry.ts";
import type { Wants } from "../../peers/wants.ts";
import { PACKAGES } from "../address.ts";
import type { FileClient } from "./http_client.ts";
import { FullHolder, HttpSource } from "./http_source.ts";
import { type Source, SourceFailure, type SourceStream } from "./source.ts";

/** Holders that one request asks, each at the word of the one before. */
const MAX_HOLDERS = 8;

/** So much longer (ms) a source may be silent for each server that it has its bytes from. */
const PATIENCE = 2_000;

/** How the holder is asked. */
interface InFlightSourceOptions {
  readonly wants: Pick<Wants, "peerOf" | "instance">;
  readonly client: FileClient;
  readonly file: string;
  readonly digest: string;
  readonly authorities: readonly string[];
}

/**
 * The file at the peer that a tracker named, or at one of its readers where it has enough of them. Only
 * peers are asked that this server knows.
 */
export class InFlightSource implements Source {
  readonly kind = "in-flight";
  readonly key: string;
  readonly #options: InFlightSourceOptions;
  readonly #failed: ReadonlySet<string>;
  #peer: Peer;
  #chain: readonly string[];

  /** @param failed instances that are not to be asked. */
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

  /** The instances that it has its bytes from, itself first. */
  get chain(): readonly string[] {
    return this.#chain;
  }

  /** Each server between here and the mirror needs time to change its own source first. */
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
          throw new SourceFailure("refused", "has it from here");
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

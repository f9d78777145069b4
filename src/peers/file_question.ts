/** The question for one file, as it is put to peers. */

import { encodePath } from "../http/target.ts";
import { ranked } from "./balance.ts";
import type { FileChecks } from "./file_check.ts";
import type { RemoteIndexes } from "./index/remote.ts";
import type { PacredirHosts } from "./pacredir_hosts.ts";
import type { Questions } from "./questions.ts";
import type { Peer } from "./registry.ts";

/** What is asked, and what is known already. */
interface FileQuestionParts {
  readonly questions: Questions;
  readonly indexes: RemoteIndexes;
}

/** The question for a file of this server's tree. */
export class FileQuestion {
  readonly #path: string;
  readonly #encoded: string;
  /** The name under which indexes have the file; null for one that they do not cover. */
  readonly #name: string | null;
  readonly #parts: FileQuestionParts;
  readonly #checks: FileChecks;
  readonly #pacredir: PacredirHosts;
  readonly #sizes = new Map<Peer, number | null>();

  constructor(
    segments: readonly string[],
    parts: FileQuestionParts,
    checks: FileChecks,
    pacredir: PacredirHosts,
  ) {
    const [directory, name, ...more] = segments;
    this.#path = segments.join("/");
    this.#encoded = encodePath(segments);
    this.#name = directory === "pkg" && name !== undefined && more.length === 0 ? name : null;
    this.#parts = parts;
    this.#checks = checks;
    this.#pacredir = pacredir;
  }

  /** The URL of the file on a peer. */
  urlAt(peer: Peer): string {
    return peer.url.slice(0, -1) + this.#encoded;
  }

  /** The length of a peer's copy, as its confirmation gave it; null when it did not. */
  sizeAt(peer: Peer): number | null {
    return this.#sizes.get(peer) ?? null;
  }

  /** The peers whose index names the file, and those whose index does not tell. */
  byIndex(peers: readonly Peer[]): { readonly named: Peer[]; readonly unknown: Peer[] } {
    const named: Peer[] = [];
    const unknown: Peer[] = [];
    for (const peer of peers.filter(({ kind }) => kind === "pacserve")) {
      const verdict = this.#name !== null && peer.state === "alive"
        ? this.#parts.indexes.verdict(peer, this.#name)
        : "unknown";
      if (verdict === "yes") named.push(peer);
      if (verdict === "unknown") unknown.push(peer);
    }
    // They have no index, and for databases only mirrors are asked.
    const hosts = this.#name?.includes(".pkg.")
      ? this.#pacredir.chosen(peers.filter(({ kind }) => kind === "pacredir"))
      : [];
    return { named, unknown: [...unknown, ...hosts] };
  }

  /** Asks a peer whether it has the file. */
  async check(peer: Peer): Promise<boolean> {
    if (peer.kind === "pacserve") return await this.#checks.ask(peer, this.#path);
    const { has, size } = await this.#pacredir.offers(peer, this.urlAt(peer));
    if (has === "yes") this.#sizes.set(peer, size);
    return has === "yes";
  }

  /** Asks a peer for the very URL of the file. */
  async confirm(peer: Peer): Promise<boolean> {
    // Such a host has no other way to say that it has the file: it has just been asked in this way.
    if (peer.kind === "pacredir") return this.#sizes.has(peer);
    const { has, size } = await this.#parts.questions.offers(peer, this.urlAt(peer));
    if (has === "not found" && this.#name !== null) this.#parts.indexes.drop(peer, this.#name);
    this.#sizes.set(peer, size);
    return has === "yes";
  }

  /** The order in which peers that have the file are tried. */
  ranked(peers: readonly Peer[]): readonly Peer[] {
    // Peers that say yes and then hang, however many, come after all others.
    const trusted = peers.filter(({ failures }) => failures === 0);
    const best = trusted.length > 0 ? trusted : peers;
    return ranked(best, performance.now(), Math.random);
  }
}

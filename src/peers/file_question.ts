/** Asks peers for one file. */

import { encodePath } from "../http/target.ts";
import { ranked } from "./balance.ts";
import type { FileChecks } from "./file_check.ts";
import type { RemoteIndexes } from "./index/remote.ts";
import type { PacredirHosts } from "./pacredir_hosts.ts";
import type { Questions } from "./questions.ts";
import type { Peer } from "./registry.ts";

/** The objects that a question uses. */
interface FileQuestionParts {
  readonly questions: Questions;
  readonly indexes: RemoteIndexes;
}

/** The question if peers have a file, which is named by its path in this server's tree. */
export class FileQuestion {
  readonly #path: string;
  readonly #encoded: string;
  /** The name of the file in indexes; null when indexes do not contain such files. */
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

  /** Returns the URL of the file on a peer. */
  urlAt(peer: Peer): string {
    return peer.url.slice(0, -1) + this.#encoded;
  }

  /** Returns the size in bytes of a peer's copy, from its confirmation; null when that had none. */
  sizeAt(peer: Peer): number | null {
    return this.#sizes.get(peer) ?? null;
  }

  /** Returns the peers whose index contains the file, and those whose index is unknown or incomplete. */
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
    // pacredir hosts have no index. Ask them only for packages, because databases come only from mirrors.
    const hosts = this.#name?.includes(".pkg.")
      ? this.#pacredir.chosen(peers.filter(({ kind }) => kind === "pacredir"))
      : [];
    return { named, unknown: [...unknown, ...hosts] };
  }

  /** Asks a peer if it has the file. */
  async check(peer: Peer): Promise<boolean> {
    if (peer.kind === "pacserve") return await this.#checks.ask(peer, this.#path);
    const { has, size } = await this.#pacredir.offers(peer, this.urlAt(peer));
    if (has === "yes") this.#sizes.set(peer, size);
    return has === "yes";
  }

  /** Asks a peer to confirm the file at the exact URL that a client will be redirected to. */
  async confirm(peer: Peer): Promise<boolean> {
    // A pacredir host was already asked in this way by {@link check}.
    if (peer.kind === "pacredir") return this.#sizes.has(peer);
    const { has, size } = await this.#parts.questions.offers(peer, this.urlAt(peer));
    if (has === "not found" && this.#name !== null) this.#parts.indexes.drop(peer, this.#name);
    this.#sizes.set(peer, size);
    return has === "yes";
  }

  /** Returns peers that have the file in the order in which to try them. */
  ranked(peers: readonly Peer[]): readonly Peer[] {
    // Try peers that have failed after all others, so that many that say yes and then hang cause no delay.
    const trusted = peers.filter(({ failures }) => failures === 0);
    const best = trusted.length > 0 ? trusted : peers;
    return ranked(best, performance.now(), Math.random);
  }
}

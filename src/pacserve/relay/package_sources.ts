/** Finds the sources of one package, in the order in which they are used. */

import { HEAD_START } from "../peer_search.ts";
import type { Download } from "./download.ts";
import type { InFlightFile, InFlightFound } from "./in_flight_file.ts";
import { InFlightSource } from "./in_flight_source.ts";
import type { MirrorsOfFile } from "./mirror_copies.ts";
import type { PeersWithFile } from "./peer_copies.ts";
import type { Source, SourceFailure } from "./source.ts";
import type { SourceMemory } from "./source_memory.ts";

/** Maximum number of in-flight files that are tried for one download. After that, a mirror is used. */
const MAX_IN_FLIGHT = 2;

/** Maximum number of requests to a source that broke off after some bytes. */
const MAX_TRIES = 2;

/** The options of {@link PackageSources}. */
interface PackageSourcesOptions {
  readonly file: string;
  /** The SHA-256 in hexadecimal digits; empty when it is unknown. */
  readonly digest: string;
  readonly peers: Pick<PeersWithFile, "find"> | null;
  /** The download that peers may share; null when the file is not shared while it is downloaded. */
  readonly inFlight: { readonly file: InFlightFile; readonly download: Download } | null;
  readonly mirrors: Pick<MirrorsOfFile, "find" | "failed">;
  readonly memory: SourceMemory;
  /** Position of the last byte that is needed; null for the file's end. */
  readonly last: number | null;
}

/** Finds the peers and mirrors that have a package, the best first. */
export class PackageSources {
  readonly #options: PackageSourcesOptions;
  /** Keys of the mirrors and URLs of the peers that have been tried. */
  readonly #mirrorsTried = new Set<string>();
  readonly #peersTried = new Set<string>();
  /** The URL of the peer of each complete copy. */
  readonly #peerOf = new Map<Source, string>();
  #broken: Source[] = [];
  /** Instances whose in-flight file failed, and the number of these failures. */
  readonly #inFlightFailed = new Set<string>();
  #inFlightFailures = 0;
  /** URLs of the peers that sent a part of a wrong file. */
  readonly #suspects = new Set<string>();
  /** The last answer of the trackers. */
  #found: InFlightFound | null = null;
  readonly #tries = new Map<Source, number>();
  #isFirst = true;

  constructor(options: PackageSourcesOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the next source, the best first; null when there is no other.
   *
   * @param mirrorsFirst true when a complete copy has failed.
   */
  async next(mirrorsFirst: boolean): Promise<Source | null> {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (isFirst && !mirrorsFirst) return await this.#first() ?? await this.#later();
    return await this.#later();
  }

  /** Resolves with a mirror for a race; null when the copy won the last one, or there is no other mirror. */
  async rival(copy: Source): Promise<Source | null> {
    const peer = this.#peerOf.get(copy);
    if (peer !== undefined && this.#options.memory.raceOf(peer) === true) return null;
    return await this.#mirror();
  }

  /** Must be called when a race has ended. */
  raced(copy: Source, hasWon: boolean): void {
    const peer = this.#peerOf.get(copy);
    if (peer !== undefined) this.#options.memory.raced(peer, hasWon);
  }

  /** Must be called when a source has failed, or was left for this reason. */
  failed(source: Source, failure: SourceFailure): void {
    const { memory, file, digest, mirrors } = this.#options;
    const peer = this.#peerOf.get(source);
    if (source instanceof InFlightSource) {
      this.#inFlightFailures++;
      for (const each of source.chain.slice(0, 1)) this.#inFlightFailed.add(each);
      // It is not the holder's fault if the download ends too early, but it is if a complete file is wrong.
      if (failure.kind === "wrong") memory.failed(source.peer, file, digest, failure.kind);
    } else if (peer === undefined) mirrors.failed(source, failure);
    else memory.failed(peer, file, digest, failure.kind);
    const tries = this.#tries.get(source) ?? 1;
    this.#tries.set(source, tries + 1);
    this.#broken = this.#broken.filter((each) => each !== source);
    if (source instanceof InFlightSource) return;
    if (failure.kind === "broken" && tries < MAX_TRIES) this.#broken.push(source);
  }

  /** Must be called when a wrong file had bytes of this source and of others. */
  suspect(source: Source): void {
    if (source instanceof InFlightSource) this.#suspects.add(source.peer);
  }

  /** True when this source of the trackers should be used instead of a mirror. */
  mayPrefer(source: Source): boolean {
    const { memory, file, digest } = this.#options;
    return source instanceof InFlightSource && !this.#suspects.has(source.peer) &&
      memory.mayAsk(source.peer, file, digest);
  }

  /** Must be called when a source is closed without its fault: it may be used again. */
  putBack(source: Source): void {
    if (source instanceof InFlightSource) {
      const isBack = source.chain.slice(0, 1).some((each) => this.#inFlightFailed.delete(each));
      if (isBack) this.#inFlightFailures--;
      return;
    }
    const peer = this.#peerOf.get(source);
    if (peer === undefined) this.#mirrorsTried.delete(source.key);
    else this.#peersTried.delete(peer);
  }

  /** Must be called when the file is complete, and verified if it can be. */
  completed({ segments, isVerified }: Download): void {
    if (!isVerified) return;
    if (segments.every(({ source }) => source instanceof InFlightSource)) this.#found?.confirm();
    for (const { source } of segments) {
      const peer = source instanceof InFlightSource ? source.peer : this.#peerOf.get(source);
      if (peer !== undefined) this.#options.memory.succeeded(peer);
    }
  }

  /** Asks peers and mirrors at the same time. A peer that answers within the head start is used. */
  async #first(): Promise<Source | null> {
    const { memory } = this.#options;
    // A peer that was slower than a mirror, or failed lately, is only asked if there is no mirror.
    const search = this.#peer((peer) => memory.raceOf(peer) !== false && !memory.isTroubled(peer));
    const early = await Promise.race([search, after(HEAD_START)]);
    if (early !== undefined && early !== null) return early;
    const mirror = this.#mirror();
    const inFlight = this.#inFlight();
    const copy = await search;
    const source = copy ?? await inFlight ?? await this.#lateOr(mirror);
    if (source === null || source.kind === "mirror") return source;
    mirror.then((other) => other !== null && this.putBack(other), () => {});
    return source;
  }

  async #later(): Promise<Source | null> {
    const { memory } = this.#options;
    const isAfterFailure = this.#inFlightFailures > 0;
    return (isAfterFailure ? await this.#inFlight() : null) ?? await this.#mirror() ??
      await this.#peer((peer) => !memory.isTroubled(peer)) ??
      await this.#peer(() => true) ?? this.#broken.shift() ?? null;
  }

  /** Waits for an answer of the trackers until a mirror is found. */
  async #lateOr(mirror: Promise<Source | null>): Promise<Source | null> {
    const late = this.#found?.late.then((source) => source ?? mirror) ?? mirror;
    return await Promise.race([late, mirror]);
  }

  /** Resolves with a source that is better than the last one, but was found later; else with null. */
  async better(): Promise<Source | null> {
    return await this.#found?.late ?? null;
  }

  /** Returns the in-flight file of another relay, if the trackers name one in time. */
  async #inFlight(): Promise<Source | null> {
    const { inFlight } = this.#options;
    if (inFlight === null || this.#inFlightFailures >= MAX_IN_FLIGHT) return null;
    const found = inFlight.file.find(inFlight.download.received, this.#inFlightFailed);
    const mayAsk = (source: InFlightSource | null): InFlightSource | null =>
      source !== null && this.mayPrefer(source) ? source : null;
    this.#found = {
      soon: async () => mayAsk(await found.soon()),
      late: found.late.then(mayAsk),
      confirm: () => found.confirm(),
    };
    return await this.#found.soon();
  }

  async #mirror(): Promise<Source | null> {
    const source = await this.#options.mirrors.find(this.#mirrorsTried, this.#options.last);
    if (source !== null) this.#mirrorsTried.add(source.key);
    return source;
  }

  async #peer(isWanted: (peer: string) => boolean): Promise<Source | null> {
    const { peers, memory, file, digest } = this.#options;
    const found =
      await peers?.find((peer) =>
        isWanted(peer) && !this.#peersTried.has(peer) && memory.mayAsk(peer, file, digest)
      ) ?? null;
    if (found === null) return null;
    this.#peersTried.add(found.peer);
    this.#peerOf.set(found.source, found.peer);
    return found.source;
  }
}

function after(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, undefined));
}

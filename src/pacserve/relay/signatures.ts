/**
 * Signatures of packages. pacman has no second server for a signature, and one that is missing, or
 * that is none, fails its whole transaction: so each is looked at before it is passed on.
 */

import { LRUCache } from "lru-cache";
import { fits, MAX_SIGNATURE_SIZE, parseSignature } from "../signature.ts";
import type { Download } from "./download.ts";
import type { PackageSources } from "./package_sources.ts";
import type { Source } from "./source.ts";
import { staggered } from "./staggered.ts";
import type { RelayTimes } from "./times.ts";

/** A signature, and who gave it. */
interface FoundSignature {
  readonly bytes: Uint8Array;
  readonly source: Source;
  readonly lastModified: string | null;
}

/** The longest (ms) that a source may take for a signature. */
const PATIENCE = 3_000;

/** So long (ms) after one source the next one is asked, too. */
const PAUSE = 700;

/** How long (ms) a signature is kept that was fetched together with its package. */
const KEPT = 600_000;

/** Bytes of a package that are hashed at a time. */
const PIECE = 4 * 1024 * 1024;

/** Who is asked. */
type Sources = Pick<PackageSources, "next">;

/** The package of a signature. */
type Signed = Pick<Download, "received" | "peek">;

/** Fetches signatures, and keeps those that were fetched together with their packages. */
export class Signatures {
  readonly #early = new LRUCache<string, Promise<FoundSignature | null>>({ max: 500, ttl: KEPT });
  readonly #times: Pick<RelayTimes, "signatureCheck">;

  constructor(times: Pick<RelayTimes, "signatureCheck">) {
    this.#times = times;
  }

  /** Fetches a signature whose package is on its way: pacman will ask for it next. */
  fetchEarly(key: string, sources: Sources): void {
    if (!this.#early.has(key)) this.#early.set(key, this.#fetch(sources, null).catch(() => null));
  }

  /**
   * The first signature of these sources that can be one of the package.
   *
   * @param signed the package, where it is still here.
   * @returns null when there is none.
   */
  async find(
    key: string,
    sources: Sources,
    signed: Signed | null,
  ): Promise<FoundSignature | null> {
    const early = await this.#early.get(key) ?? null;
    this.#early.delete(key);
    if (early !== null && await this.#isSignatureOf(early, signed)) return early;
    return await this.#fetch(sources, signed);
  }

  async #fetch(sources: Sources, signed: Signed | null): Promise<FoundSignature | null> {
    // Of mirrors first: a peer's signature is as good, but nobody vouches for it.
    return await staggered(() => sources.next(true), async (source) => {
      const found = await fetchFrom(source);
      return found !== null && await this.#isSignatureOf(found, signed) ? found : null;
    }, PAUSE);
  }

  /** A mirror's that is not checked in time is passed on: pacman would have got it without us. */
  async #isSignatureOf(
    { bytes, source }: FoundSignature,
    signed: Signed | null,
  ): Promise<boolean> {
    const signature = parseSignature(bytes);
    if (signature === null) return false;
    if (signed === null) return true;
    const isMirror = source.kind === "mirror";
    const deadline = isMirror ? performance.now() + this.#times.signatureCheck : Infinity;
    return await fits(signature, piecesOf(signed, deadline)) || performance.now() >= deadline;
  }
}

/** The file of a source, if it is no longer than a signature can be. */
async function fetchFrom(source: Source): Promise<FoundSignature | null> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE);
  try {
    const stream = await source.open(0, null, abort.signal);
    try {
      if (stream.size > MAX_SIGNATURE_SIZE || stream.from !== 0) return null;
      const bytes = new Uint8Array(stream.size);
      for (let length = 0; length < bytes.length;) {
        const count = await stream.read(bytes.subarray(length));
        if (count === null) return null;
        length += count;
      }
      return { bytes, source, lastModified: stream.lastModified };
    } finally {
      stream.close();
    }
  } catch {
    // The next source is asked.
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/** The bytes of a complete download, with a pause after each piece: hashing blocks everything else. */
async function* piecesOf(download: Signed, deadline: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(PIECE, download.received));
  for (let at = 0; at < download.received && performance.now() < deadline;) {
    const count = download.peek(at, buffer);
    if (count === 0) return;
    yield buffer.subarray(0, count);
    at += count;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

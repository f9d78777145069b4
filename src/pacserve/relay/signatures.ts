/**
 * Fetches the signatures of packages. pacman requests a signature from one server only, and its whole
 * transaction fails if the signature is missing or malformed. Therefore each one is checked before it is
 * sent.
 */

import { BoundedMap } from "../../bounded_map.ts";
import { fits, MAX_SIGNATURE_SIZE, parseSignature, type Signature } from "../signature.ts";
import type { Download } from "./download.ts";
import type { PackageSources } from "./package_sources.ts";
import type { Source } from "./source.ts";
import { staggered } from "./staggered.ts";
import type { RelayTimes } from "./times.ts";

/** A signature and its source. */
interface FoundSignature {
  readonly bytes: Uint8Array;
  readonly signature: Signature;
  readonly source: Source;
  readonly lastModified: string | null;
}

/** Milliseconds in which a source must send a signature. */
const PATIENCE = 3_000;

/** Milliseconds after which the next source is asked, too. */
const PAUSE = 700;

/** Milliseconds that a signature which was fetched together with its package is kept. */
const KEPT = 600_000;

/** Maximum number of bytes of a package that are hashed at a time. */
const PIECE = 4 * 1024 * 1024;

/** The sources that are asked. */
type Sources = Pick<PackageSources, "next">;

/** The package of a signature. */
type Signed = Pick<Download, "received" | "peek" | "fits">;

/** Fetches and checks signatures. Keeps those that were fetched together with their packages. */
export class Signatures {
  readonly #early = new BoundedMap<string, Promise<FoundSignature | null>>(500, KEPT);
  readonly #times: Pick<RelayTimes, "signatureCheck">;

  constructor(times: Pick<RelayTimes, "signatureCheck">) {
    this.#times = times;
  }

  /**
   * Fetches the signature of a package that is being downloaded, because pacman requests it next.
   *
   * @param download returns the download; null if it is not shared by requests.
   */
  fetchEarly(
    key: string,
    sources: Sources,
    download: () => Pick<Download, "hashFor"> | null,
  ): void {
    let early = this.#early.get(key);
    if (early === undefined) {
      early = this.#fetch(sources, null).catch(() => null);
      this.#early.set(key, early);
    }
    void early.then((found) => found !== null && download()?.hashFor(found.signature));
  }

  /**
   * Resolves with the first signature from these sources that can belong to the package.
   *
   * @param signed the package, if it is still in the spool. Without it only the format is checked.
   * @returns null when there is no such signature.
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
    // Mirrors come first, because a signature of a peer cannot be verified here.
    return await staggered(() => sources.next(true), async (source) => {
      const found = await fetchFrom(source);
      return found !== null && await this.#isSignatureOf(found, signed) ? found : null;
    }, PAUSE);
  }

  /** If the check takes too long, accepts a signature of a mirror: pacman alone would get the same one. */
  async #isSignatureOf(
    { signature, source }: FoundSignature,
    signed: Signed | null,
  ): Promise<boolean> {
    if (signed === null) return true;
    const known = signed.fits(signature);
    if (known !== null) return known;
    const isMirror = source.kind === "mirror";
    const deadline = isMirror ? performance.now() + this.#times.signatureCheck : Infinity;
    return await fits(signature, piecesOf(signed, deadline)) || performance.now() >= deadline;
  }
}

/** Returns the signature of a source; null when the source fails, or its file is not a signature. */
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
      const signature = parseSignature(bytes);
      if (signature === null) return null;
      return { bytes, signature, source, lastModified: stream.lastModified };
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

/** Yields the bytes of a complete download, with pauses, because hashing blocks the thread. */
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

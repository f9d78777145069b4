/** Counts the bytes and files that were downloaded from each source, and measures its speed. */

import { BoundedMap } from "../../bounded_map.ts";
import type { FileSource } from "../../http/exchange.ts";
import type { LiveCounters } from "../../status/live_counters.ts";
import { isSignature } from "../address.ts";
import { ReceivedPackages } from "../received_packages.ts";
import type { Download } from "./download.ts";
import { fileSourceOf } from "./source.ts";

/** The files and bytes that were downloaded from a source. */
interface SourceRecord {
  readonly files: number;
  readonly bytes: number;
  /** Bytes per second of the last large file that came mostly from this source; 0 before the first. */
  readonly rate: number;
}

/** Minimum size (bytes) of a file whose speed is measured. A smaller one says little about its source. */
const MIN_MEASURED = 256 * 1024;

/** Maximum number of sources with a record. */
const MAX_SOURCES = 1_000;

/**
 * Counts received bytes. The bytes of a mirror are counted when they arrive, those of a peer when the
 * whole file is verified, because only then could they be used. Nothing is done for each piece, because
 * a download has a list of its segments.
 */
export class Received {
  /** The packages that were received, for the report after a transaction of this host's pacman. */
  readonly packages = new ReceivedPackages();
  readonly #counters: Pick<LiveCounters, "count">;
  /** The record of each source, by name. */
  readonly #sources = new BoundedMap<string, SourceRecord>(MAX_SOURCES);
  readonly #begun = new WeakMap<Download, number>();
  /** The bytes that have been counted already. */
  readonly #counted = new WeakMap<Download, Map<FileSource, number>>();

  constructor(counters: Pick<LiveCounters, "count">) {
    this.#counters = counters;
  }

  /** Must be called when a download begins. */
  begun(download: Download): void {
    this.#begun.set(download, performance.now());
  }

  /** Returns the milliseconds since the download began. */
  age(download: Download): number {
    return performance.now() - (this.#begun.get(download) ?? performance.now());
  }

  /** Counts the bytes that came from mirrors since the last call, while a download runs. */
  settle(download: Download): void {
    if (isSignature(download.name)) return;
    this.#count(download, "mirror", 0);
  }

  /** Counts a download that has ended. Signatures are not counted. */
  ended(download: Download): void {
    if (isSignature(download.name)) return;
    if (download.state === "failed") return this.settle(download);
    const bytes = bytesBySource(download);
    const [most] = [...bytes].toSorted(([, one], [, other]) => other - one)[0] ?? [];
    // Of a file that is downloaded in parts, only the part with the end is counted as a file.
    const isFile = download.last === null;
    for (const source of bytes.keys()) {
      this.#count(download, source, isFile && source === most ? 1 : 0);
    }
    this.#remember(download);
    const total = [...bytes.values()].reduce((sum, each) => sum + each, 0);
    const lan = total - (bytes.get("mirror") ?? 0);
    this.packages.add(download.name, { lan, total }, download.start > 0);
  }

  /** Returns the record of the source with this name; null if nothing came from it. */
  of(name: string): SourceRecord | null {
    return this.#sources.get(name) ?? null;
  }

  #count(download: Download, source: FileSource, files: number): void {
    const counted = this.#counted.getOrInsertComputed(download, () => new Map());
    const bytes = bytesBySource(download).get(source) ?? 0;
    const more = Math.max(0, bytes - (counted.get(source) ?? 0));
    counted.set(source, bytes);
    if (more > 0 || files > 0) this.#counters.count("received", source, more, files);
  }

  #remember(download: Download): void {
    const bySource = new Map<string, number>();
    for (const { source: { name }, from, to } of download.segments) {
      bySource.set(name, (bySource.get(name) ?? 0) + to - from);
    }
    const [most] = [...bySource].toSorted(([, one], [, other]) => other - one)[0] ?? [];
    for (const [name, bytes] of bySource) {
      const before = this.#sources.get(name) ?? { files: 0, bytes: 0, rate: 0 };
      const isMost = name === most;
      const isMeasured = isMost && bytes >= MIN_MEASURED;
      this.#sources.set(name, {
        files: before.files + (isMost ? 1 : 0),
        bytes: before.bytes + bytes,
        rate: isMeasured ? Math.round(bytes / Math.max(1, this.age(download)) * 1000) : before.rate,
      });
    }
  }
}

function bytesBySource({ segments }: Download): Map<FileSource, number> {
  const bytes = new Map<FileSource, number>();
  for (const { source, from, to } of segments) {
    const name = fileSourceOf(source);
    bytes.set(name, (bytes.get(name) ?? 0) + to - from);
  }
  return bytes;
}

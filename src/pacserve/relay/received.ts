/** Counts what downloads bring, by source, and remembers how fast each source was. */

import { LRUCache } from "lru-cache";
import type { FileSource } from "../../http/exchange.ts";
import type { LiveCounters } from "../../status/live_counters.ts";
import { ReceivedPackages } from "../received_packages.ts";
import type { Download } from "./download.ts";
import { fileSourceOf } from "./source.ts";

/** What a source gave. */
export interface SourceRecord {
  readonly files: number;
  readonly bytes: number;
  /** Bytes a second of the last large file, of which it gave most; 0 before the first. */
  readonly rate: number;
}

/** A file of fewer bytes says little about the speed of its source. */
const MIN_MEASURED = 256 * 1024;

/** Sources of which that is remembered. */
const MAX_SOURCES = 1_000;

/**
 * A mirror's bytes count as they come, those of peers when all of the file is verified: then they were
 * of use. Nothing is done for each piece, since a download knows its segments.
 */
export class Received {
  /** For the transactions of this host's pacman. */
  readonly packages = new ReceivedPackages();
  readonly #counters: Pick<LiveCounters, "count">;
  /** By name. */
  readonly #sources = new LRUCache<string, SourceRecord>({ max: MAX_SOURCES });
  readonly #begun = new WeakMap<Download, number>();
  /** Bytes that were counted already. */
  readonly #counted = new WeakMap<Download, Map<FileSource, number>>();

  constructor(counters: Pick<LiveCounters, "count">) {
    this.#counters = counters;
  }

  /** A download begins. */
  begun(download: Download): void {
    this.#begun.set(download, performance.now());
  }

  /** For how long (ms) a download has been under way. */
  age(download: Download): number {
    return performance.now() - (this.#begun.get(download) ?? performance.now());
  }

  /** Counts what mirrors gave since the last call, while a download is under way. */
  settle(download: Download): void {
    this.#count(download, "mirror", 0);
  }

  /** Counts a download that is over. */
  ended(download: Download): void {
    if (download.state === "failed") return this.settle(download);
    const bytes = bytesBySource(download);
    const [most] = [...bytes].toSorted(([, one], [, other]) => other - one)[0] ?? [];
    // A part that ends before the file does belongs to a file that is counted with its end.
    const isFile = download.last === null;
    for (const source of bytes.keys()) {
      this.#count(download, source, isFile && source === most ? 1 : 0);
    }
    this.#remember(download);
    const total = [...bytes.values()].reduce((sum, each) => sum + each, 0);
    const lan = total - (bytes.get("mirror") ?? 0);
    this.packages.add(download.name, { lan, total }, download.start > 0);
  }

  /** What the source of this name gave; null for nothing lately. */
  of(name: string): SourceRecord | null {
    return this.#sources.get(name) ?? null;
  }

  #count(download: Download, source: FileSource, files: number): void {
    const counted = this.#counted.get(download) ?? new Map<FileSource, number>();
    this.#counted.set(download, counted);
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

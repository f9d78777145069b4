/** Measures the rates of transfers between snapshots. */

import type { Snapshot } from "./snapshot.ts";
import { transferKey } from "./text.ts";

/** Compares successive snapshots of one server. */
export class TransferRates {
  #before = new Map<string, { readonly done: number; readonly time: number }>();
  #recent = new Map<string, number>();

  /** Bytes per second between the last two snapshots, by {@link transferKey}. */
  get recent(): ReadonlyMap<string, number> {
    return this.#recent;
  }

  /** Adds the next snapshot. */
  add({ time, transfers }: Pick<Snapshot, "time" | "transfers">): void {
    const now = Date.parse(time);
    const points = new Map(
      transfers.map((transfer) => [transferKey(transfer), { done: transfer.done, time: now }]),
    );
    this.#recent = new Map(
      [...points].flatMap(([key, { done }]) => {
        const before = this.#before.get(key);
        // A download that was restarted has fewer bytes than before.
        if (before === undefined || now <= before.time || done < before.done) return [];
        return [[key, Math.round((done - before.done) / (now - before.time) * 1000)]];
      }),
    );
    this.#before = points;
  }
}

/** The counters of a server in its main thread, which outlives the workers and writes the counters to disk. */

import type { Log } from "../log.ts";
import { CounterFile } from "./counter_file.ts";
import { Counters, type CountersState, emptyCounters } from "./counters.ts";
import type { Flows } from "./traffic.ts";

/** Milliseconds between two writes. A crash loses at most the counts of this time. */
const SAVE_PAUSE = 300_000;

/** Counters that survive the end of a worker and, with a directory, of the server. */
export class KeptCounters {
  readonly #counters: Counters;
  readonly #file: CounterFile | null;
  readonly #pause: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(counters: Counters, file: CounterFile | null, pause: number) {
    this.#counters = counters;
    this.#file = file;
    this.#pause = pause;
  }

  /**
   * Reads the stored counters.
   *
   * @param directory the directory of the file; null to store nothing on disk.
   * @param pause the least time between two writes, in milliseconds.
   */
  static async open(
    directory: string | null,
    log: Pick<Log, "warn">,
    pause: number = SAVE_PAUSE,
  ): Promise<KeptCounters> {
    const file = directory === null ? null : await CounterFile.open(directory, log);
    const state = await file?.load() ?? null;
    const kept = new KeptCounters(new Counters(state ?? emptyCounters()), file, pause);
    // Write the file now, because it contains the time when counting began.
    if (file !== null && state === null) await kept.#save();
    return kept;
  }

  /** True when the counters survive this process. */
  get isKept(): boolean {
    return this.#file !== null;
  }

  /** Returns the present state of the counters. */
  state(): CountersState {
    return this.#counters.state();
  }

  /** Adds the counts of a worker, and writes them to disk after the pause. */
  add(flows: Flows): void {
    this.#counters.add(flows);
    if (this.#file === null || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#save();
    }, this.#pause);
  }

  /** Writes the last counts to disk, and releases the file. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) void this.#save();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#saving;
    this.#file?.close();
  }

  #save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#file?.save(this.#counters.state()));
    return this.#saving;
  }
}

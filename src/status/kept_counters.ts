/** The counters of a server in its main thread, which outlives workers and writes them to disk. */

import type { Log } from "../log.ts";
import { CounterFile } from "./counter_file.ts";
import { Counters, type CountersState, emptyCounters } from "./counters.ts";
import type { Flows } from "./traffic.ts";

/** Milliseconds between two writes: a crash loses no more than was counted in that time. */
const SAVE_PAUSE = 300_000;

/** Counters that survive. */
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
   * Reads what was counted before.
   *
   * @param directory null: nothing survives this process.
   * @param pause milliseconds between two writes at the least.
   */
  static async open(
    directory: string | null,
    log: Pick<Log, "warn">,
    pause: number = SAVE_PAUSE,
  ): Promise<KeptCounters> {
    const file = directory === null ? null : await CounterFile.open(directory, log);
    const state = await file?.load() ?? null;
    const kept = new KeptCounters(new Counters(state ?? emptyCounters()), file, pause);
    // From now on the file says when counting began.
    if (file !== null && state === null) await kept.#save();
    return kept;
  }

  /** True where they survive this process. */
  get isKept(): boolean {
    return this.#file !== null;
  }

  /** What was counted. */
  state(): CountersState {
    return this.#counters.state();
  }

  /** Adds what a worker counted; it is written soon. */
  add(flows: Flows): void {
    this.#counters.add(flows);
    if (this.#file === null || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#save();
    }, this.#pause);
  }

  /** Writes what is not written yet, and gives the file up. */
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

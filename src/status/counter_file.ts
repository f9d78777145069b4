/** Stores the counters of a server on disk. An error of the file never prevents the start of the server. */

import { writeAll } from "../files.ts";
import { fileProblem, messageOf } from "../failure.ts";
import type { Log } from "../log.ts";
import { isoTime } from "../quickserve/pages/display.ts";
import { type CountersState, type HourFlows, HOURS } from "./counters.ts";
import { field, isCount } from "../json.ts";
import { noFlows, parseFlows } from "./traffic.ts";
import { join } from "../std.ts";

/** Name of the file. */
const NAME = "counters.json";

/** The version of the file's format. A file of another version is renamed. */
const VERSION = 1;

/** Bytes; a valid file is always smaller. */
const MAX_SIZE = 256 * 1024;

/** The file with the counters, locked for this process. */
export class CounterFile {
  readonly #path: string;
  readonly #log: Pick<Log, "warn">;
  /** Held until {@link close} or the end of the process: two servers must not overwrite each other's counters. */
  readonly #lock: Deno.FsFile;
  #hasWarned = false;

  private constructor(path: string, log: Pick<Log, "warn">, lock: Deno.FsFile) {
    this.#path = path;
    this.#log = log;
    this.#lock = lock;
  }

  /**
   * Locks the file in a directory, which is created if it is missing.
   *
   * @returns null, after a warning in the log, when the file cannot be used.
   */
  static async open(directory: string, log: Pick<Log, "warn">): Promise<CounterFile | null> {
    try {
      await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
      const path = join(directory, "lock");
      await refusePipe(path);
      const lock = await Deno.open(path, { write: true, create: true });
      if (await lock.tryLock(true)) return new CounterFile(join(directory, NAME), log, lock);
      lock.close();
      log.warn(
        `another pacserve uses the counters in ${directory}: this one does not store its counters`,
      );
    } catch (error) {
      log.warn(`the counters cannot be stored in ${directory}: ${fileProblem(error)}`);
    }
    return null;
  }

  /**
   * Returns the counters of earlier runs; null if there are none. An invalid file is renamed, with a
   * warning in the log.
   */
  async load(): Promise<CountersState | null> {
    let text: string;
    try {
      const { size, isFile } = await Deno.stat(this.#path);
      if (!isFile) throw new Error("it is no file");
      if (size > MAX_SIZE) throw new Error(`it has ${size} bytes`);
      text = await Deno.readTextFile(this.#path);
      const state = parseCounters(JSON.parse(text));
      if (state === null) throw new Error("its format is unknown");
      return state;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) await this.#setAside(error);
      return null;
    }
  }

  /** Writes the counters atomically. Errors are logged. */
  async save(state: CountersState): Promise<void> {
    const { sinceStart: _, ...kept } = state;
    const text = JSON.stringify({ version: VERSION, ...kept }) + "\n";
    const temporary = `${this.#path}.new`;
    try {
      // A crash may have left it. Whatever else has that name is not written to.
      await Deno.remove(temporary).catch(() => {});
      const file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
      try {
        await writeAll(file, new TextEncoder().encode(text));
        await file.sync();
      } finally {
        file.close();
      }
      await Deno.rename(temporary, this.#path);
      this.#hasWarned = false;
    } catch (error) {
      // Log a full disk once, not every five minutes.
      if (!this.#hasWarned) {
        this.#log.warn(`the counters cannot be written to ${this.#path}: ${fileProblem(error)}`);
      }
      this.#hasWarned = true;
    }
  }

  /** Releases the lock. */
  close(): void {
    this.#lock.close();
  }

  async #setAside(error: unknown): Promise<void> {
    const aside = `${this.#path}.broken`;
    const reason = error instanceof SyntaxError ? "it is not JSON" : messageOf(error);
    try {
      await Deno.rename(this.#path, aside);
      this.#log.warn(
        `the counters in ${this.#path} cannot be read (${reason}): they restart at zero, and the file ` +
          `is now ${aside}`,
      );
    } catch (failure) {
      this.#log.warn(
        `the counters in ${this.#path} cannot be read (${reason}), and they restart at zero: ` +
          fileProblem(failure),
      );
    }
  }
}

/** Parses the file's data; null when {@link CounterFile.save} cannot have written it. */
function parseCounters(data: unknown): CountersState | null {
  const installed = field(data, "installed");
  const day = field(data, "day");
  const hours = field(data, "hours");
  const total = parseFlows(field(data, "total"));
  const today = parseFlows(field(data, "today"));
  if (field(data, "version") !== VERSION || !isTime(installed)) return null;
  if (typeof day !== "string" || total === null || today === null) return null;
  if (!Array.isArray(hours) || hours.length > HOURS) return null;
  const parsed: HourFlows[] = [];
  for (const hour of hours) {
    const start = field(hour, "start");
    const flows = parseFlows(field(hour, "flows"));
    if (!isTime(start) || flows === null) return null;
    parsed.push({ start, flows });
  }
  return { installed, total, sinceStart: noFlows(), day, today, hours: parsed };
}

/** True for a time, in milliseconds since 1970, that has a date with a year of four digits. */
function isTime(value: unknown): value is number {
  return isCount(value) && isoTime(value) !== null;
}

/** Throws if the path is not that of a file: opening a pipe would wait for another program. */
async function refusePipe(path: string): Promise<void> {
  const info = await Deno.stat(path).catch(() => null);
  if (info?.isFile === false) throw new Error(`${path} is no file`);
}

/** Reads the settings of a running server anew when a file has changed, or when it is told to. */

import { messageOf } from "../../failure.ts";
import type { ServerConfiguration } from "../../server/configuration.ts";
import type { Log } from "../../server/log.ts";
import { WatchedFiles } from "../../server/watched_files.ts";
import type { ServeSettings } from "./settings.ts";
import { ConfigurationSources } from "./user_files.ts";

/** What a reloader needs from the server. */
export interface ReloaderParts {
  /** Reads the settings of the same command line, and notes in `sources` what it reads. */
  readonly read: (sources: ConfigurationSources) => Promise<ServeSettings>;
  /** Goes on with another configuration. */
  readonly configure: (configuration: ServerConfiguration) => Promise<void>;
  /** Tells the user what is doubtful about settings. */
  readonly warn: (settings: ServeSettings) => void;
  /** Tells the service manager: `RELOADING=1`. */
  readonly tell: (...lines: readonly string[]) => Promise<void>;
  readonly log: Log;
}

/** Keeps the last good settings in force when new ones are wrong. */
export class Reloader {
  readonly #parts: ReloaderParts;
  readonly #files: WatchedFiles;
  /** What the settings in force were read from. */
  #inForce = new ConfigurationSources();
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#files = new WatchedFiles(
      () => this.reload(),
      (directory, error) =>
        parts.log.warn(`changes in ${directory} cannot be noticed: ${messageOf(error)}`),
    );
  }

  /** Looks out for changes of what these settings were read from. */
  watch({ sources }: ServeSettings): void {
    this.#inForce = sources;
    this.#files.watch(sources.files, sources.directories);
  }

  /** Reads the settings, after what is being read already. */
  reload(): void {
    this.#turn = this.#turn.then(() => this.#reload());
  }

  /** Looks out no more. */
  close(): void {
    this.#files.close();
  }

  async #reload(): Promise<void> {
    const { read, configure, warn, tell, log } = this.#parts;
    const sources = new ConfigurationSources();
    await tell("RELOADING=1");
    try {
      const settings = await read(sources);
      warn(settings);
      await configure(settings.configuration);
      this.watch(settings);
      log.info("the configuration was read again");
    } catch (error) {
      // Whatever it is, those who are being served are not to suffer from an edit.
      log.warn(`${messageOf(error)}; the last good configuration stays in force`);
      // The mistake may be in a file that is named for the first time, and is mended there.
      this.#files.watch(
        [...this.#inForce.files, ...sources.files],
        [...this.#inForce.directories, ...sources.directories],
      );
    }
    await tell("READY=1");
  }
}

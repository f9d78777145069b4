/** Reads the settings of a running server again when a file has changed, or on request. */

import { messageOf } from "../../failure.ts";
import type { Log } from "../../log.ts";
import type { Supervisor } from "../../server/supervisor.ts";
import { WatchedFiles } from "../../server/watched_files.ts";
import type { ParsedOptions } from "../parse.ts";
import type { Program } from "./options.ts";
import type { ServiceManager } from "./service_manager.ts";
import { readSettings, type ServeSettings } from "./settings.ts";
import { ConfigurationSources } from "./user_files.ts";

/** The objects and settings that {@link Reloader} uses. */
interface ReloaderParts {
  readonly program: Program;
  /** The options of the command line, which never change. */
  readonly options: ParsedOptions;
  readonly supervisor: Pick<Supervisor, "configure">;
  readonly manager: ServiceManager;
  readonly log: Log;
}

/** Reloads settings. If the new ones are wrong, the last valid ones stay in force. */
export class Reloader {
  readonly #parts: ReloaderParts;
  readonly #files: WatchedFiles;
  /** The sources from which the settings in force were read. */
  #inForce = new ConfigurationSources();
  /** The warnings that were logged already. */
  readonly #warned = new Set<string>();
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#files = new WatchedFiles(() => this.reload(), parts.log);
  }

  /**
   * Logs the warnings about settings, each only once, because settings that are read again mostly cause
   * the same ones.
   */
  warn({ sources }: ServeSettings): void {
    for (const warning of sources.warnings) {
      if (!this.#warned.has(warning)) this.#parts.log.warn(warning);
      this.#warned.add(warning);
    }
  }

  /** Starts to watch the sources of these settings for changes. */
  watch({ sources }: ServeSettings): void {
    this.#inForce = sources;
    this.#files.watch(sources.files, sources.directories, sources.since);
  }

  /** Reads the settings again. If they are being read already, it does so after that. */
  reload(): void {
    this.#turn = this.#turn.then(() => this.#reload());
  }

  /** Stops watching. */
  close(): void {
    this.#files.close();
  }

  async #reload(): Promise<void> {
    const { program, options, supervisor, manager, log } = this.#parts;
    const sources = new ConfigurationSources();
    await manager.tell("RELOADING=1");
    try {
      const settings = await readSettings(program, options, sources);
      this.warn(settings);
      await supervisor.configure(settings.configuration);
      this.watch(settings);
      log.info("the configuration was read again");
    } catch (error) {
      // Whatever the mistake in a file, the server must keep serving its clients.
      log.warn(`${messageOf(error)}; the last valid configuration stays in force`);
      // Also watch the files that failed: the mistake may be in a new one, and be corrected there.
      this.#files.watch(
        [...this.#inForce.files, ...sources.files],
        [...this.#inForce.directories, ...sources.directories],
        sources.since,
      );
    }
    await manager.tell("READY=1");
  }
}

/** Reads the settings of a running server again when a file has changed, or when it is told to. */

import { messageOf } from "../../failure.ts";
import type { Log } from "../../log.ts";
import type { Supervisor } from "../../server/supervisor.ts";
import { WatchedFiles } from "../../server/watched_files.ts";
import type { ParsedOptions } from "../parse.ts";
import type { Program } from "./options.ts";
import type { ServiceManager } from "./service_manager.ts";
import { readSettings, type ServeSettings } from "./settings.ts";
import { ConfigurationSources } from "./user_files.ts";

/** Keeps the last good settings in force when new ones are wrong. */
export class Reloader {
  readonly #program: Program;
  readonly #options: ParsedOptions;
  readonly #supervisor: Pick<Supervisor, "configure">;
  readonly #manager: ServiceManager;
  readonly #log: Log;
  readonly #files: WatchedFiles;
  /** What the settings in force were read from. */
  #inForce = new ConfigurationSources();
  /** Warnings that were written. */
  readonly #warned = new Set<string>();
  #turn: Promise<void> = Promise.resolve();

  /** @param options the command line, which stays the same. */
  constructor(
    program: Program,
    options: ParsedOptions,
    supervisor: Pick<Supervisor, "configure">,
    manager: ServiceManager,
    log: Log,
  ) {
    this.#program = program;
    this.#options = options;
    this.#supervisor = supervisor;
    this.#manager = manager;
    this.#log = log;
    this.#files = new WatchedFiles(() => this.reload(), log);
  }

  /** Writes the warnings about settings, each once: settings that are read again mostly say the same. */
  warn({ sources }: ServeSettings): void {
    for (const warning of sources.warnings) {
      if (!this.#warned.has(warning)) this.#log.warn(warning);
      this.#warned.add(warning);
    }
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
    const sources = new ConfigurationSources();
    await this.#manager.tell("RELOADING=1");
    try {
      const settings = await readSettings(this.#program, this.#options, sources);
      this.warn(settings);
      await this.#supervisor.configure(settings.configuration);
      this.watch(settings);
      this.#log.info("the configuration was read again");
    } catch (error) {
      // Whatever is wrong with an edit, the server goes on for the clients that it has.
      this.#log.warn(`${messageOf(error)}; the last good configuration stays in force`);
      // The mistake may be in a file that is named for the first time, and be corrected there.
      this.#files.watch(
        [...this.#inForce.files, ...sources.files],
        [...this.#inForce.directories, ...sources.directories],
      );
    }
    await this.#manager.tell("READY=1");
  }
}

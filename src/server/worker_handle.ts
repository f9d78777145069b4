/** The main thread's handle of a network worker, from its start to its end. */

import { Failure } from "../failure.ts";
import type { ReadDatabase } from "../pacserve/expected_files.ts";
import type { Flows } from "../status/traffic.ts";
import type { ServerConfiguration } from "./configuration.ts";
import type { Scope } from "./confinement.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import type { ServerState, StatusState } from "./state.ts";

/** Milliseconds that a stopping worker may take longer than its grace before it is terminated. */
const MARGIN = 250;

/** The file of the worker's code, next to this file: TypeScript, or in a package its bundle. */
export const WORKER_FILE = new URL(
  import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js",
  import.meta.url,
);

/** A confined worker. */
export class WorkerHandle {
  /** Resolves when the worker's code is loaded. */
  readonly loaded: Promise<void>;
  /** Resolves when the worker, after it was told to stop, has released the port. */
  readonly released: Promise<void>;
  /** Resolves with the reason when the worker ends because of an error. */
  readonly died: Promise<string>;
  readonly #worker: Worker;
  readonly #started = performance.now();
  readonly #listening = Promise.withResolvers<number>();
  readonly #stopped = Promise.withResolvers<void>();
  #configured = Promise.withResolvers<void>();

  /**
   * Starts the worker.
   *
   * @param file of the worker's code; a test may pass its own.
   */
  constructor(scope: Scope, heard: (message: FromWorker) => void, file: URL = WORKER_FILE) {
    const loaded = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const died = Promise.withResolvers<string>();
    this.loaded = loaded.promise;
    this.released = released.promise;
    this.died = died.promise;
    const ended = (reason: string): void => {
      const failure = new Failure(`the worker failed: ${reason}`);
      loaded.reject(failure);
      this.#listening.reject(failure);
      released.resolve();
      this.#stopped.resolve();
      died.resolve(reason);
    };
    this.#worker = new Worker(file, { type: "module", deno: { permissions: scope } });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "loaded") loaded.resolve();
      if (data.type === "listening") this.#listening.resolve(data.port);
      if (data.type === "configured") this.#configured.resolve();
      if (data.type === "failed") this.#listening.reject(new Failure(data.message));
      if (data.type === "released") released.resolve();
      if (data.type === "stopped") this.#stopped.resolve();
      if (data.type === "died") ended(data.reason);
      heard(data);
    };
    // An error that the worker could not report itself, for example while it was being loaded.
    this.#worker.onerror = (event) => {
      // Without this the error would end the whole process.
      event.preventDefault();
      ended(event.message);
    };
    // Not all callers await these promises; those that do not learn of the failure through `died`.
    loaded.promise.catch(() => {});
    this.#listening.promise.catch(() => {});
  }

  /** Milliseconds since the worker was started. */
  get age(): number {
    return performance.now() - this.#started;
  }

  /**
   * Tells the worker to use another configuration, and waits until it does or has died. Do not call it
   * again before that.
   */
  async configure(configuration: ServerConfiguration): Promise<void> {
    this.#configured = Promise.withResolvers();
    this.#send({ type: "configure", configuration });
    await Promise.race([this.#configured.promise, this.died, this.#stopped.promise]);
  }

  /**
   * Tells the worker to serve.
   *
   * @returns the port that it listens on.
   * @throws {Failure} when it cannot listen.
   */
  serve(
    configuration: ServerConfiguration,
    state: ServerState,
    status: StatusState,
  ): Promise<number> {
    this.#send({ type: "serve", configuration, state, status });
    return this.#listening.promise;
  }

  /** Tells the worker what another one counted. */
  counted(flows: Flows): void {
    this.#send({ type: "counted", flows });
  }

  /** Gives the worker the databases that it asked for. The tables are its own from then on. */
  giveDatabases(databases: readonly ReadDatabase[]): void {
    const message: ToWorker = { type: "databases", databases };
    this.#worker.postMessage(message, databases.flatMap(({ table }) => table ?? []));
  }

  /** Tells the worker to stop, and waits for its end, for slightly longer than the grace at most. */
  async stop(graceMilliseconds: number): Promise<void> {
    this.#send({ type: "stop", graceMilliseconds });
    const deadline = Promise.withResolvers<void>();
    const timer = Number.isFinite(graceMilliseconds)
      ? setTimeout(deadline.resolve, graceMilliseconds + MARGIN)
      : undefined;
    await Promise.race([this.#stopped.promise, deadline.promise]);
    clearTimeout(timer);
    this.terminate();
  }

  /** Terminates the worker at once. */
  terminate(): void {
    this.#worker.terminate();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

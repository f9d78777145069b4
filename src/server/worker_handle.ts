/** One worker, from its start to its end, as the main thread holds it. */

import { Failure } from "../failure.ts";
import type { ReadDatabase } from "../pacserve/expected_files.ts";
import type { ServerConfiguration } from "./configuration.ts";
import type { Scope } from "./confinement.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import type { ServerState } from "./state.ts";

/** Milliseconds over the grace that a stopping worker may take before it is ended. */
const MARGIN = 250;

/** The worker's code, beside this file: TypeScript, or the bundle that was made of it. */
export const WORKER_FILE = new URL(
  import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js",
  import.meta.url,
);

/** A confined worker. */
export class WorkerHandle {
  /** Resolves when the worker's code is loaded. */
  readonly loaded: Promise<void>;
  /** Resolves when the worker, told to stop, has given up the port. */
  readonly released: Promise<void>;
  /** Resolves with the reason when the worker ends by an error of its own. */
  readonly died: Promise<string>;
  readonly #worker: Worker;
  readonly #started = performance.now();
  readonly #listening = Promise.withResolvers<number>();
  readonly #stopped = Promise.withResolvers<void>();
  #configured = Promise.withResolvers<void>();

  /**
   * Starts it.
   *
   * @param file its code: that of a server, or of a test.
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
    this.#worker = new Worker(file, {
      type: "module",
      deno: {
        permissions: {
          ...scope,
          read: [...scope.read],
          write: [...scope.write],
          sys: [...scope.sys],
        },
      },
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "loaded") loaded.resolve();
      if (data.type === "listening") {
        this.#listening.resolve(data.port);
      }
      if (data.type === "configured") this.#configured.resolve();
      if (data.type === "failed") this.#listening.reject(new Failure(data.message));
      if (data.type === "released") released.resolve();
      if (data.type === "stopped") this.#stopped.resolve();
      if (data.type === "died") ended(data.reason);
      heard(data);
    };
    // An error that the worker could not tell, as while it was loaded.
    this.#worker.onerror = (event) => {
      // Without this it would end the whole process.
      event.preventDefault();
      ended(event.message);
    };
    // Each of these is awaited where it matters; elsewhere its failure is known through `died`.
    loaded.promise.catch(() => {});
    this.#listening.promise.catch(() => {});
  }

  /** Milliseconds since the start. */
  get age(): number {
    return performance.now() - this.#started;
  }

  /**
   * Tells the worker to go on with another configuration and waits until it does, or has died. One
   * at a time.
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
  serve(configuration: ServerConfiguration, state: ServerState): Promise<number> {
    this.#send({ type: "serve", configuration, state });
    return this.#listening.promise;
  }

  /** Gives the worker the databases that it asked for. The tables are its own from then on. */
  giveDatabases(databases: readonly ReadDatabase[]): void {
    const message: ToWorker = { type: "databases", databases };
    this.#worker.postMessage(message, databases.flatMap(({ table }) => table ?? []));
  }

  /** Tells the worker to stop and waits for its end, at most a little longer than the grace. */
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

  /** Ends the worker at once. */
  terminate(): void {
    this.#worker.terminate();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

/**
 * Runs the confined network worker: starts it, passes it new configurations, replaces it when it needs
 * other permissions or has died, and stops it.
 */

import { Backoff } from "../backoff.ts";
import { Failure, messageOf } from "../failure.ts";
import type { Log } from "../log.ts";
import { KeptCounters } from "../status/kept_counters.ts";
import type { Flows } from "../status/traffic.ts";
import type { ServerConfiguration } from "./configuration.ts";
import { sameScope, workerScope } from "./confinement.ts";
import { DatabaseReader } from "./database_reader.ts";
import type { FromWorker } from "./messages.ts";
import { leaveReceived, takeReceived } from "./received_file.ts";
import { emptyState, type ServerState } from "./state.ts";
import { WORKER_FILE, WorkerHandle } from "./worker_handle.ts";

/** Options for starting and replacing workers. */
export interface SupervisorOptions {
  /** The file of the worker's code. */
  readonly workerFile: URL;
  /** The first pause before a dead worker is replaced, in milliseconds; each next pause is twice as long. */
  readonly firstBackoff: number;
  /** When the pause would be longer than this, in milliseconds, the supervisor gives up. */
  readonly maxBackoff: number;
  /** After a worker has served for this time, in milliseconds, the next pause is the first one again. */
  readonly provenAfter: number;
  /** The least time between two writes of the counters, in milliseconds. */
  readonly savePause?: number;
}

const DEFAULTS: SupervisorOptions = {
  workerFile: WORKER_FILE,
  firstBackoff: 100,
  maxBackoff: 30_000,
  provenAfter: 60_000,
};

/** Runs a server from the main thread. */
export class Supervisor {
  #configuration: ServerConfiguration;
  readonly #log: Pick<Log, "warn">;
  readonly #gaveUp = Promise.withResolvers<never>();
  readonly #options: SupervisorOptions;
  readonly #started = performance.now();
  /** Null before the start. */
  #counters: KeptCounters | null = null;
  /** Workers that were told to serve. Each counts, and gets the counts of the others. */
  readonly #counting = new Set<WorkerHandle>();
  #worker: WorkerHandle | null = null;
  #state: ServerState = emptyState();
  readonly #backoff: Backoff;
  #restart: ReturnType<typeof setTimeout> | undefined;
  #stopping = false;
  /** Resolves when the last change of the configuration is done: changes are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Workers that were replaced and still finish their replies. */
  readonly #retiring = new Set<WorkerHandle>();
  /** The current readings of sync databases. */
  readonly #readers = new Set<DatabaseReader>();

  constructor(
    configuration: ServerConfiguration,
    log: Pick<Log, "warn">,
    options: Partial<SupervisorOptions> = {},
  ) {
    this.#configuration = configuration;
    this.#log = log;
    // If nobody awaits `gaveUp`, its rejection must not end the process.
    this.#gaveUp.promise.catch(() => {});
    this.#options = { ...DEFAULTS, ...options };
    this.#backoff = new Backoff({ first: this.#options.firstBackoff, max: Infinity });
  }

  /** The TCP port, known once {@link start} has resolved. */
  get port(): number {
    return this.#configuration.listen.port;
  }

  /** Never resolves; rejects with a {@link Failure} for the user when the supervisor gives up. */
  get gaveUp(): Promise<never> {
    return this.#gaveUp.promise;
  }

  /**
   * Starts the worker and waits until it accepts connections.
   *
   * @throws {Failure} when it cannot listen.
   */
  async start(): Promise<void> {
    const { status } = this.#configuration;
    const { savePause } = this.#options;
    this.#counters = await KeptCounters.open(status?.stateDirectory ?? null, this.#log, savePause);
    const directory = this.#keptDirectory;
    if (directory !== null) {
      this.#state = { ...this.#state, received: await takeReceived(directory) };
    }
    try {
      await this.#inTurn(() => this.#serve(this.#configuration));
    } catch (error) {
      await this.#counters.close();
      throw error;
    }
  }

  /**
   * Uses another configuration. If it needs other permissions, a second worker is loaded before the
   * first one releases the port; the first one then finishes its transfers in flight.
   *
   * @throws {Failure} when the new worker cannot listen.
   */
  configure(configuration: ServerConfiguration): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#stopping) return;
      const before = this.#configuration;
      const listen = { ...configuration.listen, port: this.port };
      const next = { ...configuration, listen };
      if (this.#worker === null) {
        // The worker has died. Its replacement will use this configuration.
        this.#configuration = next;
      } else if (sameScope(workerScope(before), workerScope(next))) {
        this.#configuration = next;
        await this.#worker.configure(next);
      } else {
        await this.#serveOr(next, before);
      }
    });
  }

  /**
   * Stops the worker. It accepts no more connections, and replies in flight have `graceMilliseconds` to
   * finish.
   */
  async stop(graceMilliseconds: number): Promise<void> {
    this.#stopping = true;
    for (const reader of this.#readers) reader.close();
    await this.#turn.catch(() => {});
    clearTimeout(this.#restart);
    const workers = [...this.#retiring, ...(this.#worker === null ? [] : [this.#worker])];
    this.#worker = null;
    await Promise.all(workers.map((worker) => worker.stop(graceMilliseconds)));
    const directory = this.#keptDirectory;
    if (directory !== null) await leaveReceived(directory, this.#state.received);
    await this.#counters?.close();
  }

  /** The directory for the state that survives the server; null to store none. */
  get #keptDirectory(): string | null {
    const directory = this.#configuration.status?.stateDirectory ?? null;
    return this.#counters?.isKept === true ? directory : null;
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task, task);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Serves a configuration. If that fails, serves the previous one again and throws. */
  async #serveOr(next: ServerConfiguration, before: ServerConfiguration): Promise<void> {
    try {
      await this.#serve(next);
    } catch (error) {
      if (this.#worker === null) {
        await this.#serve(before).catch((another) => this.#replaceLater(troubleOf(another)));
      }
      throw error;
    }
  }

  /** Loads a worker, makes the previous one release the port, and makes the new one listen. */
  async #serve(configuration: ServerConfiguration): Promise<void> {
    const worker: WorkerHandle = new WorkerHandle(
      workerScope(configuration),
      (message) => this.#heard(worker, message),
      this.#options.workerFile,
    );
    try {
      const before = this.#worker;
      if (before !== null) {
        // The other worker keeps the port until this one can take it over.
        await worker.loaded;
        this.#worker = null;
        await this.#retire(before);
      }
      const counters = this.#keptCounters;
      const uptime = performance.now() - this.#started;
      this.#counting.add(worker);
      const port = await worker.serve(configuration, this.#state, {
        counters: counters.state(),
        isKept: counters.isKept,
        uptime,
      });
      this.#configuration = { ...configuration, listen: { ...configuration.listen, port } };
    } catch (error) {
      this.#end(worker);
      throw error;
    }
    this.#worker = worker;
    worker.died.then((reason) => this.#lost(worker, reason));
  }

  async #retire(worker: WorkerHandle): Promise<void> {
    this.#retiring.add(worker);
    const stopped = worker.stop(Number.POSITIVE_INFINITY);
    stopped.finally(() => {
      this.#retiring.delete(worker);
      this.#counting.delete(worker);
    });
    await worker.released;
  }

  #heard(worker: WorkerHandle, message: FromWorker): void {
    if (message.type === "state") this.#state = message.state;
    if (message.type === "counted") this.#counted(worker, message.flows);
    if (message.type === "read databases") void this.#readDatabases(worker, message.known);
  }

  #counted(worker: WorkerHandle, flows: Flows): void {
    this.#counters?.add(flows);
    for (const other of this.#counting) if (other !== worker) other.counted(flows);
  }

  get #keptCounters(): KeptCounters {
    if (this.#counters === null) throw new Error("a worker was started before the server");
    return this.#counters;
  }

  #end(worker: WorkerHandle): void {
    this.#counting.delete(worker);
    worker.terminate();
  }

  /** Reads the sync databases that changed, in another worker. This thread does not read the tables. */
  async #readDatabases(worker: WorkerHandle, known: ReadonlyMap<string, string>): Promise<void> {
    const { pacserve } = this.#configuration;
    if (pacserve === null || this.#stopping) return worker.giveDatabases([]);
    const reader = new DatabaseReader(pacserve.pacman, this.#log);
    this.#readers.add(reader);
    worker.giveDatabases(await reader.readChanged(known));
    this.#readers.delete(reader);
  }

  /** Handles a worker that ended unasked: starts another one after a backoff. */
  #lost(worker: WorkerHandle, reason: string): void {
    if (this.#stopping || worker !== this.#worker) return;
    this.#worker = null;
    this.#end(worker);
    if (worker.age > this.#options.provenAfter) this.#backoff.reset();
    this.#replaceLater(`the worker died (${reason})`);
  }

  /** Starts another worker after a backoff; gives up when the pause would be too long. */
  #replaceLater(trouble: string): void {
    const pause = this.#backoff.next();
    if (pause > this.#options.maxBackoff) {
      this.#gaveUp.reject(new Failure(`${trouble}, again after several restarts; giving up`));
      return;
    }
    this.#log.warn(`${trouble}; another worker starts in ${pause} milliseconds`);
    this.#restart = setTimeout(() => void this.#inTurn(() => this.#replace()), pause);
  }

  async #replace(): Promise<void> {
    if (this.#stopping || this.#worker !== null) return;
    try {
      await this.#serve(this.#configuration);
    } catch (error) {
      // The kernel may not have released the port of the dead worker yet: try again.
      this.#replaceLater(troubleOf(error));
    }
  }
}

function troubleOf(error: unknown): string {
  return `no worker can serve: ${messageOf(error)}`;
}

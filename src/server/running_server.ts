/** A server in its worker: the listener, the peers, and the column that requests go through. */

import { Digest } from "../auth/digest.ts";
import { type HttpRequest, isFileSlice, type Reply } from "../http/exchange.ts";
import { type FinishedExchange, listen, type Listener } from "../http/listener.ts";
import { messageOf } from "../failure.ts";
import { PACKAGES } from "../pacserve/address.ts";
import type { ExpectedFiles } from "../pacserve/expected_files.ts";
import { createPacserveMemory, type PacserveMemory } from "../pacserve/choose.ts";
import { Peers } from "../peers/peers.ts";
import { sweepUploads } from "../quickserve/uploads/temporary.ts";
import { accessLogLine } from "./access_log.ts";
import { Column } from "./column.ts";
import type { ServerConfiguration } from "./configuration.ts";
import { createLog, type Log } from "./log.ts";
import { Network } from "./network.ts";
import type { ServerState } from "./state.ts";

/** Milliseconds between two reports of what a worker that takes over has to know. */
const REPORT_PAUSE = 1000;

/** Serves one configuration after the other on one port. */
export class RunningServer {
  #configuration: ServerConfiguration;
  readonly #report: (state: ServerState) => void;
  readonly #log: Log;
  readonly #network: Network;
  readonly #peers: Peers;
  readonly #memory: PacserveMemory;
  readonly #digest: Digest;
  readonly #expected: ExpectedFiles;
  #column: Column | null = null;
  #listener: Listener | null = null;
  #reporting: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param state of the worker before this one.
   * @param report is given what a worker after this one has to know, soon after it changed.
   * @param expected what sync databases say of packages.
   */
  constructor(
    configuration: ServerConfiguration,
    state: ServerState,
    report: (state: ServerState) => void,
    expected: ExpectedFiles,
  ) {
    this.#expected = expected;
    this.#configuration = configuration;
    this.#report = report;
    this.#log = createLog(configuration.log);
    this.#network = new Network();
    this.#memory = createPacserveMemory(
      (level, sentence) => this.#log.at(level, sentence),
      () => performance.now(),
      state.repeats,
    );
    this.#digest = new Digest(configuration.auth, state.digest ?? undefined);
    this.#peers = new Peers(configuration.peers, {
      scheme: configuration.listen.tls === null ? "http" : "https",
      indexed: packageDirectories(configuration),
      network: this.#network,
      log: this.#log,
    });
    this.#peers.registry.on("changed", () => this.#reportSoon());
    if (state.peers !== null) this.#peers.importState(state.peers);
  }

  /**
   * Listens.
   *
   * @returns the TCP port.
   * @throws {Failure} when it cannot.
   */
  async start(): Promise<number> {
    this.#column = await this.#assemble();
    this.#peers.serve(this.#column);
    this.#listener = await listen(
      this.#configuration.listen,
      (request) => this.#answer(request),
      {
        finished: (exchange) => this.#finished(exchange),
        failed: (error, request) => {
          this.#log.error(`${request.method} ${request.target}: ${messageOf(error)}`);
        },
        // Nobody catches it, so the worker ends with it and another one takes its place.
        stalled: () => {
          throw new Error("it accepted no connections any more");
        },
        malformed: (address, reason) => this.#log.detail(`${address} sent no HTTP: ${reason}`),
        handshakeFailed: (address, reason) => {
          this.#log.detail(`the TLS handshake with ${address} failed: ${reason}`);
        },
      },
    );
    this.#peers.start(this.#listener.port);
    void this.#sweep();
    return this.#listener.port;
  }

  /** Removes what killed servers left in the upload directory. */
  async #sweep(): Promise<void> {
    const { uploads } = this.#configuration;
    if (uploads === null) return;
    try {
      const count = await sweepUploads(uploads.directory);
      const files = `${count} unfinished ${count === 1 ? "upload" : "uploads"}`;
      if (count > 0) this.#log.detail(`removed ${files} of a server that died`);
    } catch (error) {
      this.#log.warn(`unfinished uploads could not be removed: ${messageOf(error)}`);
    }
  }

  /** Goes on with another configuration, which differs neither in port nor in scope. */
  async configure(configuration: ServerConfiguration): Promise<void> {
    const before = this.#configuration;
    this.#configuration = configuration;
    this.#digest.replaceUsers(configuration.auth.users);
    const column = await this.#assemble();
    this.#column?.close();
    this.#column = column;
    this.#peers.serve(column);
    const { tls } = configuration.listen;
    if (tls !== null && JSON.stringify(before.listen.tls) !== JSON.stringify(tls)) {
      try {
        this.#listener?.replaceTls(tls);
      } catch (error) {
        this.#log.warn(messageOf(error));
      }
    }
  }

  /**
   * Gives up the port, calls `released`, and lets what is in flight finish.
   *
   * @param grace milliseconds that it has; infinity for as long as it takes.
   */
  async stop(grace: number, released: () => void): Promise<void> {
    const told = this.#peers.stop();
    clearTimeout(this.#reporting);
    this.#report(this.#state(true));
    const closed = this.#listener?.close(grace);
    released();
    await Promise.all([closed, told]);
  }

  #assemble(): Promise<Column> {
    return Column.assemble(this.#configuration, {
      digest: this.#digest,
      peers: this.#peers,
      network: this.#network,
      memory: this.#memory,
      expected: this.#expected,
      log: this.#log,
    });
  }

  #answer(request: HttpRequest): Reply | Promise<Reply> {
    if (this.#column === null) throw new Error("a request came before the column was assembled");
    const reply = this.#column.handler(request);
    return reply instanceof Promise
      ? reply.then((later) => this.#begun(later))
      : this.#begun(reply);
  }

  /** What a peer is told of our load is the number of files on their way, not of questions. */
  #begun(reply: Reply): Reply {
    if (isFileSlice(reply.body)) this.#peers.transfers++;
    return reply;
  }

  #finished(exchange: FinishedExchange): void {
    if (isFileSlice(exchange.reply.body)) this.#peers.transfers--;
    if (this.#configuration.log.level !== "quiet") this.#log.request(accessLogLine(exchange));
    // A login has used a nonce up, and a redirect may be one that has to be remembered.
    if (exchange.reply.user !== undefined || exchange.reply.status === 307) this.#reportSoon();
  }

  #reportSoon(): void {
    this.#reporting ??= setTimeout(() => {
      this.#reporting = undefined;
      this.#report(this.#state(false));
    }, REPORT_PAUSE);
  }

  /** @param final true when no more requests will be answered. */
  #state(final: boolean): ServerState {
    return {
      peers: this.#peers.exportState(),
      digest: this.#digest.exportState(final),
      repeats: this.#memory.repeats.export(),
    };
  }
}

/** The directories that pacserve's index is made from; quickserve publishes none. */
function packageDirectories({ pacserve, tree }: ServerConfiguration): string[] | null {
  if (pacserve === null) return null;
  return tree.shares.filter(({ path }) => path === PACKAGES).flatMap(({ sources }) => sources);
}

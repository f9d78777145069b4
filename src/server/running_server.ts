/** A server in its worker: the listener, the peers, and the handlers of requests. */

import { Digest } from "../auth/digest.ts";
import { type HttpRequest, isFileSlice, type Reply } from "../http/exchange.ts";
import { type FinishedExchange, listen, type Listener } from "../http/listener.ts";
import { Network } from "../http/network.ts";
import { messageOf } from "../failure.ts";
import { PACKAGES } from "../pacserve/address.ts";
import type { ExpectedFiles } from "../pacserve/expected_files.ts";
import { Counters, emptyCounters } from "../status/counters.ts";
import { LiveCounters } from "../status/live_counters.ts";
import { isStatusRequest } from "../status/replies.ts";
import type { Snapshot } from "../status/snapshot.ts";
import { createPacserveMemory, type PacserveMemory } from "../pacserve/pacserve.ts";
import { InFlightReader } from "../pacserve/relay/in_flight_reader.ts";
import { RelayedBody } from "../pacserve/relay/relayed_body.ts";
import { RELAY_TIMES } from "../pacserve/relay/times.ts";
import { Peers } from "../peers/peers.ts";
import { sweepUploads } from "../quickserve/uploads/temporary.ts";
import { accessLogLine } from "./access_log.ts";
import type { ServerConfiguration } from "./configuration.ts";
import { Handlers } from "./handlers.ts";
import { createLog, type ServerLog } from "./log.ts";
import type { ServerState, StatusState } from "./state.ts";
import { snapshotOf } from "./status.ts";

/** Milliseconds between two reports of the state for the next worker. */
const REPORT_PAUSE = 1000;

/** A server on one port. Its configuration can be replaced. */
export class RunningServer {
  #configuration: ServerConfiguration;
  readonly #report: (state: ServerState) => void;
  readonly #log: ServerLog;
  readonly #network: Network;
  readonly #peers: Peers;
  readonly #memory: PacserveMemory;
  readonly #digest: Digest;
  readonly #expected: ExpectedFiles;
  readonly #counters: LiveCounters;
  readonly #isKept: boolean;
  /** On the clock of `performance.now()`. */
  readonly #started: number;
  #handlers: Handlers | null = null;
  #listener: Listener | null = null;
  #reporting: ReturnType<typeof setTimeout> | undefined;
  #isStopping = false;

  /**
   * @param state of the worker before this one.
   * @param report gets the state that the next worker needs, soon after a change.
   * @param expected sizes and hashes of packages, from the sync databases.
   * @param status the counters, and the time of the start; by default both begin with this server.
   */
  constructor(
    configuration: ServerConfiguration,
    state: ServerState,
    report: (state: ServerState) => void,
    expected: ExpectedFiles,
    status: Omit<StatusState, "counters"> & { readonly counters: LiveCounters } = {
      counters: new LiveCounters(new Counters(emptyCounters())),
      isKept: false,
      uptime: 0,
    },
  ) {
    this.#expected = expected;
    this.#counters = status.counters;
    this.#isKept = status.isKept;
    this.#started = performance.now() - status.uptime;
    this.#counters.on("look", () => this.#lookAtTransfers());
    this.#configuration = configuration;
    this.#report = report;
    this.#log = createLog(configuration.log);
    this.#network = new Network();
    const { pacserve } = configuration;
    this.#memory = createPacserveMemory({
      log: this.#log,
      spool: pacserve?.spool ?? null,
      proxies: pacserve?.proxies ?? null,
      sources: state.sources,
      counters: this.#counters,
      times: { ...RELAY_TIMES, peerAnswer: Math.max(500, configuration.peers.searchTimeout) },
    });
    this.#memory.received.packages.import(state.received);
    this.#digest = new Digest(configuration.auth, state.digest ?? undefined);
    this.#peers = new Peers(configuration.peers, {
      scheme: configuration.listen.tls === null ? "http" : "https",
      indexed: packageDirectories(configuration),
      network: this.#network,
      log: this.#log,
    });
    for (const source of [this.#memory.sources, this.#digest, this.#peers.registry]) {
      source.on("changed", () => this.#reportSoon());
    }
    if (state.peers !== null) this.#peers.importState(state.peers);
  }

  /**
   * Starts to listen.
   *
   * @returns the TCP port.
   * @throws {Failure} when it cannot listen.
   */
  async start(): Promise<number> {
    await this.#renewHandlers();
    this.#listener = await listen(
      this.#configuration.listen,
      (request) => this.#answer(request),
      {
        finished: (exchange) => this.#finished(exchange),
        failed: (error, request) => {
          this.#log.error(`${request.method} ${request.target}: ${messageOf(error)}`);
        },
        // This error is not caught: it ends the worker, and the supervisor starts another one.
        stalled: () => {
          throw new Error("it no longer accepted connections");
        },
        malformed: (address, reason) =>
          this.#log.debug(`${address} sent something that is not HTTP: ${reason}`),
        plainHttp: (address) => {
          this.#log.info(
            `${address} sent plain HTTP and got a 400: its address begins with http:// instead of https://`,
          );
        },
        handshakeFailed: (address, reason) => {
          this.#log.debug(`the TLS handshake with ${address} failed: ${reason}`);
        },
      },
    );
    this.#peers.start(this.#listener.port);
    void this.#sweep();
    return this.#listener.port;
  }

  /** Removes unfinished uploads that killed servers left in the upload directory. */
  async #sweep(): Promise<void> {
    const { uploads } = this.#configuration;
    if (uploads === null) return;
    try {
      const count = await sweepUploads(uploads.directory);
      const files = `${count} unfinished ${count === 1 ? "upload" : "uploads"}`;
      if (count > 0) this.#log.debug(`removed ${files} of a server that died`);
    } catch (error) {
      this.#log.warn(`unfinished uploads could not be removed: ${messageOf(error)}`);
    }
  }

  /** Uses another configuration. It must have the same port and need the same permissions. */
  async configure(configuration: ServerConfiguration): Promise<void> {
    const before = this.#configuration;
    this.#configuration = configuration;
    this.#digest.replaceUsers(configuration.auth.users);
    await this.#renewHandlers();
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
   * Releases the port, calls `released`, and waits for the replies in flight.
   *
   * @param grace how long they may take, in milliseconds; Infinity for no limit.
   */
  async stop(grace: number, released: () => void): Promise<void> {
    this.#isStopping = true;
    const told = this.#peers.stop();
    clearTimeout(this.#reporting);
    this.#report(this.#state(true));
    const closed = this.#listener?.close(grace);
    released();
    this.#counters.tell();
    // Relays under way finish. Files that are only kept for other machines are deleted.
    await Promise.all([closed, told]);
    this.#memory.relay.close();
    this.#memory.peerClient.close();
    this.#memory.mirrorClient.close();
    this.#counters.close();
  }

  /** Returns the present status. */
  snapshot(): Snapshot {
    return snapshotOf({
      configuration: this.#configuration,
      network: this.#network,
      peers: this.#peers,
      memory: this.#memory,
      port: this.#listener?.port ?? 0,
      active: this.#listener?.active() ?? [],
      counters: this.#counters.state(),
      isKept: this.#isKept,
      started: this.#started,
    });
  }

  /** Makes new handlers for the current configuration. */
  async #renewHandlers(): Promise<void> {
    const handlers = await Handlers.create(this.#configuration, {
      digest: this.#digest,
      peers: this.#peers,
      network: this.#network,
      memory: this.#memory,
      expected: this.#expected,
      status: this,
      log: this.#log,
    });
    this.#handlers?.close();
    this.#handlers = handlers;
    this.#peers.serve(handlers);
  }

  #answer(request: HttpRequest): Reply | Promise<Reply> {
    if (this.#handlers === null) throw new Error("a request came before there were handlers");
    const reply = this.#handlers.answer(request);
    return reply instanceof Promise
      ? reply.then((later) => this.#begun(later))
      : this.#begun(reply);
  }

  /** Counts the files that are being sent. Peers get the number as the load of this server. */
  #begun(reply: Reply): Reply {
    if (isTransfer(reply)) {
      this.#peers.transfers++;
      if (this.#configuration.status !== null) this.#counters.begun();
    }
    return reply;
  }

  /** Counts the transfers under way. */
  #lookAtTransfers(): void {
    const { relay, received } = this.#memory;
    const { running } = relay;
    for (const { download } of running) received.settle(download);
    const active = this.#listener?.active().filter(({ reply }) => isTransfer(reply)) ?? [];
    for (const exchange of active) {
      this.#counters.sent(exchange, this.#isOwn(exchange), false);
    }
    if (running.length > 0 || active.length > 0) this.#counters.begun();
  }

  #isOwn({ request: { connection } }: FinishedExchange): boolean {
    return this.#network.isOwn(connection.remoteAddress, connection.localAddress);
  }

  #finished(exchange: FinishedExchange): void {
    if (isTransfer(exchange.reply)) this.#peers.transfers--;
    if (exchange.reply.fileSource !== undefined && this.#configuration.status !== null) {
      this.#counters.sent(exchange, this.#isOwn(exchange), true);
    }
    const { level } = this.#configuration.log;
    // Programs that show the status request it every second.
    const isStatus = exchange.reply.status === 200 && isStatusRequest(exchange.request);
    if (level === "quiet" || (isStatus && level === "normal")) return;
    this.#log.access(accessLogLine(exchange));
  }

  /** Reports the state after {@link REPORT_PAUSE}; one report covers all changes within that time. */
  #reportSoon(): void {
    // The final report was sent. The next worker may have sent a newer state in the meantime.
    if (this.#isStopping) return;
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
      sources: this.#memory.sources.export(),
      received: this.#memory.received.packages.export(),
    };
  }
}

/** True when a reply sends a file. */
function isTransfer({ body }: Reply): boolean {
  return isFileSlice(body) || body instanceof RelayedBody || body instanceof InFlightReader;
}

/** The directories whose files pacserve publishes in its index; null in quickserve, which has none. */
function packageDirectories({ pacserve, tree }: ServerConfiguration): string[] | null {
  if (pacserve === null) return null;
  return tree.shares.filter(({ path }) => path === PACKAGES).flatMap(({ sources }) => sources);
}

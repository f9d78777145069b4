/** The listener: accepts plain TCP, TLS, or TLS with client certificates, and serves requests alike. */

import http, { type Server } from "node:http";
import type { Server as TlsServer, ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Failure } from "../failure.ts";
import { plainAddress } from "./address.ts";
import type { ListenConfiguration, TlsConfiguration } from "./configuration.ts";
import { Connections } from "./connections.ts";
import type { Connection, Handler } from "./exchange.ts";
import { AcceptWatchdog } from "./accept_watchdog.ts";
import { DEFAULT_LIMITS, type ListenerLimits } from "./limits.ts";
import { type FinishedExchange, type ListenerEvents, Service } from "./service.ts";
import { checkTls } from "./tls.ts";
import { lookBeforeTls, plainHttpAnswer } from "./tls_door.ts";

export type { FinishedExchange, ListenerEvents } from "./service.ts";
export type { ListenerLimits } from "./limits.ts";

/** A listening server. */
export interface Listener {
  /** The TCP port: the configured one, or the one that the kernel chose. */
  readonly port: number;
  /** The bound IP addresses; `0.0.0.0` or `::` stands for all. */
  readonly addresses: readonly string[];
  /** Number of open connections. */
  connections(): number;
  /** Replies that are being sent, as far as they are now. */
  active(): FinishedExchange[];
  /**
   * Stops accepting connections and closes idle ones at once. Replies under way have `graceMs`
   * milliseconds to finish (Infinity: no limit) before their connections are closed. Resolves when
   * the last connection is closed.
   */
  close(graceMs: number): Promise<void>;
  /**
   * Uses another certificate and key for new connections.
   *
   * @throws {Failure} when certificate or key cannot be used; the old ones then stay in use.
   */
  replaceTls(tls: TlsConfiguration): void;
}

/**
 * Starts a listener that answers every request with the handler.
 *
 * @throws {Failure} when the address or port cannot be bound, or certificate or key cannot be used.
 */
export async function listen(
  configuration: ListenConfiguration,
  handler: Handler,
  events: ListenerEvents = {},
  limits: ListenerLimits = DEFAULT_LIMITS,
): Promise<Listener> {
  const server = await makeServer(configuration.tls, limits);
  const connections = new Connections(limits);
  const service = new Service(connections, handler, events, limits);

  let watchdog: AcceptWatchdog | null = null;

  if (configuration.tls !== null) {
    lookBeforeTls(server as TlsServer, (socket, bytes) => {
      const facts = connectionOf(socket, null);
      const connection = connections.find(facts);
      if (connection === undefined) return void socket.destroy();
      const answer = plainHttpAnswer(bytes);
      if (answer === null) events.handshakeFailed?.(facts.remoteAddress, NO_TLS);
      else events.plainHttp?.(facts.remoteAddress);
      connections.open(connection, socket, facts);
      service.reject(answer === null ? null : 400, socket, answer ?? undefined);
    });
  }
  const only = scopedAddress(configuration);
  server.on("connection", (socket: Socket) => {
    watchdog?.accepted();
    if (only !== null && plainAddress(socket.localAddress ?? "") !== only) {
      return void socket.destroy();
    }
    const connection = connections.add(socket);
    if (connection !== null && configuration.tls === null) {
      connections.open(connection, socket, connectionOf(socket, null));
    }
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    const facts = connectionOf(socket, certificateName(socket));
    const connection = connections.find(facts);
    if (connection === undefined) socket.destroy();
    else connections.open(connection, socket, facts);
  });
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    const { remoteAddress } = transportUnder(socket);
    const address = plainAddress(remoteAddress ?? "an unknown address");
    events.handshakeFailed?.(address, error.message);
    socket.destroy();
  });
  server.on("clientError", (error: Error, socket: Socket) => service.refuse(error, socket));
  server.on("request", (message, response) => service.accept(message, response, false));
  server.on("checkContinue", (message, response) => service.accept(message, response, true));
  server.on("checkExpectation", (message, response) => service.accept(message, response, false));
  server.on("connect", (_message, socket: Socket) => service.reject(501, socket));

  await bind(server, configuration);
  const { address, port } = server.address() as AddressInfo;
  if (events.stalled !== undefined) watchdog = new AcceptWatchdog(address, port, events.stalled);
  return {
    port,
    addresses: [address],
    connections: () => connections.size,
    active: () => service.active(),
    close: (graceMs) => {
      watchdog?.stop();
      return closeListener(server, service, connections, graceMs);
    },
    replaceTls: (tls) => {
      checkTls(tls);
      (server as TlsServer).setSecureContext(tlsOptions(tls));
    },
  };
}

/** Makes a server without the time limits of `node:http`, because {@link Connections} enforces ours. */
async function makeServer(
  tls: TlsConfiguration | null,
  limits: ListenerLimits,
): Promise<Server> {
  const options = {
    maxHeaderSize: limits.headSize,
    requireHostHeader: false,
    keepAliveTimeout: 0,
    headersTimeout: 0,
    requestTimeout: 0,
    connectionsCheckingInterval: 2 ** 31 - 1,
    noDelay: true,
    // A request without a body then has no stream to be read to its end.
    optimizeEmptyRequests: true,
  };
  const server = tls === null ? http.createServer(options) : await makeTlsServer(tls, options);
  // maxHeadersCount 0: no limit here, because `node:http` would drop the fields above a limit without
  // an error. httpAllowHalfOpen: a client that closes its sending half after the request, as `nc -N`
  // does, still gets its reply.
  return Object.assign(server, { maxHeadersCount: 0, httpAllowHalfOpen: true });
}

/** Makes a server for TLS. `node:https` takes 4 MB of memory, so it is loaded only with TLS. */
async function makeTlsServer(tls: TlsConfiguration, options: ServerOptions): Promise<Server> {
  checkTls(tls);
  const { default: https } = await import("node:https");
  return https.createServer({ ...options, ...tlsOptions(tls) });
}

function tlsOptions(tls: TlsConfiguration): ServerOptions {
  return {
    cert: tls.certificate,
    key: tls.key,
    ...tls.requireCertificate
      ? { ca: tls.authorities, requestCert: true, rejectUnauthorized: true }
      : {},
  };
}

/** The error codes of listening on all IPv6 addresses on a kernel without IPv6. */
const NO_IPV6 = ["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"];

async function bind(
  server: Server,
  { address, port, ipv6 }: ListenConfiguration,
): Promise<void> {
  const isScoped = address?.includes("%") === true;
  const host = isScoped ? "::" : address ?? (ipv6 ? "::" : "0.0.0.0");
  try {
    try {
      await bindTo(server, host, port);
    } catch (error) {
      // The shipped service listens on IPv6 and IPv4; a machine without IPv6 gets IPv4 alone.
      const { code = "" } = error as NodeJS.ErrnoException;
      if (address !== null || !ipv6 || !NO_IPV6.includes(code)) throw error;
      await bindTo(server, "0.0.0.0", port);
    }
  } catch (error) {
    throw listenFailure(error as NodeJS.ErrnoException, host, port);
  }
}

/**
 * The only address on which connections are answered, where it cannot be bound: the runtime's (Deno 2.9.6)
 * `node:net` passes no interface on, without which the kernel binds no link-local address. So all
 * addresses are bound.
 */
function scopedAddress({ address }: ListenConfiguration): string | null {
  return address?.includes("%") === true ? plainAddress(address) : null;
}

function bindTo(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(error);
    server.once("error", onError);
    server.listen({ port, host, backlog: 511 }, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

/** The error for a port or address that cannot be bound; it says what the user can do. */
function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): Failure {
  switch (error.code) {
    case "EADDRINUSE":
      return new Failure(
        `port ${port} is in use by another program: stop that program, or choose another port with --port`,
      );
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
    // Deno 2.9.6 reports EADDRNOTAVAIL as EINVAL; none of our other arguments can be invalid.
    case "EINVAL":
      return new Failure(
        host === "::"
          ? "this machine has no IPv6: leave --address :: out"
          : `--address: ${host} is not an address of this machine`,
      );
    case "EACCES":
      return new Failure(
        `listening on port ${port} is not permitted: ports below 1024 are for root; choose another port with --port`,
      );
    default:
      return new Failure(`cannot listen on ${host} port ${port}: ${error.message}`);
  }
}

async function closeListener(
  server: Server,
  service: Service,
  connections: Connections,
  graceMs: number,
): Promise<void> {
  service.closing = true;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  connections.closeIdle();
  // `setTimeout` treats Infinity as 0.
  const timer = Number.isFinite(graceMs)
    ? setTimeout(() => connections.closeAll(), graceMs)
    : undefined;
  await connections.empty();
  clearTimeout(timer);
  await closed;
}

const NO_TLS = "the client did not use TLS";

/**
 * The TCP socket below a TLS socket whose handshake failed. Only the TCP socket still knows the remote
 * address. There is no documented property for it.
 */
function transportUnder(socket: TLSSocket): { readonly remoteAddress?: string } {
  return Reflect.get(socket, "_parent") ?? socket;
}

function connectionOf(socket: Socket, clientCertificate: string | null): Connection {
  return {
    remoteAddress: plainAddress(socket.remoteAddress ?? ""),
    remotePort: socket.remotePort ?? 0,
    localAddress: plainAddress(socket.localAddress ?? ""),
    localPort: socket.localPort ?? 0,
    secure: "encrypted" in socket,
    clientCertificate,
  };
}

/** The common name of a verified client certificate, else its whole subject; null without one. */
function certificateName(socket: TLSSocket): string | null {
  if (!socket.authorized) return null;
  const { subject } = socket.getPeerCertificate();
  if (subject === undefined) return null;
  const fields = Object.entries(subject).map(([name, value]) => `${name}=${value}`);
  return typeof subject.CN === "string" ? subject.CN : fields.join(",");
}

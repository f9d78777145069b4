/** Limits on what clients may demand of the listener. */

/** Limits of a listener. Times are in milliseconds, sizes in bytes. */
export interface ListenerLimits {
  /** From the opening of a connection to the end of its TLS handshake. */
  readonly handshakeTimeout: number;
  /** From the first byte of a request to the end of its header fields. */
  readonly headerTimeout: number;
  /** How long a connection may stay open between two requests. */
  readonly idleTimeout: number;
  /**
   * How long a handler that reads a body waits for the next bytes. A body that keeps coming is never
   * cut off, however long it takes. When there are too many connections, those that have kept us
   * waiting for longer than this are closed first.
   */
  readonly stallTimeout: number;
  /**
   * How long a client may take to receive one piece of a reply, of at most 1 MiB. It is long because
   * we learn only that a whole piece was taken, and that only when much of the kernel's buffer (4 MiB)
   * is free again. A client that receives at least 4 KiB a second is never cut off.
   */
  readonly sendTimeout: number;
  /**
   * How long a client that has closed its sending half waits for the next bytes of its reply. Most such
   * clients are gone, which only bytes that are sent to them would show. Those that are not (`nc -N`) must
   * bear with a slow mirror: the relay may send nothing for six seconds (`doc/relay.md`), and a check of
   * the mirrors takes up to five.
   */
  readonly halfOpenTimeout: number;
  /** Open connections from all other hosts together. */
  readonly connections: number;
  /** Open connections from one IPv4 address or IPv6 /64 network; also the limit for this host itself. */
  readonly connectionsPerGroup: number;
  /** Requests that wait for earlier replies (pipelining); at this number, reading pauses. */
  readonly pipelined: number;
  /** Size of the request line and the header fields together. A larger head gets a 431. */
  readonly headSize: number;
  /** Length of the request target. A longer one gets a 414. */
  readonly targetLength: number;
  /** Number of header fields. A request with more gets a 431. */
  readonly headerCount: number;
  /** How much of an unread body is read and dropped, so that the client gets to read the reply. */
  readonly drainSize: number;
  /** How long dropping an unread body may take. */
  readonly drainTimeout: number;
}

/** The limits when none are given. */
export const DEFAULT_LIMITS: ListenerLimits = {
  handshakeTimeout: 10_000,
  headerTimeout: 20_000,
  idleTimeout: 75_000,
  stallTimeout: 60_000,
  sendTimeout: 900_000,
  halfOpenTimeout: 8_000,
  connections: 1024,
  connectionsPerGroup: 256,
  pipelined: 64,
  headSize: 32 * 1024,
  targetLength: 16 * 1024,
  headerCount: 128,
  drainSize: 16 * 1024 * 1024,
  drainTimeout: 5_000,
};

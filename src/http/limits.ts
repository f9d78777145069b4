/** How much one client may ask of the listener before its connection is closed. */

/** Limits of a listener. Times are in milliseconds, sizes in bytes. */
export interface ListenerLimits {
  /** From the opening of a connection to the end of its TLS handshake. */
  readonly handshakeTimeout: number;
  /** From the first byte of a request to the end of its header fields. */
  readonly headerTimeout: number;
  /** How long a connection may stay open between two requests. */
  readonly idleTimeout: number;
  /**
   * How long we wait for the next bytes of a body that a handler reads. One that moves is never cut,
   * however long it takes. A client that has kept us waiting for longer in any way goes first where
   * there are too many.
   */
  readonly stallTimeout: number;
  /**
   * How long a client may take over one piece of a reply, of 1 MiB at the most. Only that all of a
   * piece was taken can be seen, and that not before a good part of the kernel's buffer (4 MiB) is
   * free again: a reply that moves by 4 KiB a second is never cut, however long it takes.
   */
  readonly sendTimeout: number;
  /**
   * How long a client that has closed its sending half waits for the next bytes of its reply. Most such
   * clients have gone altogether, which nothing but bytes that are sent to them would show.
   */
  readonly halfOpenTimeout: number;
  /** Open connections of neighbours in all. */
  readonly connections: number;
  /** Open connections of one address (of IPv6: one /64 network), and of this host itself. */
  readonly connectionsPerGroup: number;
  /** Requests that a client sent ahead of the replies (pipelining): past it, no more are read for now. */
  readonly pipelined: number;
  /** Size of the request line and the header fields together. Past it the answer is 431. */
  readonly headSize: number;
  /** Length of the request target. Past it the answer is 414. */
  readonly targetLength: number;
  /** Number of header fields. Past it the answer is 431. */
  readonly headerCount: number;
  /** How much of a body that no handler read is taken, so that the client sees the reply. */
  readonly drainSize: number;
  /** How long that may take. */
  readonly drainTimeout: number;
}

/** The limits unless a test or a user sets others. */
export const DEFAULT_LIMITS: ListenerLimits = {
  handshakeTimeout: 10_000,
  headerTimeout: 20_000,
  idleTimeout: 75_000,
  stallTimeout: 60_000,
  sendTimeout: 900_000,
  halfOpenTimeout: 3_000,
  connections: 1024,
  connectionsPerGroup: 256,
  pipelined: 64,
  headSize: 32 * 1024,
  targetLength: 16 * 1024,
  headerCount: 128,
  drainSize: 16 * 1024 * 1024,
  drainTimeout: 5_000,
};

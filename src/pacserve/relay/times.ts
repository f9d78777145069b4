/** The times of the relay, in milliseconds, in one place. Tests may hand in shorter ones. */

/** How long the relay waits for what. */
export interface RelayTimes {
  /** A peer begins to answer within this time; the limit of a search (`--search-timeout`). */
  readonly peerAnswer: number;
  /** A mirror begins to answer within this time, where there is another source. */
  readonly mirrorAnswer: number;
  /**
   * When nothing worth mentioning has come for `after`, another source is asked every `every`, beside
   * those that are silent: however many these are, an honest one is asked before pacman gives up.
   */
  readonly hedge: { readonly after: number; readonly every: number };
  /**
   * When no source has begun by then, and there is no other, pacman is sent to a mirror itself, which
   * gives it ten new seconds (measured with libcurl 7.88.1 and 8.22.0).
   */
  readonly lastMoment: number;
  /** The last source that is left may take so long until there is a connection to it. */
  readonly lastContact: number;
  /** The last source that is left may be silent for so long: pacman waits, as long as it gets a few bytes. */
  readonly lastSource: number;
  /** A mirror or a complete copy that sends nothing for so long is left. */
  readonly silence: number;
  /** The same for an in-flight file: its holder must have time to change its own source first. */
  readonly inFlightSilence: number;
  /** A mirror or an in-flight file that gives less than {@link CRAWL_BYTES} in this time is left. */
  readonly crawl: number;
  /** A complete copy that has not come within this time is raced by a mirror. */
  readonly raceAfter: number;
  /** The slower one of a race is closed this long after the mirror's first byte. */
  readonly race: number;
  /** The result of a race is remembered for so long. */
  readonly raceRemembered: number;
  /** The bytes of a mirror wait at most this long before they are passed on. */
  readonly mirrorHold: number;
  /** When pacman got no byte for so long, it gets the head and a few bytes. */
  readonly lifelineAfter: number;
  /** And then a few bytes more whenever so much time passed without any. */
  readonly lifelineEvery: number;
  /** A download that nobody reads goes on for so long. */
  readonly unread: number;
  /** A mirror's signature waits at most this long for its package to be hashed. */
  readonly signatureCheck: number;
  /** A spool that nobody reads is kept for so long. */
  readonly kept: number;
}

/** A source that gives fewer bytes than this in {@link RelayTimes.crawl} crawls. */
export const CRAWL_BYTES = 16 * 1024;

/** pacman gives up after ten seconds without a byte: everything follows from that (`doc/relay.md`). */
export const RELAY_TIMES: RelayTimes = {
  peerAnswer: 500,
  mirrorAnswer: 2_000,
  hedge: { after: 2_000, every: 200 },
  lastMoment: 8_500,
  lastContact: 4_500,
  lastSource: 20_000,
  silence: 3_000,
  inFlightSilence: 6_000,
  crawl: 6_000,
  raceAfter: 3_000,
  race: 1_000,
  raceRemembered: 600_000,
  mirrorHold: 3_000,
  lifelineAfter: 6_000,
  lifelineEvery: 5_000,
  unread: 3_000,
  signatureCheck: 3_000,
  kept: 1_800_000,
};

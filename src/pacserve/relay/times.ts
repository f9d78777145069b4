/** The time limits of the relay. Tests may use shorter ones. */

/** The time limits of the relay, in milliseconds. */
export interface RelayTimes {
  /** A peer must begin to answer within this time; the limit of a search (`--search-timeout`). */
  readonly peerAnswer: number;
  /** A mirror must begin to answer within this time, if there is another source. */
  readonly mirrorAnswer: number;
  /**
   * If less than a kilobyte arrives within `after`, another source is requested every `every`, in addition
   * to the silent ones. Therefore a source that works is requested before pacman gives up, however many
   * are silent.
   */
  readonly hedge: { readonly after: number; readonly every: number };
  /**
   * If no source has begun at this time after pacman's request, and there is no other one, pacman is
   * redirected to a mirror. It then waits for that another ten seconds (measured with libcurl 7.88.1 and
   * 8.22.0).
   */
  readonly lastMoment: number;
  /** If no other source is available, the time within which there must be a connection to it. */
  readonly lastContact: number;
  /** If no other source is available, the time that it may be silent: the lifeline makes pacman wait. */
  readonly lastSource: number;
  /** A mirror or a complete copy that sends nothing for this time is left. */
  readonly silence: number;
  /** The same for an in-flight file, whose holder must have time to change its own source first. */
  readonly inFlightSilence: number;
  /** A source that sends less than {@link CRAWL_BYTES} in this time is left. */
  readonly crawl: number;
  /** A complete copy that has not been downloaded within this time is raced by a mirror. */
  readonly raceAfter: number;
  /** Time from the mirror's first byte until the slower source of a race is closed. */
  readonly race: number;
  /** Time for which the result of a race is stored. */
  readonly raceRemembered: number;
  /** Maximum time that the bytes of a mirror wait before they are sent to pacman. */
  readonly mirrorHold: number;
  /** If pacman gets no byte for this time, it gets the head and a few bytes. */
  readonly lifelineAfter: number;
  /** Time without a byte after which pacman gets a few bytes more. */
  readonly lifelineEvery: number;
  /** Time for which a download without readers continues. */
  readonly unread: number;
  /** Maximum time that the signature of a mirror waits until its package is hashed. */
  readonly signatureCheck: number;
  /** Time for which a spool without readers is kept. */
  readonly kept: number;
}

/** A source that sends fewer bytes than this in {@link RelayTimes.crawl} crawls. */
export const CRAWL_BYTES = 16 * 1024;

/** The times in use. They follow from the ten seconds after which pacman gives up (`doc/relay.md`). */
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

/**
 * Fills a download from one source after the other. If a source fails, the next one continues at the byte
 * that was reached.
 *
 * A source that fails is replaced at once. A source that is silent, crawls or does not answer is *left*: the
 * next one is requested, too, and the first one is closed when that has sent a byte. If a peer's complete
 * copy takes long, a mirror *races* it, and the slower one is closed.
 */

import type { Log } from "../../log.ts";
import { Attempt } from "./attempt.ts";
import type { Download, Segment } from "./download.ts";
import type { PackageSources } from "./package_sources.ts";
import { type Source, SourceFailure } from "./source.ts";
import { type Store, StoreFull } from "./store.ts";
import type { RelayTimes } from "./times.ts";

/** Milliseconds between two checks of the clock. */
const TICK = 50;

/** A source that has sent fewer bytes than this is treated like a silent one. */
const SOME = 1024;

/** Maximum number of sources that are open at the same time. */
const MAX_OPEN = 16;

/** Wrong bytes of several sources. They are kept until the correct file shows which source sent them. */
interface Suspect {
  readonly store: Store;
  readonly segments: readonly Segment[];
}

/** Downloads of packages are logged as information, others as details. */
type DownloadLog = Pick<Log, "info" | "debug">;

/** Fills a download from the sources of its candidates. */
export class Failover {
  readonly #download: Download;
  /** Null before {@link start}. */
  #from: PackageSources | null = null;
  readonly #times: RelayTimes;
  readonly #log: DownloadLog;
  #attempts: Attempt[] = [];
  #suspects: Suspect[] = [];
  #lastFailure: SourceFailure | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #stopListening: (() => void) | null = null;
  #lastTick = 0;
  /** Time of pacman's request (ms). */
  #askedAt = 0;
  /** Time when {@link SOME} more bytes had arrived (ms), and the position that was reached. */
  #movedAt = 0;
  #movedTo = 0;
  /** True while the next candidate is being searched for. */
  #isSearching = false;
  /** True when there is no other candidate. */
  #isExhausted = false;
  #copyFailed = false;
  /** The sources that were left, with the reasons. They are logged when another source sends a byte. */
  #left: string[] = [];

  /** @param log gets a message for each source that is replaced, with the reason. */
  constructor(
    download: Download,
    times: RelayTimes,
    log: DownloadLog,
  ) {
    this.#download = download;
    this.#times = times;
    this.#log = log;
  }

  /**
   * Begins, or continues at the byte where it was stopped.
   *
   * @param candidates the sources; they replace the candidates of an earlier start.
   * @param askedAt time of pacman's request (ms).
   */
  start(candidates: PackageSources, askedAt: number): void {
    if (this.#timer !== null || this.#isOver) return;
    this.#from = candidates;
    this.#isExhausted = false;
    this.#lastTick = this.#movedAt = performance.now();
    this.#askedAt = askedAt;
    this.#movedTo = this.#download.received;
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#stopListening = this.#download.listen(() => this.#wake());
    this.#step();
  }

  /** Closes all sources. The received bytes are kept. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#stopListening?.();
    this.#stopListening = null;
    for (const attempt of this.#attempts) attempt.close();
    this.#attempts = [];
    if (this.#isOver) this.#forgetSuspects();
  }

  /**
   * Must be called when the bytes of a peer differ from those of a mirror: the peer has another build of the
   * package. The download starts again, unless it is {@link Download.exposed}.
   */
  unmask(): void {
    if (this.#timer === null || this.#isOver || this.#download.exposed) return;
    this.#wrong();
  }

  /** Requests this source, which replaces a mirror if it sends a byte. */
  prefer(source: Source): void {
    if (this.#timer === null || this.#isOver) return;
    const leader = this.#leader;
    const isOpen = this.#attempts.some(({ source: { key } }) => key === source.key);
    if (isOpen || (leader !== undefined && leader.source.kind !== "mirror")) return;
    if (!this.#candidates.mayPrefer(source)) return;
    this.#supersede(source);
    this.#ask(source, false);
    this.#step();
  }

  /** True while sources are being used. */
  get isRunning(): boolean {
    return this.#timer !== null;
  }

  /** The sources that are being used. */
  get sources(): readonly Source[] {
    return this.#attempts.map(({ source }) => source);
  }

  /** True when a mirror fills the download. */
  get isFromMirror(): boolean {
    return this.#leader?.source.kind === "mirror";
  }

  get #candidates(): PackageSources {
    return this.#from!;
  }

  get #isOver(): boolean {
    return this.#download.state !== "fetching";
  }

  get #leader(): Attempt | undefined {
    return this.#attempts.find((attempt) => attempt.leads);
  }

  /** Called every {@link TICK}. If this machine slept or is busy, its delay must not count as a source's. */
  #tick(): void {
    const now = performance.now();
    const delay = now - this.#lastTick - TICK;
    this.#lastTick = now;
    if (delay > TICK) { for (const attempt of this.#attempts) attempt.forgive(delay); }
    this.#step();
  }

  /**
   * True when the source has sent too little, and another one should be requested in addition. Otherwise the
   * times of several silent sources would add up.
   */
  #isSlow(attempt: Attempt): boolean {
    const { after, every } = this.#times.hedge;
    if (performance.now() - this.#movedAt < after || attempt.source.kind === "in-flight") {
      return false;
    }
    return attempt.count < SOME && !attempt.isPaused && attempt.askedFor > every;
  }

  #noteProgress(): void {
    const { received } = this.#download;
    // The download may have started again.
    if (received < this.#movedTo) this.#movedTo = received;
    if (received < this.#movedTo + SOME) return;
    this.#movedTo = received;
    this.#movedAt = performance.now();
  }

  /** Decides what to do next. Called after each event, and every {@link TICK}. */
  #step(): void {
    if (this.#timer === null) return;
    if (this.#isOver) return this.stop();
    this.#noteProgress();
    this.#dropFailed();
    this.#leaveTroubled();
    if (this.#isOver) return this.stop();
    this.#takeAwaited();
    if (this.#isTooLate) return this.#giveUp();
    this.#changeLeader();
    if (this.#timer === null) return;
    this.#pauseSuperseded();
    if (this.#attempts.every((attempt) => attempt.isLeft || this.#isSlow(attempt))) {
      this.#findNext();
    } else this.#startRace();
  }

  /** True when pacman would soon give up, and should be redirected to a mirror instead. */
  get #isTooLate(): boolean {
    const { received, start, hasBegun } = this.#download;
    return this.#isExhausted && received === start && !hasBegun &&
      performance.now() - this.#askedAt > this.#times.lastMoment;
  }

  #dropFailed(): void {
    for (const attempt of [...this.#attempts]) {
      if (attempt.failure !== null) this.#fail(attempt, attempt.failure);
    }
  }

  #fail(attempt: Attempt, failure: SourceFailure): void {
    this.#remove(attempt);
    this.#lastFailure = worse(this.#lastFailure, failure);
    if (failure.kind === "unmodified") return this.#download.fail(failure);
    this.#reinstate();
    if (attempt.isLeft) return;
    this.#candidates.failed(attempt.source, failure);
    // A mirror that failed in a race replaces nothing, so do not log it.
    if (!attempt.isRacing || attempt.leads) this.#note(attempt, failure.message);
  }

  #leaveTroubled(): void {
    for (const attempt of [...this.#attempts]) {
      const trouble = attempt.trouble(this.#times);
      if (trouble === null) continue;
      if (!attempt.isLeft) {
        attempt.isLeft = true;
        attempt.isAwaited = attempt.source.kind === "in-flight" && !attempt.hasAnswered;
        this.#lastFailure = worse(this.#lastFailure, new SourceFailure("broken", trouble));
        this.#candidates.failed(attempt.source, new SourceFailure("broken", trouble));
        this.#note(attempt, trouble);
        this.#reinstate();
      }
      if (attempt.isAwaited && attempt.silentFor > this.#times.inFlightSilence) {
        this.#remove(attempt);
        continue;
      }
      // There is no other source. Therefore this one gets more time.
      const { lastContact, lastSource } = this.#times;
      const limit = attempt.source.isReached === false ? lastContact : lastSource;
      if (this.#isExhausted && attempt.silentFor > limit) {
        this.#fail(attempt, new SourceFailure("broken", trouble));
      }
    }
  }

  /** If the holder of an in-flight file answers late, because it was busy, it replaces the mirror. */
  #takeAwaited(): void {
    for (const attempt of this.#attempts) {
      if (!attempt.isAwaited || !attempt.hasAnswered) continue;
      attempt.isAwaited = false;
      attempt.isLeft = false;
      this.#candidates.putBack(attempt.source);
      this.#supersede(attempt.source);
    }
  }

  /** Leaves a mirror that fills the download, but keeps it open, because this source may still fail. */
  #supersede({ name }: Source): void {
    const leader = this.#leader;
    if (leader === undefined || leader.isLeft || leader.source.kind !== "mirror") return;
    leader.isLeft = true;
    leader.isSuperseded = true;
    this.#left.push(`${leader.source.name} is already used by ${name}`);
  }

  /** Pauses a mirror whose replacement has answered, so that it does not send the same bytes twice. */
  #pauseSuperseded(): void {
    const isAnswered = this.#attempts.some((attempt) => !attempt.isLeft && attempt.hasAnswered);
    for (const attempt of this.#attempts) {
      if (attempt.isSuperseded && isAnswered) attempt.isPaused = true;
    }
  }

  /** Continues with the mirror, because the source that should have replaced it failed. */
  #reinstate(): void {
    for (const attempt of this.#attempts) {
      if (!attempt.isSuperseded) continue;
      attempt.isSuperseded = false;
      attempt.isLeft = false;
      attempt.isPaused = false;
      attempt.wake();
      this.#left = [];
    }
  }

  #note({ source }: Attempt, reason: string): void {
    if (source.kind === "copy") this.#copyFailed = true;
    this.#left.push(`${source.name} ${reason}`);
  }

  #changeLeader(): void {
    const leader = this.#leader;
    const ready = this.#attempts.filter((attempt) => attempt.isReady);
    const next = ready.find((attempt) => !attempt.isLeft) ?? ready[0];
    if (leader === undefined || leader.isLeft || this.#isSlow(leader)) {
      if (next !== undefined) this.#lead(next);
      return;
    }
    if (next?.isRacing && next.firstByte !== null) this.#judgeRace(leader, next, next.firstByte);
    // The leader sends enough, so the attempts that should have replaced it are not needed.
    for (const attempt of [...this.#attempts]) {
      const isNeeded = attempt.isRacing && !attempt.isLeft ||
        this.#isAwaitedBeside(attempt, leader);
      if (attempt !== leader && !isNeeded) this.#putBack(attempt);
    }
  }

  #judgeRace(copy: Attempt, rival: Attempt, since: number): void {
    if (performance.now() - since < this.#times.race && !rival.isFull) return;
    const hasWon = this.#download.received - rival.receivedThen >= rival.count;
    this.#candidates.raced(copy.source, hasWon);
    if (hasWon) return this.#putBack(rival);
    this.#note(copy, "is slower than a mirror");
    copy.isLeft = true;
    this.#lead(rival);
  }

  #lead(next: Attempt): void {
    for (const attempt of [...this.#attempts]) {
      if (attempt === next || !(attempt.leads || attempt.isLeft)) continue;
      if (this.#isAwaitedBeside(attempt, next)) {
        attempt.follow();
        continue;
      }
      // A source that did not fail may be needed later, if the better one does.
      if (attempt.isSuperseded || !attempt.isLeft) this.#candidates.putBack(attempt.source);
      if (!attempt.isLeft) this.#note(attempt, "has not begun to send");
      this.#remove(attempt);
    }
    next.isLeft = false;
    next.lead();
  }

  #isAwaitedBeside({ isAwaited }: Attempt, { source }: Attempt): boolean {
    return isAwaited && source.kind === "mirror";
  }

  #startRace(): void {
    const leader = this.#leader;
    if (leader === undefined || leader.source.kind !== "copy" || leader.isRaced) return;
    if (leader.askedFor < this.#times.raceAfter) return;
    if (!this.#download.isVerifiable || this.#attempts.length > 1) return;
    leader.isRaced = true;
    this.#search(() => this.#candidates.rival(leader.source), (rival) => {
      if (rival !== null && this.#leader === leader) this.#ask(rival, true);
      else if (rival !== null) this.#candidates.putBack(rival);
    });
  }

  #findNext(): void {
    if (this.#isExhausted) {
      if (this.#attempts.length === 0 && !this.#isSearching) this.#giveUp();
      return;
    }
    this.#search(() => this.#candidates.next(this.#copyFailed), (source) => {
      // A source that broke off may be requested again, but not while it is still open.
      const isOpen = this.#attempts.some((attempt) => attempt.source === source);
      if (source === null || isOpen) this.#isExhausted = true;
      else if (this.#canStart()) {
        this.#ask(source, false);
        if (source.kind === "mirror") this.#awaitBetter();
      }
    });
  }

  /** After a request to a mirror, waits for a late answer of the trackers, and prefers the source in it. */
  #awaitBetter(): void {
    this.#candidates.better().catch(() => null).then((source) => {
      if (source !== null) this.prefer(source);
    });
  }

  /** Searches for a source, if no other search is running. */
  #search(find: () => Promise<Source | null>, found: (source: Source | null) => void): void {
    if (this.#isSearching) return;
    this.#isSearching = true;
    find().catch(() => null).then((source) => {
      this.#isSearching = false;
      if (this.#timer === null || this.#isOver) {
        if (source !== null) this.#candidates.putBack(source);
        return;
      }
      found(source);
      this.#step();
    });
  }

  /**
   * Returns false when the download had to be given up. Bytes of two versions of a file must not be combined.
   * Without a digest this would not be noticed. Therefore the download starts again, unless pacman has some
   * bytes already: then a package continues, as pacman itself does with its next server, and
   * {@link Attempt} refuses a source with another `Last-Modified`.
   */
  #canStart(): boolean {
    const { isVerifiable, resumable, received, start, exposed } = this.#download;
    if (isVerifiable || received === start || exposed && resumable) return true;
    if (exposed) {
      this.#giveUp();
      return false;
    }
    this.#removeAll();
    this.#download.restart()?.close();
    return true;
  }

  #ask(source: Source, isRacing: boolean): void {
    const [oldest] = this.#attempts;
    if (this.#attempts.length >= MAX_OPEN && oldest !== undefined) this.#remove(oldest);
    const attempt = new Attempt(source, this.#download, {
      changed: () => this.#step(),
      append: (bytes, attempt) => this.#append(bytes, attempt),
    }, isRacing);
    this.#attempts.push(attempt);
    // If there is no other attempt, this one leads.
    if (this.#attempts.length === 1) attempt.lead();
  }

  #append(bytes: Uint8Array, { source, isLeft }: Attempt): void {
    if (this.#left.length > 0 && !isLeft) {
      const at = this.#download.received;
      this.say(`${this.#left.join("; ")}; ${source.name} continues at byte ${at}`);
      this.#left = [];
    }
    try {
      const result = this.#download.append(bytes, source);
      if (result === "complete") this.#completed();
      if (result === "wrong") this.#wrong();
    } catch (error) {
      if (!(error instanceof StoreFull)) throw error;
      this.#download.fail(error);
      this.stop();
    }
  }

  #completed(): void {
    this.#blame();
    this.#candidates.completed(this.#download);
    this.stop();
  }

  /** Logs a message about the download. */
  say(sentence: string): void {
    const { name, resumable } = this.#download;
    this.#log[resumable ? "info" : "debug"](`${name}: ${sentence}`);
  }

  /** Handles a complete file with a wrong digest. Starts again, unless the download is exposed. */
  #wrong(): void {
    const { segments } = this.#download;
    const sources = new Set(segments.map(({ source }) => source));
    const [only] = sources;
    const names = [...sources].map(({ name }) => name).join(", ");
    this.say(`the file from ${names} does not match the database`);
    const failure = new SourceFailure("wrong", "sent a wrong file");
    this.#lastFailure = worse(this.#lastFailure, failure);
    if (sources.size === 1 && only !== undefined) {
      this.#candidates.failed(only, failure);
    }
    if (this.#download.state === "spoiled") return this.stop();
    this.#removeAll();
    const store = this.#download.restart();
    if (sources.size > 1 && store?.keepsAll && this.#suspects.length === 0) {
      this.#suspects.push({ store, segments });
    } else {
      store?.close();
    }
    for (const source of sources.size > 1 ? sources : []) {
      // The whole file may be requested from a mirror that sent only a part.
      if (source.kind === "mirror") this.#candidates.putBack(source);
      else this.#candidates.suspect(source);
    }
    this.#copyFailed = true;
    this.#isExhausted = false;
    this.#step();
  }

  /** Compares the wrong bytes with the correct file, and reports the sources that sent them. */
  #blame(): void {
    for (const { store, segments } of this.#suspects) {
      for (const { source, from, to } of segments) {
        if (!this.#isEqual(store, from, to)) {
          this.#candidates.failed(source, new SourceFailure("wrong", "sent wrong bytes"));
          this.say(`${source.name} sent wrong bytes`);
        }
      }
    }
    this.#forgetSuspects();
  }

  #isEqual(store: Store, from: number, to: number): boolean {
    const [theirs, right] = [new Uint8Array(65536), new Uint8Array(65536)];
    for (let at = from; at < to;) {
      const length = Math.min(theirs.length, to - at);
      store.read(at, theirs.subarray(0, length));
      if (this.#download.peek(at, right.subarray(0, length)) < length) return true;
      for (let i = 0; i < length; i++) if (theirs[i] !== right[i]) return false;
      at += length;
    }
    return true;
  }

  #forgetSuspects(): void {
    for (const { store } of this.#suspects) store.close();
    this.#suspects = [];
  }

  #giveUp(): void {
    if (this.#left.length > 0) this.say(`${this.#left.join("; ")}; there is no other source`);
    // A source that has not answered yet may have the file.
    const failure = this.#attempts.length === 0
      ? this.#lastFailure
      : worse(this.#lastFailure, new SourceFailure("broken", "has not answered in time"));
    this.#download.fail(failure ?? new SourceFailure("absent", "no source has the file"));
    this.stop();
  }

  #putBack(attempt: Attempt): void {
    if (!attempt.isLeft) this.#candidates.putBack(attempt.source);
    this.#remove(attempt);
  }

  #remove(attempt: Attempt): void {
    attempt.close();
    this.#attempts = this.#attempts.filter((each) => each !== attempt);
  }

  /** Closes all attempts. Sources that did not lead and were not left may be used again. */
  #removeAll(): void {
    for (const attempt of [...this.#attempts]) {
      if (attempt.leads) this.#remove(attempt);
      else this.#putBack(attempt);
    }
  }

  #wake(): void {
    this.#leader?.wake();
  }
}

/** Returns the failure to report: "not found" only if all sources reported it. */
function worse(before: SourceFailure | null, now: SourceFailure): SourceFailure {
  if (before === null) return now;
  return now.kind === "absent" ? before : now;
}

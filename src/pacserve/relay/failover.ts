/**
 * Which source fills a download: asks one after the other, and goes on with the next at the byte that
 * was reached when one is of no use.
 *
 * A source that fails is replaced at once. One that is silent, crawls or does not answer is *left*:
 * the next is asked beside it, and it is closed when that one has given a byte. A peer's complete copy
 * that takes long is *raced* by a mirror, and the slower one is closed.
 */

import type { Log } from "../../log.ts";
import { Attempt } from "./attempt.ts";
import type { Download, Segment } from "./download.ts";
import { type Source, SourceFailure } from "./source.ts";
import { type Store, StoreFull } from "./store.ts";
import type { RelayTimes } from "./times.ts";

/** Where the sources of one file come from, and what is remembered of them. */
export interface Candidates {
  /**
   * The next source, best first.
   *
   * @param mirrorsFirst a complete copy has failed.
   * @returns null when none is left.
   */
  next(mirrorsFirst: boolean): Promise<Source | null>;
  /** A source that is better than the last one, but was found too late; null when there is none. */
  better(): Promise<Source | null>;
  /** A mirror to race a peer's copy; null when the copy is known to be the faster one, or none is left. */
  rival(copy: Source): Promise<Source | null>;
  /** A race ended. */
  raced(copy: Source, hasWon: boolean): void;
  /** A source failed, or was left for this reason. */
  failed(source: Source, failure: SourceFailure): void;
  /** Bytes of it were in a wrong file, with those of others. */
  suspect(source: Source): void;
  /** Whether a source that trackers name is to be preferred to a mirror. */
  mayPrefer(source: Source): boolean;
  /** One that was asked is not to blame for anything, and may be asked again. */
  putBack(source: Source): void;
  /** The file is here, verified or as far as that can be known. */
  completed(download: Download): void;
}

/** Milliseconds between two looks at the clock. */
const TICK = 50;

/** Bytes of a source that are worth mentioning: with fewer it may as well be silent. */
const SOME = 1024;

/** Sources that are open at the same time: none is closed for another that may be as silent. */
const MAX_OPEN = 16;

/** Wrong bytes of several sources, until the right ones show whose they are. */
interface Suspect {
  readonly store: Store;
  readonly segments: readonly Segment[];
}

/** Downloads of packages are told of always, others with the details. */
type DownloadLog = Pick<Log, "info" | "debug">;

/** Fills a download. */
export class Failover {
  readonly #download: Download;
  /** Null until it starts. */
  #from: Candidates | null = null;
  readonly #times: RelayTimes;
  readonly #log: DownloadLog;
  #attempts: Attempt[] = [];
  #suspects: Suspect[] = [];
  #lastFailure: SourceFailure | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #stopListening: (() => void) | null = null;
  #lastTick = 0;
  /** When pacman asked for it. */
  #askedAt = 0;
  /** When {@link SOME} bytes came last, and after how many. */
  #movedAt = 0;
  #movedTo = 0;
  /** A candidate is being looked for. */
  #isSearching = false;
  /** There is no candidate any more. */
  #isExhausted = false;
  #copyFailed = false;
  /** Who was left and why: told when another gives a byte. */
  #left: string[] = [];

  /** @param log gets a sentence for each source that is replaced, with the reason. */
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
   * Begins, or goes on where it was stopped.
   *
   * @param candidates who can be asked now; what was found out about others is not remembered here.
   * @param askedAt when pacman asked for the file, in milliseconds.
   */
  start(candidates: Candidates, askedAt: number): void {
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

  /** Closes all sources. What was received stays. */
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
   * The bytes that a peer gave are not those of a mirror: its file is another build. It is not passed
   * on to anybody, so the download starts again.
   */
  unmask(): void {
    if (this.#timer === null || this.#isOver || this.#download.exposed) return;
    this.#wrong();
  }

  /** Goes on from this source, if it gives anything, in place of a mirror. */
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

  /** True while it asks sources. */
  get isRunning(): boolean {
    return this.#timer !== null;
  }

  /** The sources that are being asked. */
  get sources(): readonly Source[] {
    return this.#attempts.map(({ source }) => source);
  }

  /** True when a mirror fills the download. */
  get isFromMirror(): boolean {
    return this.#leader?.source.kind === "mirror";
  }

  get #candidates(): Candidates {
    return this.#from!;
  }

  get #isOver(): boolean {
    return this.#download.state !== "fetching";
  }

  get #leader(): Attempt | undefined {
    return this.#attempts.find((attempt) => attempt.leads);
  }

  /** A machine that slept, or has too much to do, must not take its own delay for that of a source. */
  #tick(): void {
    const now = performance.now();
    const delay = now - this.#lastTick - TICK;
    this.#lastTick = now;
    if (delay > TICK) { for (const attempt of this.#attempts) attempt.forgive(delay); }
    this.#step();
  }

  /** Whether others are asked beside one that has given next to nothing: the sources' times add up. */
  #isSlow(attempt: Attempt): boolean {
    const { after, every } = this.#times.hedge;
    if (performance.now() - this.#movedAt < after || attempt.source.kind === "in-flight") {
      return false;
    }
    return attempt.count < SOME && !attempt.isPaused && attempt.askedFor > every;
  }

  #noteProgress(): void {
    const { received } = this.#download;
    // It may have been begun anew.
    if (received < this.#movedTo) this.#movedTo = received;
    if (received < this.#movedTo + SOME) return;
    this.#movedTo = received;
    this.#movedAt = performance.now();
  }

  /** Decides what to do next: called when something happened, and every {@link TICK}. */
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

  /** pacman is about to give up, while it could be sent to a mirror itself. */
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
    // A rival is asked beside one that does well.
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
      // Nobody else is there to ask, so it may take as long as pacman waits.
      const { lastContact, lastSource } = this.#times;
      const limit = attempt.source.isReached === false ? lastContact : lastSource;
      if (this.#isExhausted && attempt.silentFor > limit) {
        this.#fail(attempt, new SourceFailure("broken", trouble));
      }
    }
  }

  /** The holder of an in-flight file was only busy: it goes on, in place of a mirror. */
  #takeAwaited(): void {
    for (const attempt of this.#attempts) {
      if (!attempt.isAwaited || !attempt.hasAnswered) continue;
      attempt.isAwaited = false;
      attempt.isLeft = false;
      this.#candidates.putBack(attempt.source);
      this.#supersede(attempt.source);
    }
  }

  /** Leaves a mirror that fills the download for this source, which may still fail. */
  #supersede({ name }: Source): void {
    const leader = this.#leader;
    if (leader === undefined || leader.isLeft || leader.source.kind !== "mirror") return;
    leader.isLeft = true;
    leader.isSuperseded = true;
    this.#left.push(`${leader.source.name} is asked by ${name}`);
  }

  /** A mirror need not send what another server has asked it for, too, and is going to give. */
  #pauseSuperseded(): void {
    const isAnswered = this.#attempts.some((attempt) => !attempt.isLeft && attempt.hasAnswered);
    for (const attempt of this.#attempts) {
      if (attempt.isSuperseded && isAnswered) attempt.isPaused = true;
    }
  }

  /** What was to be better failed: the mirror that it should have replaced is good enough. */
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
    // The leader does well: who was asked in its place is not needed.
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
      // One that did nothing wrong may be needed when the better one fails.
      if (attempt.isSuperseded || !attempt.isLeft) this.#candidates.putBack(attempt.source);
      if (!attempt.isLeft) this.#note(attempt, "has not begun");
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
      // One that broke off may be asked again, but not beside itself.
      const isOpen = this.#attempts.some((attempt) => attempt.source === source);
      if (source === null || isOpen) this.#isExhausted = true;
      else if (this.#canStart()) {
        this.#ask(source, false);
        if (source.kind === "mirror") this.#awaitBetter();
      }
    });
  }

  /** A mirror was asked because no better source was known in time: one that comes later is preferred. */
  #awaitBetter(): void {
    this.#candidates.better().catch(() => null).then((source) => {
      if (source !== null) this.prefer(source);
    });
  }

  /** Searches once at a time. */
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
   * Bytes of two versions of a file must not be put together. Where no digest will tell, the file is
   * begun anew, unless pacman has some of it: then a package goes on, as pacman itself would go on with
   * its next server, and {@link Attempt} refuses what is known to be another version.
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
    // The first needs no comparison with anybody.
    if (this.#attempts.length === 1) attempt.lead();
  }

  #append(bytes: Uint8Array, { source, isLeft }: Attempt): void {
    if (this.#left.length > 0 && !isLeft) {
      const at = this.#download.received;
      this.say(`${this.#left.join("; ")}; ${source.name} goes on at byte ${at}`);
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

  /** Logs a sentence about the download. */
  say(sentence: string): void {
    const { name, resumable } = this.#download;
    this.#log[resumable ? "info" : "debug"](`${name}: ${sentence}`);
  }

  /** All bytes came, and the digest is another one. */
  #wrong(): void {
    const { segments } = this.#download;
    const sources = new Set(segments.map(({ source }) => source));
    const [only] = sources;
    const names = [...sources].map(({ name }) => name).join(", ");
    this.say(`the file of ${names} is not the one that the database describes`);
    const failure = new SourceFailure("wrong", "gives another file");
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
      // A mirror that gave a part of it is asked for all of it.
      if (source.kind === "mirror") this.#candidates.putBack(source);
      else this.#candidates.suspect(source);
    }
    this.#copyFailed = true;
    this.#isExhausted = false;
    this.#step();
  }

  /** The right bytes are here, and show whose were wrong. */
  #blame(): void {
    for (const { store, segments } of this.#suspects) {
      for (const { source, from, to } of segments) {
        if (!this.#isEqual(store, from, to)) {
          this.#candidates.failed(source, new SourceFailure("wrong", "gave other bytes"));
          this.say(`${source.name} gave other bytes`);
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
    this.#download.fail(failure ?? new SourceFailure("absent", "nobody has it"));
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

  /** Closes all; who gave nothing yet, and is not left for it, may be asked again. */
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

/** What to say at the end: "not found" only when nobody said anything else. */
function worse(before: SourceFailure | null, now: SourceFailure): SourceFailure {
  if (before === null) return now;
  return now.kind === "absent" ? before : now;
}

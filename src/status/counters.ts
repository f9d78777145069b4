/** What was received and served: since the start, today, since the installation, and in each of the last hours. */

import { addFlows, type Flows, type MutableFlows, noFlows } from "./traffic.ts";

/** Hours that are remembered, the one under way included. */
export const HOURS = 24;

const HOUR = 3_600_000;

/** One hour. */
export interface HourFlows {
  /** Milliseconds since 1970 at its beginning. */
  readonly start: number;
  readonly flows: Flows;
}

/** Counters as plain data. */
export interface CountersState {
  /** Milliseconds since 1970 when counting began. */
  readonly installed: number;
  readonly total: Flows;
  /** Since the server was started; it survives a worker, not the server. */
  readonly sinceStart: Flows;
  /** A day by this host's clock and time zone, such as `2026-11-26`. */
  readonly day: string;
  readonly today: Flows;
  /** Only hours in which something was counted. */
  readonly hours: readonly HourFlows[];
}

/** Counters in which nothing was counted yet. */
export function emptyCounters(now: Date = new Date()): CountersState {
  return {
    installed: now.getTime(),
    total: noFlows(),
    sinceStart: noFlows(),
    day: dayOf(now),
    today: noFlows(),
    hours: [],
  };
}

/**
 * Adds up. A clock that jumps costs at most the hours and the day: what lies in the future or more than
 * a day back is dropped, and the sums stay.
 */
export class Counters {
  readonly #installed: number;
  readonly #total: MutableFlows;
  readonly #sinceStart: MutableFlows;
  readonly #now: () => Date;
  #day: string;
  #today: MutableFlows;
  #hours: Map<number, MutableFlows>;

  /** @param now the time by this host's clock. */
  constructor(state: CountersState = emptyCounters(), now: () => Date = () => new Date()) {
    this.#now = now;
    this.#installed = state.installed;
    this.#total = structuredClone(state.total);
    this.#sinceStart = structuredClone(state.sinceStart);
    this.#day = state.day;
    this.#today = structuredClone(state.today);
    this.#hours = new Map(
      state.hours.map(({ start, flows }) => [Math.floor(start / HOUR), structuredClone(flows)]),
    );
  }

  /** Adds what was counted since the last time. */
  add(flows: Flows): void {
    const hour = this.#turnTo(this.#now());
    const ofHour = this.#hours.get(hour) ?? noFlows();
    this.#hours.set(hour, ofHour);
    for (const sum of [this.#total, this.#sinceStart, this.#today, ofHour]) addFlows(sum, flows);
  }

  /** What was counted, as it is now. */
  state(): CountersState {
    this.#turnTo(this.#now());
    return structuredClone({
      installed: this.#installed,
      total: this.#total,
      sinceStart: this.#sinceStart,
      day: this.#day,
      today: this.#today,
      hours: [...this.#hours].toSorted(([one], [other]) => one - other)
        .map(([hour, flows]) => ({ start: hour * HOUR, flows })),
    });
  }

  /** Drops the days and hours that are over; returns the number of the hour. */
  #turnTo(now: Date): number {
    const day = dayOf(now);
    if (day !== this.#day) {
      this.#day = day;
      this.#today = noFlows();
    }
    const hour = Math.floor(now.getTime() / HOUR);
    for (const each of this.#hours.keys()) {
      if (each > hour || each <= hour - HOURS) this.#hours.delete(each);
    }
    return hour;
  }
}

/** `2026-11-26`, in the time zone of this host. */
function dayOf(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

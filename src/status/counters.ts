/** Counts received and served files: since the start, today, since the installation, and by hour. */

import { addFlows, type Flows, type MutableFlows, noFlows } from "./traffic.ts";

/** Number of hours that are stored, including the current one. */
export const HOURS = 24;

const HOUR = 3_600_000;

/** The traffic of one hour. */
export interface HourFlows {
  /** The beginning of the hour, in milliseconds since 1970. */
  readonly start: number;
  readonly flows: Flows;
}

/** Counters as plain data. */
export interface CountersState {
  /** The time when counting began, in milliseconds since 1970. */
  readonly installed: number;
  readonly total: Flows;
  /** Since the start of the server. It survives the end of a worker, but not of the server. */
  readonly sinceStart: Flows;
  /** The day of `today` in the time zone of this host, such as `2026-11-26`. */
  readonly day: string;
  readonly today: Flows;
  /** Only hours with traffic. */
  readonly hours: readonly HourFlows[];
}

/** Returns counters that are all zero. */
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
 * Adds up traffic. If the clock jumps, only the hours and the day can be lost: hours in the future or more
 * than a day ago are dropped, and the sums are not changed.
 */
export class Counters {
  readonly #installed: number;
  readonly #total: MutableFlows;
  readonly #sinceStart: MutableFlows;
  readonly #now: () => Date;
  #day: string;
  #today: MutableFlows;
  #hours: Map<number, MutableFlows>;

  /** @param now returns the present time. */
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

  /** Adds the traffic since the last call. */
  add(flows: Flows): void {
    const hour = this.#turnTo(this.#now());
    const ofHour = this.#hours.get(hour) ?? noFlows();
    this.#hours.set(hour, ofHour);
    for (const sum of [this.#total, this.#sinceStart, this.#today, ofHour]) addFlows(sum, flows);
  }

  /** Returns the present state of the counters. */
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

  /** Drops the days and hours that are over; returns the number of the current hour. */
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

/** Formats a day in the time zone of this host: `2026-11-26`. */
function dayOf(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

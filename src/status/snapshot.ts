/**
 * The status of a pacserve at one moment: one object, of which the terminal's text, the page, the JSON
 * and the metrics are made. `doc/status.md` describes it for scripts.
 */

import type { CountersState } from "./counters.ts";
import { HOURS } from "./counters.ts";
import { type Amount, amountOf, type Flows, noFlows, savedOf } from "./traffic.ts";

/** The form of the JSON. Fields may be added in a version; what has a name keeps it and its meaning. */
export const SNAPSHOT_VERSION = 1;

/** A peer. */
export interface PeerStatus {
  readonly url: string;
  readonly state: "candidate" | "alive" | "backoff";
  /** `--peer`, `multicast`, `multicast DNS`, `its own word`: by which it became known. */
  readonly foundBy: readonly string[];
  /** Seconds since it was last heard or answered; null for never. */
  readonly lastSeen: number | null;
  /** Milliseconds; null before the first answer. */
  readonly roundTrip: number | null;
  /** Bytes a second of the last file that it gave; null before the first. */
  readonly rate: number | null;
  /** What it gave since the start. */
  readonly received: Amount;
  /** Lately, in a row. */
  readonly failures: number;
  /** Why it is in backoff. */
  readonly trouble: string | null;
}

/** A mirror. */
export interface MirrorStatus {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly repositories: readonly string[];
  readonly state: "answers" | "fails" | "not asked";
  /** In a row. */
  readonly failures: number;
  /** Seconds for which it is asked last. */
  readonly pause: number;
  /** Bytes a second of the last file that it gave; null before the first. */
  readonly rate: number | null;
  /** What it gave since the start. */
  readonly received: Amount;
}

/** A file on its way. */
export interface TransferStatus {
  /** `receiving`: for this host's pacman; `sending`: to another machine. */
  readonly direction: "receiving" | "sending";
  readonly file: string;
  /** Bytes; null while nobody knows. */
  readonly size: number | null;
  /** Bytes that are here, or were sent. */
  readonly done: number;
  /** Bytes a second since it began. */
  readonly rate: number;
  /** Where it comes from, such as `mirror https://example.org`; null before a source answers. */
  readonly from: string | null;
  /** IP address of the machine that gets it; null for this host. */
  readonly to: string | null;
}

/** What the LAN saved. */
export interface Saved {
  /** What this host's pacman did not get from a mirror. */
  readonly here: Amount;
  /** What others got from here. */
  readonly others: Amount;
}

/** A time over which was counted. */
export interface Period extends Flows {
  readonly saved: Saved;
}

/** What was counted. */
export interface CounterStatus {
  /** True where they survive the end of the server. */
  readonly kept: boolean;
  /** When counting began, in ISO 8601. */
  readonly installed: string;
  readonly sinceStart: Period;
  /** Since midnight here. */
  readonly today: Period;
  readonly sinceInstallation: Period;
  /** The last 24 hours, the oldest first. */
  readonly hours: readonly HourStatus[];
}

/** An hour. */
export interface HourStatus extends Flows {
  /** Its beginning, in ISO 8601. */
  readonly start: string;
}

/** The status. */
export interface Snapshot {
  readonly version: typeof SNAPSHOT_VERSION;
  readonly program: { readonly name: string; readonly version: string };
  /** When this was true, in ISO 8601. */
  readonly time: string;
  readonly running: {
    /** In ISO 8601. */
    readonly since: string;
    readonly seconds: number;
  };
  /** URLs under which this server is reached. */
  readonly addresses: readonly string[];
  readonly peers: readonly PeerStatus[];
  /** Where peers are looked for that are not named. */
  readonly discovery: { readonly means: readonly string[]; readonly interfaces: readonly string[] };
  readonly mirrors: readonly MirrorStatus[];
  readonly transfers: readonly TransferStatus[];
  readonly counters: CounterStatus;
  /** What is wrong, in sentences; empty when all is well. */
  readonly problems: readonly string[];
}

/** The counters as a snapshot has them. */
export function counterStatus(state: CountersState, kept: boolean, now: number): CounterStatus {
  const hour = 3_600_000;
  const last = Math.floor(now / hour) * hour;
  const byStart = new Map(state.hours.map(({ start, flows }) => [start, flows]));
  return {
    kept,
    installed: new Date(state.installed).toISOString(),
    sinceStart: periodOf(state.sinceStart),
    today: periodOf(state.today),
    sinceInstallation: periodOf(state.total),
    hours: Array.from({ length: HOURS }, (_, index) => {
      const start = last - (HOURS - 1 - index) * hour;
      const { received, served } = byStart.get(start) ?? noFlows();
      return { start: new Date(start).toISOString(), received, served };
    }),
  };
}

function periodOf(flows: Flows): Period {
  const { received, served } = flows;
  return { received, served, saved: { here: savedOf(flows), others: amountOf(served) } };
}

/** What is wrong with peers, mirrors and discovery, in sentences with what to do about it. */
export function problemsOf(
  { peers, mirrors, discovery }: Pick<Snapshot, "peers" | "mirrors" | "discovery">,
): string[] {
  const problems: string[] = [];
  for (const { url, state, foundBy, trouble } of peers) {
    if (state !== "backoff" || !foundBy.includes("--peer")) continue;
    problems.push(`The peer ${url}, which --peer names, does not answer: ${trouble ?? "unknown"}.`);
  }
  if (mirrors.length > 0 && mirrors.every(({ state }) => state === "fails")) {
    problems.push(
      mirrors.length === 1
        ? `The mirror ${mirrors[0]?.origin} fails.`
        : `All ${mirrors.length} mirrors of pacman.conf fail.`,
    );
  }
  const { means, interfaces } = discovery;
  if (means.length > 0 && interfaces.length === 0) {
    problems.push(
      `Peers are looked for by ${means.join(" and ")}, but on no network interface: there is no ` +
        "network, or --multicast-interface has to name one.",
    );
  }
  return problems;
}

/**
 * The status of a pacserve at one moment: the object from which the text for terminals, the page, the JSON
 * and the metrics are written. `doc/status.md` describes it for scripts.
 */

import { type CountersState, HOURS } from "./counters.ts";
import { type Amount, amountOf, type Flows, noFlows, savedOf } from "./traffic.ts";

/** The version of the JSON. Fields may be added within a version; existing ones do not change. */
export const SNAPSHOT_VERSION = 1;

/** The status of a peer. */
export interface PeerStatus {
  readonly url: string;
  readonly state: "candidate" | "alive" | "backoff";
  /** How the peer was found: `--peer`, `multicast`, `multicast DNS`, `its own word`. */
  readonly foundBy: readonly string[];
  /** Seconds since the peer last announced itself or answered; null if it never did. */
  readonly lastSeen: number | null;
  /** Round-trip time in milliseconds; null before the first answer. */
  readonly roundTrip: number | null;
  /** Rate of the last file from it, in bytes per second; null before the first. */
  readonly rate: number | null;
  /** The amount received from it since the start. */
  readonly received: Amount;
  /** Consecutive failures up to now. */
  readonly failures: number;
  /** The reason for its backoff; null without one. */
  readonly trouble: string | null;
}

/** The status of a mirror. */
export interface MirrorStatus {
  /** Its scheme, host and port. */
  readonly origin: string;
  readonly repositories: readonly string[];
  readonly state: "answers" | "fails" | "not asked";
  /** Consecutive failures up to now. */
  readonly failures: number;
  /** Seconds for which the other mirrors are preferred to it. */
  readonly pause: number;
  /** Rate of the last file from it, in bytes per second; null before the first. */
  readonly rate: number | null;
  /** The amount received from it since the start. */
  readonly received: Amount;
}

/** A transfer under way. */
export interface TransferStatus {
  /** `receiving`: for this host's pacman; `sending`: to another machine. */
  readonly direction: "receiving" | "sending";
  readonly file: string;
  /** Size in bytes; null while unknown. */
  readonly size: number | null;
  /** Bytes that were received or sent so far. */
  readonly done: number;
  /** Bytes per second since it began. */
  readonly rate: number;
  /** The source, such as `mirror https://example.org`; null before a source answers. */
  readonly from: string | null;
  /** IP address of the machine that receives it; null for this host. */
  readonly to: string | null;
}

/** The traffic that did not use the internet. */
interface Saved {
  /** Files that this host's pacman received, but not from a mirror. */
  readonly here: Amount;
  /** Files that other machines received from this server. */
  readonly others: Amount;
}

/** The traffic of a period of time. */
export interface Period extends Flows {
  readonly saved: Saved;
}

/** The counters in the status. */
export interface CounterStatus {
  /** True when the counters survive the end of the server. */
  readonly kept: boolean;
  /** The time when counting began, in ISO 8601. */
  readonly installed: string;
  readonly sinceStart: Period;
  /** Since midnight in the time zone of this host. */
  readonly today: Period;
  readonly sinceInstallation: Period;
  /** The last 24 hours, the oldest first. */
  readonly hours: readonly HourStatus[];
}

/** The traffic of an hour. */
export interface HourStatus extends Flows {
  /** The beginning of the hour, in ISO 8601. */
  readonly start: string;
}

/** The status of a server. */
export interface Snapshot {
  readonly version: typeof SNAPSHOT_VERSION;
  readonly program: { readonly name: string; readonly version: string };
  /** The time of the snapshot, in ISO 8601. */
  readonly time: string;
  readonly running: {
    /** In ISO 8601. */
    readonly since: string;
    readonly seconds: number;
  };
  /** The URLs of this server. */
  readonly addresses: readonly string[];
  readonly peers: readonly PeerStatus[];
  /** The means and the network interfaces of discovery. */
  readonly discovery: { readonly means: readonly string[]; readonly interfaces: readonly string[] };
  readonly mirrors: readonly MirrorStatus[];
  readonly transfers: readonly TransferStatus[];
  readonly counters: CounterStatus;
  /** The problems, one sentence each; empty if there are none. */
  readonly problems: readonly string[];
}

/** Returns the counters in the form of a snapshot. */
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

/** Returns the problems with peers, mirrors and discovery, as sentences that say what to do. */
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
      `Discovery by ${means.join(" and ")} has no network interface: there is no ` +
        "network, or you have to name an interface with --multicast-interface.",
    );
  }
  return problems;
}

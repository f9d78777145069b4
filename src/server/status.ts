/** Collects the status of a running server from its parts. */

import { bodyLength } from "../http/exchange.ts";
import type { FinishedExchange } from "../http/listener.ts";
import type { Network } from "../http/network.ts";
import { reachableAddresses, serverUrl } from "../http/reachable.ts";
import { parseTarget } from "../http/target.ts";
import type { PacserveConfiguration } from "../pacserve/configuration.ts";
import type { PacserveMemory } from "../pacserve/pacserve.ts";
import type { Job } from "../pacserve/relay/downloads.ts";
import { mirrorOrigins, Self } from "../pacserve/servers.ts";
import type { PeerRow, Peers } from "../peers/peers.ts";
import type { CountersState } from "../status/counters.ts";
import {
  counterStatus,
  type MirrorStatus,
  type PeerStatus,
  problemsOf,
  type Snapshot,
  SNAPSHOT_VERSION,
  type TransferStatus,
} from "../status/snapshot.ts";
import { VERSION } from "../version.ts";
import type { ServerConfiguration } from "./configuration.ts";

/** The parts of a server whose status is collected. */
interface StatusParts {
  readonly configuration: ServerConfiguration;
  readonly network: Pick<Network, "interfaces" | "isOwn">;
  readonly peers: Pick<Peers, "rows" | "places">;
  readonly memory: Pick<PacserveMemory, "mirrors" | "relay" | "received">;
  /** The TCP port. */
  readonly port: number;
  /** Replies that are being sent. */
  readonly active: readonly FinishedExchange[];
  readonly counters: CountersState;
  readonly isKept: boolean;
  /** Milliseconds on the clock of `performance.now()` at the start of the server; it may be below 0. */
  readonly started: number;
}

/** Returns the present status of a server. */
export function snapshotOf(parts: StatusParts): Snapshot {
  const { configuration, port, network, peers, memory, started } = parts;
  const now = Date.now();
  const seconds = Math.max(0, (performance.now() - started) / 1000);
  const { means, interfaces } = peers.places();
  const looks = {
    peers: peers.rows().map((row) => peerStatus(row, memory)),
    mirrors: mirrorStatuses(configuration, memory),
    discovery: { means, interfaces },
  };
  return {
    version: SNAPSHOT_VERSION,
    program: { name: configuration.program, version: VERSION },
    time: new Date(now).toISOString(),
    running: {
      since: new Date(now - seconds * 1000).toISOString(),
      seconds: Math.round(seconds),
    },
    addresses: reachableAddresses(configuration.listen, network.interfaces())
      .map((host) => serverUrl(configuration.listen, host, port)),
    ...looks,
    transfers: [
      ...memory.relay.running.map((job) => receiving(job, memory)),
      ...parts.active.flatMap((exchange) => sending(exchange, network)),
    ],
    counters: counterStatus(parts.counters, parts.isKept, now),
    problems: problemsOf(looks),
  };
}

const NOTHING = { files: 0, bytes: 0 };

function peerStatus(row: PeerRow, { received }: Pick<PacserveMemory, "received">): PeerStatus {
  const { url, state, origin, means, lastSeen, roundTrip, failures, trouble } = row;
  const name = `peer ${url.replace(/\/$/, "")}`;
  const complete = received.of(name);
  const inFlight = received.of(`${name} (in flight)`);
  const foundBy: string[] = [...origin === "static" ? ["--peer"] : [], ...means];
  return {
    url,
    state,
    foundBy: foundBy.length === 0 ? ["its own word"] : foundBy,
    lastSeen: lastSeen === null ? null : Math.round(lastSeen),
    roundTrip: roundTrip === null ? null : Math.round(roundTrip * 100) / 100,
    rate: complete?.rate || inFlight?.rate || null,
    received: {
      files: (complete?.files ?? 0) + (inFlight?.files ?? 0),
      bytes: (complete?.bytes ?? 0) + (inFlight?.bytes ?? 0),
    },
    failures,
    trouble,
  };
}

function mirrorStatuses(
  { pacserve }: ServerConfiguration,
  { mirrors, received }: Pick<PacserveMemory, "mirrors" | "received">,
): MirrorStatus[] {
  if (pacserve === null) return [];
  return [...mirrorOrigins(pacserve.pacman, selfOf(pacserve))].map(([origin, repositories]) => {
    const record = received.of(`mirror ${origin}`);
    const { state, failures, pause } = mirrors.stateOf(origin);
    return {
      origin,
      repositories,
      state: state === "not asked" && record !== null ? "answers" : state,
      failures,
      pause,
      rate: record?.rate || null,
      received: record === null ? NOTHING : { files: record.files, bytes: record.bytes },
    };
  });
}

/** Returns how `Server` lines may name this server. The network is not needed, because they name `localhost`. */
function selfOf({ port, hostNames }: PacserveConfiguration): Self {
  return new Self([port], hostNames, null);
}

function receiving(
  { download, failover }: Job,
  { received }: StatusParts["memory"],
): TransferStatus {
  const { name, size, start } = download;
  const from = download.segments.at(-1)?.source ?? failover.sources[0];
  const age = received.age(download);
  return {
    direction: "receiving",
    file: name,
    size,
    done: download.received,
    rate: rateOf(download.received - start, age),
    from: from?.name ?? null,
    to: null,
  };
}

function sending(
  { request, reply, bytesSent, durationMs }: FinishedExchange,
  network: Pick<Network, "isOwn">,
): TransferStatus[] {
  const { remoteAddress, localAddress } = request.connection;
  if (reply.fileSource === undefined || network.isOwn(remoteAddress, localAddress)) return [];
  return [{
    direction: "sending",
    file: parseTarget(request.target)?.segments.at(-1) ?? "",
    size: bodyLength(reply),
    done: bytesSent,
    rate: rateOf(bytesSent, durationMs),
    from: reply.source ?? null,
    to: remoteAddress,
  }];
}

function rateOf(bytes: number, milliseconds: number): number {
  return Math.round(bytes / Math.max(1, milliseconds) * 1000);
}

/** State that is kept between requests, and survives a new configuration. */

import { BoundedMap } from "../bounded_map.ts";
import type { Log } from "../log.ts";
import type { ProxyVariables } from "../pacman/proxy_environment.ts";
import type { LiveCounters } from "../status/live_counters.ts";
import type { SpoolConfiguration } from "./configuration.ts";
import { Mirrors } from "./mirrors.ts";
import { FileClient } from "./relay/http_client.ts";
import { Proxies } from "./relay/proxies.ts";
import { Received } from "./relay/received.ts";
import { Relay } from "./relay/relay.ts";
import { Signatures } from "./relay/signatures.ts";
import { SourceMemory, type SourceMemoryState } from "./relay/source_memory.ts";
import { SpoolDirectory } from "./relay/spool.ts";
import { RELAY_TIMES, type RelayTimes } from "./relay/times.ts";
import { newInstanceName } from "./via.ts";

/** Milliseconds for which the mirror of a database is stored, because its signature must come from there. */
const DATABASE_REMEMBERED = 600_000;

/** State that is kept between requests, with the running downloads. Its size is limited. */
export interface PacserveMemory {
  /** The answers of mirrors, and the mirrors that failed. */
  readonly mirrors: Mirrors;
  /** The peers that sent wrong files, or failed. */
  readonly sources: SourceMemory;
  /** The origin of the mirror that sent a database, by repository and name. */
  readonly databases: BoundedMap<string, string>;
  readonly relay: Relay;
  /** Counts the files and bytes of the relay's downloads. */
  readonly received: Received;
  readonly signatures: Signatures;
  /** Sends requests to peers, never through a proxy. */
  readonly peerClient: FileClient;
  /** Sends requests to mirrors, through the proxies of the environment. */
  readonly mirrorClient: FileClient;
  /** Name of this server in `Via`. */
  readonly instance: string;
}

/** The options of {@link createPacserveMemory}. */
interface PacserveMemoryOptions {
  readonly log: Log;
  /** Null when files are relayed through windows only. */
  readonly spool?: SpoolConfiguration | null;
  /** Null when mirrors are reached without a proxy. */
  readonly proxies?: ProxyVariables | null;
  /** The state of the previous worker. */
  readonly sources?: SourceMemoryState;
  readonly times?: RelayTimes;
  /** Counters of files and bytes; by default they are not counted. */
  readonly counters?: Pick<LiveCounters, "count">;
}

/** Creates a memory that contains only the state in the options. */
export function createPacserveMemory(
  options: PacserveMemoryOptions,
): PacserveMemory {
  const { log, spool = null, proxies = null, sources: state } = options;
  const { times = RELAY_TIMES, counters = { count: (): void => {} } } = options;
  const mirrorClient = new FileClient(proxies === null ? null : new Proxies(proxies));
  const sources = new SourceMemory(times);
  if (state !== undefined) sources.import(state);
  const received = new Received(counters);
  return {
    mirrors: new Mirrors({ client: mirrorClient, log }),
    sources,
    databases: new BoundedMap(1_000, DATABASE_REMEMBERED),
    relay: new Relay({
      spools: spool === null ? null : new SpoolDirectory(spool.directory, spool.size),
      memory: sources,
      log,
      times,
      received,
    }),
    received,
    signatures: new Signatures(times),
    peerClient: new FileClient(),
    mirrorClient,
    instance: newInstanceName(),
  };
}

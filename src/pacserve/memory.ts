/** What is remembered from request to request, and survives another configuration. */

import { LRUCache } from "lru-cache";
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

/** How long (ms) it is remembered which mirror gave a database, for its signature. */
const DATABASE_REMEMBERED = 600_000;

/** What the choice remembers: small, bounded, and of no use after an hour. Downloads are part of it. */
export interface PacserveMemory {
  /** What the mirrors said, and which of them are dead. */
  readonly mirrors: Mirrors;
  /** Whose copies were wrong. */
  readonly sources: SourceMemory;
  /** The origin of the mirror that gave a database, by repository and name. */
  readonly databases: LRUCache<string, string>;
  readonly relay: Relay;
  /** Counts what the relay's downloads bring. */
  readonly received: Received;
  readonly signatures: Signatures;
  /** Asks peers: never through a proxy. */
  readonly peerClient: FileClient;
  /** Asks mirrors: through the proxies of the environment. */
  readonly mirrorClient: FileClient;
  /** Our name in `Via`. */
  readonly instance: string;
}

/** What a memory begins with. */
interface PacserveMemoryOptions {
  readonly log: Log;
  /** Null: what is relayed goes through windows. */
  readonly spool?: SpoolConfiguration | null;
  /** Null: mirrors are asked directly. */
  readonly proxies?: ProxyVariables | null;
  /** What the worker before this one knew. */
  readonly sources?: SourceMemoryState;
  readonly times?: RelayTimes;
  /** Where files and bytes are counted; by default nowhere. */
  readonly counters?: Pick<LiveCounters, "count">;
}

/** A memory with nothing in it but what the options say. */
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
    databases: new LRUCache({ max: 1_000, ttl: DATABASE_REMEMBERED }),
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

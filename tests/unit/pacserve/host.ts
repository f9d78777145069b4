/** A host with caches, a pacman.conf and sources, for the tests of `src/pacserve`. */

import type { HttpRequest, Reply } from "../../../src/http/exchange.ts";
import { parseTarget } from "../../../src/http/target.ts";
import type { PacmanConfiguration, Repository } from "../../../src/pacman/configuration.ts";
import { Pacserve } from "../../../src/pacserve/pacserve.ts";
import type { ExpectedFile } from "../../../src/pacserve/expected_files.ts";
import { createPacserveMemory, type PacserveMemory } from "../../../src/pacserve/memory.ts";
import type { Found } from "../../../src/peers/finder.ts";
import { FileReplies } from "../../../src/quickserve/file_reply.ts";
import { SharedTree } from "../../../src/quickserve/tree.ts";
import { KeptLog } from "../../log.ts";
import { makeRequest } from "../../request.ts";

/** The options of a host. */
export interface HostParts {
  /** Local directories that are shared as `pkg`. */
  readonly caches?: readonly string[];
  readonly repositories?: readonly Repository[];
  readonly pacman?: Partial<PacmanConfiguration>;
  readonly trustPeers?: boolean;
  readonly port?: number;
  /** Searches the peers for a path (`pkg/foo`); by default no peer has any file. */
  readonly findPeer?: (place: string) => Promise<Found | null>;
  readonly memory?: PacserveMemory;
  /** Directory of spools; by default there are none, so that no file is shared during its download. */
  readonly spool?: string;
  /** False when this host's requests are relayed. */
  readonly redirect?: boolean;
  /** The answers of the trackers; by default no other server downloads any file. */
  readonly wants?: ConstructorParameters<typeof Pacserve>[0]["peers"]["wants"];
  /** The files in the databases, by name. */
  readonly expected?: ReadonlyMap<string, ExpectedFile>;
}

/** The options of a request. */
export interface Asked {
  /** The client's address; this host's by default. */
  readonly from?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A host under test, until it is disposed of. */
export interface Host extends AsyncDisposable {
  readonly answer: (request: HttpRequest) => Reply | Promise<Reply> | null;
  /** Sends a request like pacman. Null when the file server would answer. */
  readonly get: (target: string, asked?: Asked) => Promise<Reply | null>;
  /** Sends a request like a peer. Null when the file server would answer. */
  readonly getAsPeer: (target: string, headers?: Asked["headers"]) => Reply | null;
  /** The paths for which the peers were searched. */
  readonly searched: readonly string[];
  readonly log: readonly string[];
}

/** Creates a host. */
export function makeHost(parts: HostParts): Host {
  const tree = new SharedTree({
    shares: [{ path: "pkg", sources: parts.caches ?? [], packageCache: true }],
    filters: [],
    showHidden: false,
    followLinks: false,
  });
  const files = new FileReplies(tree, "cache");
  const searched: string[] = [];
  const log = new KeptLog();
  const memory = parts.memory ?? createPacserveMemory({
    log,
    spool: parts.spool === undefined ? null : { directory: parts.spool, size: 1e9 },
  });
  const pacserve = new Pacserve({
    configuration: {
      pacman: {
        cacheDirectories: parts.caches ?? [],
        databasePath: "/var/lib/pacman",
        architectures: ["x86_64"],
        repositories: parts.repositories ?? [],
        ...parts.pacman,
      },
      trustPeers: parts.trustPeers ?? false,
      port: parts.port ?? 15678,
      hostNames: ["box"],
      redirect: parts.redirect ?? true,
      spool: null,
      authorities: [],
      proxies: null,
    },
    tree,
    files,
    peers: {
      instance: "this-very-server",
      wants: parts.wants ?? {
        instance: "this-very-server",
        ask: () => ({
          soon: () => Promise.resolve(null),
          late: Promise.resolve(null),
          confirm: (): void => {},
        }),
        peerOf: () => null,
      },
      finder: {
        find: async (segments, _client, mayAsk) => {
          searched.push(segments.join("/"));
          const found = await parts.findPeer?.(segments.join("/")) ?? null;
          return found !== null && mayAsk?.(found.peer) === false ? null : found;
        },
      },
    },
    network: { isOwn: (address) => address === "127.0.0.1" || address === "10.0.0.1" },
    log,
    expected: {
      find: (_repository, name) => Promise.resolve(parts.expected?.get(name) ?? null),
      known: (name) => [parts.expected?.get(name) ?? []].flat(),
    },
    memory,
  });
  const answer = (request: HttpRequest): Reply | Promise<Reply> | null => {
    const target = parseTarget(request.target);
    return target === null ? null : pacserve.answer(request, target);
  };
  return {
    answer,
    get: async (target, asked = {}) =>
      await answer(makeRequest({
        target,
        method: asked.method ?? "GET",
        headers: asked.headers ?? {},
        connection: { remoteAddress: asked.from ?? "127.0.0.1", localPort: parts.port ?? 15678 },
      })),
    getAsPeer: (target, headers = {}) => {
      const request = makeRequest({ target, method: "GET", headers });
      return pacserve.answerPeer(request, parseTarget(target)!);
    },
    searched,
    log: log.lines,
    [Symbol.asyncDispose](): Promise<void> {
      pacserve.close();
      memory.relay.close();
      memory.peerClient.close();
      memory.mirrorClient.close();
      return Promise.resolve();
    },
  };
}

/** Returns a repository of pacman.conf. */
export function repositoryWith(
  servers: readonly string[],
  packageSignatureRequired: boolean = true,
  name: string = "core",
): Repository {
  return { name, servers, packageSignatureRequired };
}

/** Returns a search that finds these files at the peer with this URL. */
export function peerWith(
  peer: string,
  ...files: string[]
): (place: string) => Promise<Found | null> {
  return (place) => {
    const has = files.some((file) => place === `pkg/${file}`);
    return Promise.resolve(has ? { peer, url: `${peer}${place}`, size: null } : null);
  };
}

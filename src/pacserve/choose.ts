/**
 * The heart: where pacman gets a file from.
 *
 * 1. the local caches, and what else is shared in `pkg`;
 * 2. the directories of a repository that has only `file:` servers;
 * 3. a peer that has just said that it has the file, if it may come from a peer;
 * 4. the first mirror that has it.
 *
 * A file that nobody has is a 404. Peers and mirrors are asked side by side.
 */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import type { Network } from "../http/network.ts";
import type { Target } from "../http/target.ts";
import type { Repository } from "../pacman/configuration.ts";
import type { Finder, Found } from "../peers/finder.ts";
import type { FileReplies } from "../quickserve/file_reply.ts";
import type { SharedTree } from "../quickserve/tree.ts";
import { redirectReply, textReply } from "../http/replies.ts";
import {
  hidePackageName,
  isOptional,
  isPackageOrItsSignature,
  type PacmanAddress,
  parsePacmanAddress,
  placeOf,
} from "./address.ts";
import type { PacserveConfiguration } from "./configuration.ts";
import { FileRepositories } from "./file_repositories.ts";
import { createPacserveMemory, type PacserveMemory } from "./memory.ts";
import type { MirrorChoice } from "./mirrors.ts";
import { isForClient, mayComeFromPeer } from "./provenance.ts";
import { relay } from "./relay.ts";
import { isSelf, mirrorsOf, type Self } from "./servers.ts";
import { hasBeenThrough, hasComeFar, viaWith } from "./via.ts";

export { createPacserveMemory, type PacserveMemory } from "./memory.ts";

/** What the room needs from the rooms around it. */
export interface PacserveParts {
  readonly configuration: PacserveConfiguration;
  readonly tree: Pick<SharedTree, "lookup">;
  readonly files: Pick<FileReplies, "reply">;
  /** Those that the client can reach are asked. */
  readonly peers: { readonly finder: Pick<Finder, "find"> };
  readonly network: Pick<Network, "isOwn">;
  readonly log: (level: "warning" | "normal" | "verbose", sentence: string) => void;
  /** What is remembered; one that is kept survives another configuration. */
  readonly memory?: PacserveMemory;
}

/**
 * So much later (ms) than the peers the mirrors are asked, if the peers have not answered by then. On
 * a quiet LAN they have, and a package that comes from a peer costs the mirror nothing.
 */
const HEAD_START = 50;

/** Answers requests for pacman's addresses. */
export class Pacserve {
  readonly #parts: PacserveParts;
  readonly #memory: PacserveMemory;
  readonly #fileRepositories: FileRepositories;
  readonly #repositories: ReadonlyMap<string, Repository>;

  constructor(parts: PacserveParts) {
    const { pacman } = parts.configuration;
    this.#parts = parts;
    this.#memory = parts.memory ?? createPacserveMemory(parts.log);
    this.#fileRepositories = new FileRepositories(pacman, this.#self(null));
    this.#repositories = new Map(pacman.repositories.map((each) => [each.name, each]));
  }

  /** Lets go of what is kept in memory. */
  close(): void {
    this.#fileRepositories.close();
  }

  /**
   * Answers a request for an address of pacman's.
   *
   * @returns null for every other request, and where the shared tree has a directory: the file
   * server underneath answers it.
   */
  answer(request: HttpRequest, target: Target): Reply | Promise<Reply> | null {
    if (request.method !== "GET" && request.method !== "HEAD") return null;
    const address = parsePacmanAddress(target);
    if (address === null) return null;

    const found = this.#parts.tree.lookup(placeOf(address));
    if (found?.kind === "directory") return null;
    const isLocal = this.#parts.network.isOwn(request.connection.remoteAddress);
    const { configuration } = this.#parts;
    const isSkipped = found !== null &&
      !isForClient(address, found.localPath, isLocal, configuration);
    if (found !== null && !isSkipped) {
      const reply = this.#parts.files.reply(found, request);
      if (reply !== null) return reply;
    }
    if (address.repository !== null) {
      const { repository, file } = address;
      const reply = this.#fileRepositories.reply(repository, file, request);
      if (reply !== null) return reply;
    }
    const via = request.headers["via"];
    if (hasBeenThrough(via, this.#memory.instance) || hasComeFar(via)) {
      return textReply(508, "508 This server has been asked already");
    }
    // What we skip of our own, the peers may have from us.
    return this.#elsewhere(request, address, isLocal, !isSkipped);
  }

  /** Peers and mirrors. */
  async #elsewhere(
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
    peersToo: boolean,
  ): Promise<Reply> {
    const place = placeOf(address);
    const askPeers = (): Promise<Found | null> =>
      peersToo && mayComeFromPeer(address, this.#repository(address), this.#parts.configuration)
        ? this.#askPeers(place, request)
        : Promise.resolve(null);
    const askMirrors = (): Promise<MirrorChoice | null> =>
      this.#askMirrors(request, address, isLocal);

    if (isLocal && this.#memory.repeats.wasSentToPeer(address.file)) {
      // The copy of a peer was bad, or broke off. Another peer's may be as bad.
      const mirror = await askMirrors();
      const reply = mirror === null ? null : await this.#fromMirror(request, mirror);
      if (reply !== null) return reply;
      const peer = await askPeers();
      return peer === null ? notFound(address) : this.#toPeer(peer, address);
    }
    const peerSearch = askPeers();
    const mirrorCheck = delayed(peerSearch, HEAD_START, askMirrors);
    const peer = await peerSearch;
    if (peer !== null) {
      // A database is asked for again whenever pacman looks for news: no copy of it was bad.
      const isPackage = isPackageOrItsSignature(address.file);
      if (isLocal && isPackage && request.method === "GET") {
        this.#memory.repeats.sentToPeer(address.file);
      }
      return this.#toPeer(peer, address);
    }
    const mirror = await mirrorCheck;
    const reply = mirror === null ? null : await this.#fromMirror(request, mirror);
    return reply ?? notFound(address);
  }

  async #askPeers(
    place: readonly string[],
    request: HttpRequest,
  ): Promise<Found | null> {
    try {
      return await this.#parts.peers.finder.find(place, request);
    } catch (error) {
      // A search that fails must not keep pacman from the mirrors.
      if (!request.signal.aborted) {
        this.#parts.log("warning", `the search among peers failed: ${error}`);
      }
      return null;
    }
  }

  /**
   * The first mirror that has the file. For an address without a repository (a peer was asked by one
   * who found it in our cache, from where it is gone meanwhile) the mirrors of every repository are
   * asked.
   */
  async #askMirrors(
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
  ): Promise<MirrorChoice | null> {
    const { pacman } = this.#parts.configuration;
    const { repository: name, architecture, file } = address;
    const self = this.#self(request.connection.localPort);
    const repositories = name !== null
      ? [this.#repository(address)]
      : isPackageOrItsSignature(file)
      ? pacman.repositories
      : [];
    const choices = await Promise.all(repositories.map((repository) => {
      if (repository === undefined) return null;
      const mirrors = mirrorsOf(repository, pacman, architecture, self, file)
        .filter((mirror) => isLocal || !mirror.onlyForThisHost);
      return this.#memory.mirrors.choose({
        mirrors,
        file,
        optional: isOptional(file),
        via: this.#viaFor(request),
        isSelf: (url) => isSelf(url, self),
        neighbour: isLocal ? null : request.connection.remoteAddress,
      });
    }));
    return choices.find((choice) => choice !== null && (choice.verified || name !== null)) ?? null;
  }

  /** The section of pacman.conf that an address names. */
  #repository({ repository }: PacmanAddress): Repository | undefined {
    return repository === null ? undefined : this.#repositories.get(repository);
  }

  #toPeer(found: Found, { file }: PacmanAddress): Reply {
    const url = isPackageOrItsSignature(file) ? hidePackageName(found.url) : found.url;
    return { ...redirectReply(url), source: `peer ${found.peer.replace(/\/$/, "")}` };
  }

  /** A redirect to the mirror, or the file itself where a redirect would not get it. */
  #fromMirror(request: HttpRequest, choice: MirrorChoice): Reply | Promise<Reply | null> {
    if (choice.hasCredentials) {
      const self = this.#self(request.connection.localPort);
      return relay(choice, request, this.#viaFor(request), (url) => isSelf(url, self));
    }
    const mark = choice.verified ? "" : " (not verified)";
    return { ...redirectReply(choice.url), source: `mirror ${choice.origin}${mark}` };
  }

  #viaFor(request: HttpRequest): string {
    return viaWith(request.headers["via"], this.#memory.instance);
  }

  /** @param localPort the port on which a request came in; null while there is none. */
  #self(localPort: number | null): Self {
    const { port, hostNames } = this.#parts.configuration;
    return {
      ports: localPort === null || localPort === port ? [port] : [port, localPort],
      hostNames,
      isOwnAddress: (address) => this.#parts.network.isOwn(address),
    };
  }
}

/** What `act` gives, called when `earlier` gave null, or after `milliseconds` if it gave nothing yet. */
function delayed<T>(
  earlier: Promise<unknown>,
  milliseconds: number,
  act: () => Promise<T | null>,
): Promise<T | null> {
  return new Promise((resolve, reject) => {
    let begun = false;
    const begin = (): void => {
      if (begun) return;
      begun = true;
      act().then(resolve, reject);
    };
    const timer = setTimeout(begin, milliseconds);
    earlier.then((result) => {
      clearTimeout(timer);
      if (result === null) begin();
      else if (!begun) resolve(null);
    }, reject);
  });
}

function notFound({ file }: PacmanAddress): Reply {
  const text = `404 No cache, peer or mirror has ${JSON.stringify(file)}`;
  return { ...textReply(404, text), source: "nowhere" };
}

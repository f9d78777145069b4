/**
 * The heart: where pacman gets a file from.
 *
 * 1. the local caches, and what else is shared in `pkg`;
 * 2. the directories of a repository that has only `file:` servers;
 * 3. a peer that has just said that it has the file, if it may come from a peer;
 * 4. the first mirror that has it.
 *
 * This host's own pacman gets the file from here (`relayed_files.ts`), so that a source that fails can
 * be replaced. Other machines' clients are redirected (`redirects.ts`). A file that nobody has is a 404.
 * Peers and mirrors are asked side by side.
 */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import type { Target } from "../http/target.ts";
import type { Network } from "../http/network.ts";
import { textReply } from "../http/replies.ts";
import type { Log } from "../log.ts";
import type { Finder } from "../peers/finder.ts";
import type { FileReplies } from "../quickserve/file_reply.ts";
import type { SharedFile } from "../quickserve/shared.ts";
import { isPackage, PACKAGES, type PacmanAddress, parsePacmanAddress, placeOf } from "./address.ts";
import { unconditional } from "./conditions.ts";
import type { ExpectedFiles } from "./expected_files.ts";
import { FileRepositories } from "./file_repositories.ts";
import type { PacserveMemory } from "./memory.ts";
import { isBroken, isOfAnotherBuild } from "./own_copy.ts";
import { PeerSearch } from "./peer_search.ts";
import { isForClient } from "./policy.ts";
import { Redirects } from "./redirects.ts";
import { RelayedFiles, type RelayedParts } from "./relayed_files.ts";
import { RepositoryMirrors } from "./repository_mirrors.ts";
import { Self } from "./servers.ts";
import { hasBeenThrough, hasComeFar } from "./via.ts";

export { createPacserveMemory, type PacserveMemory } from "./memory.ts";

/** What the room needs from the rooms around it. */
export interface PacserveParts extends RelayedParts {
  readonly files: Pick<FileReplies, "reply">;
  readonly peers: RelayedParts["peers"] & { readonly finder: Pick<Finder, "find"> };
  readonly network: Pick<Network, "isOwn">;
  readonly log: Pick<Log, "warn">;
  readonly expected: Pick<ExpectedFiles, "find" | "known">;
}

/** Answers requests for pacman's addresses. */
export class Pacserve {
  readonly #parts: PacserveParts;
  readonly #memory: PacserveMemory;
  readonly #fileRepositories: FileRepositories;
  readonly #relayed: RelayedFiles;
  readonly #redirects: Redirects;

  constructor(parts: PacserveParts) {
    const { configuration, memory, network, expected } = parts;
    this.#parts = parts;
    this.#memory = memory;
    const self = new Self([configuration.port], configuration.hostNames, network);
    this.#fileRepositories = new FileRepositories(configuration.pacman, self);
    const search = new PeerSearch(parts.peers.finder, parts.log);
    const mirrors = new RepositoryMirrors(configuration, memory, network);
    this.#relayed = new RelayedFiles(parts, search, mirrors);
    this.#redirects = new Redirects(configuration, expected, search, mirrors, this.#relayed);
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
    const { remoteAddress, localAddress } = request.connection;
    const isLocal = this.#parts.network.isOwn(remoteAddress, localAddress);
    const isSkipped = found !== null &&
      !isForClient(address, found.localPath, isLocal, this.#parts.configuration);
    if (found === null || isSkipped) return this.#notHere(request, address, isLocal, !isSkipped);
    if (!isLocal && isBroken(this.#parts.expected, address.file, found.size)) {
      return this.#notHere(request, address, isLocal, true);
    }
    if (!isLocal || !isPackage(address.file)) {
      return this.#fromCache(found, request, address, isLocal);
    }
    // This host's pacman gets no file from here that it would throw away.
    return this.#parts.expected.find(address.repository, address.file).then((expected) =>
      expected !== null && expected.size !== found.size
        ? this.#wrongInCache(found, request, address)
        : this.#fromCache(found, request, address, isLocal)
    );
  }

  /**
   * Answers a request of a peer: it wants to know what is here, and does its own search elsewhere.
   *
   * @returns 404 for a package that is not the one that the peer wants, or that is broken; what is being
   * downloaded, for a peer that may have it; null for every other request: the file server underneath
   * answers it.
   */
  answerPeer(request: HttpRequest, { segments }: Target): Reply | null {
    const [directory, name = ""] = segments;
    if (directory !== PACKAGES || segments.length !== 2) return null;
    const { tree, expected } = this.#parts;
    const found = tree.lookup(segments);
    if (found === null) {
      const isForFile = request.method === "GET" || request.method === "HEAD";
      const { relay } = this.#memory;
      return isForFile ? relay.holder.answer(request, name, this.#parts.peers.instance) : null;
    }
    const isWithheld = found?.kind === "file" &&
      (isBroken(expected, name, found.size) || isOfAnotherBuild(expected, name, request));
    return isWithheld ? textReply(404, "404 This server has another file of this name") : null;
  }

  #fromCache(
    found: SharedFile,
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
  ): Reply | Promise<Reply> {
    return this.#parts.files.reply(found, request) ??
      this.#notHere(request, address, isLocal, true);
  }

  async #wrongInCache(
    { localPath, size }: SharedFile,
    request: HttpRequest,
    address: PacmanAddress,
  ): Promise<Reply> {
    const sentence = `${localPath} has ${size} bytes, which is not what the database says; it is ` +
      "not used";
    this.#parts.log.warn(sentence);
    // pacman asks whether its wrong file is still the newest: the right one may be older, and libcurl
    // would refuse it for its date.
    const reply = await this.#notHere(unconditional(request), address, true, true);
    const { "Last-Modified": _, ...headers } = reply.headers;
    return { ...reply, headers };
  }

  /** @param peersToo false: what we skip of our own, the peers may have from us. */
  #notHere(
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
    peersToo: boolean,
  ): Reply | Promise<Reply> {
    if (address.repository !== null) {
      const { repository, file } = address;
      const reply = this.#fileRepositories.reply(repository, file, request);
      if (reply !== null) return reply;
    }
    if (!isLocal) {
      const reply = this.#memory.relay.holder.answer(
        request,
        address.file,
        this.#parts.peers.instance,
      );
      if (reply !== null) return reply;
    }
    const via = request.headers["via"];
    if (hasBeenThrough(via, this.#memory.instance) || hasComeFar(via)) {
      return textReply(508, "508 This server has been asked already");
    }
    return isLocal && !this.#parts.configuration.redirect
      ? this.#relayed.reply(request, address, peersToo)
      : this.#redirects.reply(request, address, isLocal, peersToo);
  }
}

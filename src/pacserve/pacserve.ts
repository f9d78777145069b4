/**
 * Answers requests of pacman. A file comes from the first of these that has it:
 *
 * 1. the local caches, and other shares in `pkg`;
 * 2. the directories of a repository that has only `file:` servers;
 * 3. a peer that has just confirmed the file, if the file may come from a peer;
 * 4. a mirror.
 *
 * Peers and mirrors are asked at the same time. This server sends the file itself to pacman on this host
 * (`relayed_files.ts`), so that a source that fails can be replaced. Clients on other machines are
 * redirected (`redirects.ts`). If no source has the file, the reply is 404.
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
import { isBroken, isMalformedSignature, isOfAnotherBuild } from "./own_copy.ts";
import { PeerSearch } from "./peer_search.ts";
import { isForClient } from "./policy.ts";
import { Redirects } from "./redirects.ts";
import { RelayedFiles, type RelayedParts } from "./relayed_files.ts";
import { RepositoryMirrors } from "./repository_mirrors.ts";
import { Self } from "./servers.ts";
import { hasBeenThrough, hasComeFar } from "./via.ts";

export { createPacserveMemory, type PacserveMemory } from "./memory.ts";

/** The parts of the server that {@link Pacserve} uses. */
interface PacserveParts extends RelayedParts {
  readonly files: Pick<FileReplies, "reply">;
  readonly peers: RelayedParts["peers"] & { readonly finder: Pick<Finder, "find"> };
  readonly network: Pick<Network, "isOwn">;
  readonly log: Pick<Log, "warn">;
  readonly expected: Pick<ExpectedFiles, "find" | "known">;
}

/** Answers requests of pacman. */
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
    const relayed = this.#relayed;
    this.#redirects = new Redirects({ configuration, expected, search, mirrors, relayed });
  }

  /** Frees cached files. */
  close(): void {
    this.#fileRepositories.close();
  }

  /**
   * Answers a request of pacman.
   *
   * @returns null for every other request, and for a directory of the shared tree: the file server answers
   * these.
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
    // Do not send a file to this host's pacman that pacman would delete.
    return this.#parts.expected.find(address.repository, address.file).then((expected) =>
      expected !== null && expected.size !== found.size
        ? this.#wrongInCache(found, request, address)
        : this.#fromCache(found, request, address, isLocal)
    );
  }

  /**
   * Answers a request of a peer. A peer is never redirected, because it does its own search.
   *
   * @returns 404 when the package here is broken, or another build than the peer needs; the file in the
   * spool, if the peer may get it; null for every other request, which the file server answers.
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

  async #fromCache(
    found: SharedFile,
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
  ): Promise<Reply> {
    const reply = await this.#parts.files.reply(found, request);
    if (reply === null) return await this.#notHere(request, address, isLocal, true);
    if (!isMalformedSignature(address.file, reply)) return reply;
    const other = await this.#notHere(request, address, isLocal, true);
    // If there is no other signature, pacman may accept this one: not all formats are known here.
    if (other.status >= 400) return reply;
    this.#parts.log.warn(`${found.localPath} is not used: it is not a signature`);
    return other;
  }

  async #wrongInCache(
    { localPath, size }: SharedFile,
    request: HttpRequest,
    address: PacmanAddress,
  ): Promise<Reply> {
    const sentence =
      `${localPath} is not used: it has ${size} bytes, which differs from the size ` +
      "in the database";
    this.#parts.log.warn(sentence);
    // Remove the conditions and the date: pacman sends the date of its wrong file. The correct file may be
    // older, and libcurl would then refuse it.
    const reply = await this.#notHere(unconditional(request), address, true, true);
    const { "Last-Modified": _, ...headers } = reply.headers;
    return { ...reply, headers };
  }

  /**
   * Answers from the other sources.
   *
   * @param peersToo false when this host's own copy was skipped: the peers may have got theirs from here.
   */
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
      return textReply(508, "508 This request has passed through this server, or too many others");
    }
    return isLocal && !this.#parts.configuration.redirect
      ? this.#relayed.reply(request, address, peersToo)
      : this.#redirects.reply(request, address, isLocal, peersToo);
  }
}

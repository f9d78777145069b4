/**
 * The heart: where pacman gets a file from.
 *
 * 1. the local caches, and what else is shared in `pkg`;
 * 2. the directories of a repository that has only `file:` servers;
 * 3. a peer that has just said that it has the file, if it may come from a peer;
 * 4. the first mirror that has it.
 *
 * This host's own pacman gets the file from here (`relay/`), so that a source that fails can be
 * replaced. Other machines' clients are redirected. A file that nobody has is a 404. Peers and mirrors
 * are asked side by side.
 */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import type { Target } from "../http/target.ts";
import type { Network } from "../http/network.ts";
import { notModified, redirectReply, textReply } from "../http/replies.ts";
import type { Log } from "../log.ts";
import type { Repository } from "../pacman/configuration.ts";
import type { Finder, Found } from "../peers/finder.ts";
import type { Peers } from "../peers/peers.ts";
import { HEADERS } from "../peers/protocol.ts";
import type { Wants } from "../peers/wants.ts";
import type { FileReplies } from "../quickserve/file_reply.ts";
import type { SharedFile } from "../quickserve/shared.ts";
import type { SharedTree } from "../quickserve/tree.ts";
import {
  hidePackageName,
  isOptional,
  isPackageOrItsSignature,
  isSignature,
  PACKAGES,
  type PacmanAddress,
  parsePacmanAddress,
  placeOf,
} from "./address.ts";
import type { PacserveConfiguration } from "./configuration.ts";
import type { ExpectedFile, ExpectedFiles } from "./expected_files.ts";
import { FileRepositories } from "./file_repositories.ts";
import type { PacserveMemory } from "./memory.ts";
import type { MirrorChoice } from "./mirrors.ts";
import { isBroken, isOfAnotherBuild } from "./own_copy.ts";
import { isForClient, mayComeFromPeer } from "./policy.ts";
import { InFlightFile } from "./relay/in_flight_file.ts";
import { MirrorsOfFile } from "./relay/mirror_copies.ts";
import { PeersWithFile } from "./relay/peer_copies.ts";
import type { Expected, WantedFile } from "./relay/relay.ts";
import type { SourceFailure } from "./relay/source.ts";
import { isSelf, type Mirror, mirrorsOf, type Self } from "./servers.ts";
import { hasBeenThrough, hasComeFar, viaWith } from "./via.ts";

export { createPacserveMemory, type PacserveMemory } from "./memory.ts";

/** What the room needs from the rooms around it. */
export interface PacserveParts {
  readonly configuration: PacserveConfiguration;
  readonly tree: Pick<SharedTree, "lookup">;
  readonly files: Pick<FileReplies, "reply">;
  /** Those that the client can reach are asked. */
  readonly peers: Pick<Peers, "instance"> & {
    readonly finder: Pick<Finder, "find">;
    readonly wants: Pick<Wants, "ask" | "peerOf" | "instance">;
  };
  readonly network: Pick<Network, "isOwn">;
  readonly log: Pick<Log, "warn">;
  /** What pacman's databases say of packages. */
  readonly expected: Pick<ExpectedFiles, "find" | "known">;
  /** What is remembered: it survives another configuration. */
  readonly memory: PacserveMemory;
}

/**
 * So much later (ms) than the peers the mirrors are asked, if the peers have not answered by then. On
 * a quiet LAN they have, and a package that comes from a peer costs the mirror nothing.
 */
const HEAD_START = 50;

/** Conditions that a mirror judges: those for databases (RFC 9110 §13). */
const CONDITIONS: Readonly<Record<string, string>> = {
  "if-modified-since": "If-Modified-Since",
  "if-none-match": "If-None-Match",
};

/** Answers requests for pacman's addresses. */
export class Pacserve {
  readonly #parts: PacserveParts;
  readonly #memory: PacserveMemory;
  readonly #fileRepositories: FileRepositories;
  readonly #repositories: ReadonlyMap<string, Repository>;

  constructor(parts: PacserveParts) {
    const { pacman } = parts.configuration;
    this.#parts = parts;
    this.#memory = parts.memory;
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
    this.#memory.relay.isInCache(address.file);
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
      ? this.#relayed(request, address, peersToo)
      : this.#redirected(request, address, isLocal, peersToo);
  }

  /** For this host: the file itself, from whoever gives it. */
  async #relayed(
    request: HttpRequest,
    address: PacmanAddress,
    peersToo: boolean,
  ): Promise<Reply> {
    this.#forgetCached();
    const mirrors = this.#mirrorsOfFile(request, address, true);
    const wanted = await this.#wanted(request, address, mirrors, peersToo);
    if (isPackageOrItsSignature(address.file) && isSignature(address.file)) {
      return await this.#signature(wanted, address) ?? this.#instead(null, mirrors, address);
    }
    if (wanted.isPackage) this.#fetchSignatureEarly(request, address, peersToo);
    const result = await this.#memory.relay.reply(request, wanted);
    const { answered } = mirrors;
    if (answered !== null && !wanted.isPackage) {
      this.#memory.databases.set(databaseKey(address), answered);
    }
    return "failure" in result ? this.#instead(result.failure, mirrors, address) : result;
  }

  /** What pacman has in its cache by now need not be kept by the relay. */
  #forgetCached(): void {
    const { relay } = this.#memory;
    for (const name of relay.idleNames) {
      if (this.#parts.tree.lookup([PACKAGES, name])?.kind === "file") relay.isInCache(name);
    }
  }

  /** What can be said where there is no file to pass on. */
  #instead(
    failure: SourceFailure | null,
    { forRedirect }: MirrorsOfFile,
    address: PacmanAddress,
  ): Reply {
    if (failure?.kind === "unmodified") {
      return notModified({ "Cache-Control": "no-store" });
    }
    if (failure === null || failure.kind === "absent") return notFound(address);
    // pacman may get there where this server does not: by a proxy in its environment.
    if (forRedirect !== null) return redirectToMirror(forRedirect);
    return textReply(502, `502 No source gave ${JSON.stringify(address.file)}`);
  }

  async #wanted(
    request: HttpRequest,
    address: PacmanAddress,
    mirrors: MirrorsOfFile,
    peersToo: boolean,
  ): Promise<WantedFile> {
    const { file, repository: name } = address;
    const repository = this.#repository(address);
    const described = isPackage(file) ? await this.#parts.expected.find(name, file) : null;
    // What cannot be verified comes from peers only where pacman verifies it.
    const isVerified = !isPackage(file) || described !== null || name === null ||
      this.#parts.configuration.trustPeers || repository?.packageSignatureRequired === true;
    const fromPeers = peersToo && isVerified &&
      mayComeFromPeer(address, repository, this.#parts.configuration);
    const expected = described ??
      (fromPeers && isPackage(file) ? sizeOnly(await mirrors.size()) : null);
    return {
      name: file,
      repository: name,
      expected,
      isPackage: isPackageOrItsSignature(file),
      peers: fromPeers ? this.#peersWithFile(request, address, expected) : null,
      inFlight: fromPeers && described !== null
        ? this.#inFlightFile(request, address, described)
        : null,
      mirrors,
      mirrorFailed: (source, failure) => mirrors.failed(source, failure),
    };
  }

  /** Null for a file whose mirrors are all for this host only: nobody is told of it. */
  #inFlightFile(
    request: HttpRequest,
    address: PacmanAddress,
    { sha256 }: ExpectedFile,
  ): InFlightFile | null {
    const { peers: { wants }, tree, configuration: { authorities } } = this.#parts;
    if (this.#mirrorsOf(request, address, false).every((mirrors) => mirrors.length === 0)) {
      return null;
    }
    return new InFlightFile({
      wants,
      client: this.#memory.peerClient,
      file: address.file,
      digest: sha256.toHex(),
      authorities,
      tree,
    });
  }

  #peersWithFile(
    request: HttpRequest,
    address: PacmanAddress,
    expected: Expected | null,
  ): PeersWithFile {
    const { peers: { instance }, configuration: { authorities } } = this.#parts;
    // Others may share the download, and need its peers when this client is gone.
    const lasting = outlasting(request);
    return new PeersWithFile({
      client: this.#memory.peerClient,
      search: (mayAsk) => this.#askPeers(placeOf(address), lasting, mayAsk),
      size: expected?.size ?? null,
      headers: {
        [HEADERS.instance]: instance,
        ...(expected?.sha256 ? { [HEADERS.digest]: `sha256=${expected.sha256.toHex()}` } : {}),
        ...conditionsOf(request, address),
      },
      authorities,
    });
  }

  #mirrorsOfFile(
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
  ): MirrorsOfFile {
    const self = this.#self(request.connection.localPort);
    return new MirrorsOfFile({
      mirrors: this.#memory.mirrors,
      client: this.#memory.mirrorClient,
      file: address.file,
      repositories: this.#mirrorsOf(request, address, isLocal),
      unverified: address.repository !== null,
      optional: isOptional(address.file),
      via: this.#viaFor(request),
      isSelf: (url) => isSelf(url, self),
      neighbour: isLocal ? null : request.connection.remoteAddress,
      conditions: conditionsOf(request, address),
    });
  }

  /** pacman asks for the signature next, and has no second server for it. */
  #fetchSignatureEarly(request: HttpRequest, address: PacmanAddress, peersToo: boolean): void {
    if (this.#repository(address)?.packageSignatureRequired !== true) return;
    if (request.method !== "GET") return;
    const signature = { ...address, file: `${address.file}.sig` };
    const later = outlasting(request);
    const mirrors = this.#mirrorsOfFile(later, signature, true);
    void this.#wanted(later, signature, mirrors, peersToo).then((wanted) => {
      const { relay, signatures } = this.#memory;
      signatures.fetchEarly(signatureKey(signature), relay.sourcesOf(wanted));
    }, () => {});
  }

  async #signature(wanted: WantedFile, address: PacmanAddress): Promise<Reply | null> {
    const { relay, signatures } = this.#memory;
    const name = address.file.slice(0, -".sig".length);
    const expected = await this.#parts.expected.find(address.repository, name);
    const signed = relay.completed({ ...wanted, name, expected });
    const sources = relay.sourcesOf(wanted);
    const found = await signatures.find(signatureKey(address), sources, signed);
    if (found === null) return null;
    const { bytes, source, lastModified } = found;
    return {
      status: 200,
      headers: {
        "Content-Type": "application/pgp-signature",
        "Cache-Control": "no-store",
        ...(lastModified === null ? {} : { "Last-Modified": lastModified }),
      },
      body: bytes,
      source: source.name,
    };
  }

  /** For other machines, and where the user wants it: a redirect. */
  async #redirected(
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
    peersToo: boolean,
  ): Promise<Reply> {
    const mayAskPeers = peersToo &&
      mayComeFromPeer(address, this.#repository(address), this.#parts.configuration) &&
      this.#canGiveSignature(request, address, isLocal);
    const peerSearch = mayAskPeers ? this.#findCopy(request, address) : Promise.resolve(null);
    const mirrorCheck = delayed(
      peerSearch,
      HEAD_START,
      () => this.#askMirrors(request, address, isLocal),
    );
    const peer = await peerSearch;
    if (peer !== null) return this.#toPeer(peer, address);
    const mirror = await mirrorCheck;
    if (mirror === null) return notFound(address);
    if (!isPackageOrItsSignature(address.file)) {
      this.#memory.databases.set(databaseKey(address), mirror.origin);
    }
    // libcurl sends credentials of a redirect's target nowhere, so such a file goes through here.
    return mirror.hasCredentials
      ? await this.#relayed(request, address, false)
      : redirectToMirror(mirror);
  }

  /**
   * Whether this server can find the signature of a package that a peer has. pacman asks here for it
   * after the redirect, and where it insists on one, a 404 would fail the whole upgrade. So pacman
   * gets the 404 for the package itself, and goes on with its next server.
   */
  #canGiveSignature(request: HttpRequest, address: PacmanAddress, isLocal: boolean): boolean {
    const signature = { ...address, file: `${address.file}.sig` };
    return !isPackage(address.file) ||
      mayComeFromPeer(signature, this.#repository(address), this.#parts.configuration) ||
      this.#mirrorsOf(request, signature, isLocal).some((mirrors) => mirrors.length > 0);
  }

  /** A peer whose copy has the length that the databases say, as far as they say any. */
  #findCopy(request: HttpRequest, address: PacmanAddress): Promise<Found | null> {
    const sizes = this.#parts.expected.known(address.file).map(({ size }) => size);
    const others = new Set<string>();
    const find = async (): Promise<Found | null> => {
      const found = await this.#askPeers(
        placeOf(address),
        request,
        sizes.length === 0 ? undefined : (peer) => !others.has(peer),
      );
      if (found === null || found.size === null || sizes.length === 0) return found;
      if (sizes.includes(found.size) || others.has(found.peer)) return found;
      others.add(found.peer);
      return await find();
    };
    return find();
  }

  async #askPeers(
    place: readonly string[],
    request: HttpRequest,
    mayAsk?: (peer: string) => boolean,
  ): Promise<Found | null> {
    try {
      return await this.#parts.peers.finder.find(place, request, mayAsk);
    } catch (error) {
      // A search that fails must not keep pacman from the mirrors.
      if (!request.signal.aborted) {
        this.#parts.log.warn(`the search among peers failed: ${error}`);
      }
      return null;
    }
  }

  /** The first mirror that has the file. */
  async #askMirrors(
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
  ): Promise<MirrorChoice | null> {
    const self = this.#self(request.connection.localPort);
    const choices = await Promise.all(
      this.#mirrorsOf(request, address, isLocal).map((mirrors) =>
        this.#memory.mirrors.choose({
          mirrors,
          file: address.file,
          optional: isOptional(address.file),
          via: this.#viaFor(request),
          isSelf: (url) => isSelf(url, self),
          neighbour: isLocal ? null : request.connection.remoteAddress,
        })
      ),
    );
    const isOnly = address.repository !== null;
    return choices.find((choice) => choice !== null && (choice.verified || isOnly)) ?? null;
  }

  /**
   * The mirrors of the repository that an address names. For one without a repository (a peer was asked
   * by one who found it in our cache, from where it is gone meanwhile) those of every repository.
   */
  #mirrorsOf(
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
  ): (readonly Mirror[])[] {
    const { pacman } = this.#parts.configuration;
    const { repository: name, architecture, file } = address;
    const self = this.#self(request.connection.localPort);
    const repositories = name !== null
      ? [this.#repository(address)]
      : isPackageOrItsSignature(file)
      ? pacman.repositories
      : [];
    return repositories.flatMap((repository) => {
      if (repository === undefined) return [];
      const mirrors = mirrorsOf(repository, pacman, architecture, self, file)
        .filter((mirror) => isLocal || !mirror.onlyForThisHost);
      // The signature of another mirror's database would be one of other bytes.
      const origin = isOptional(file) ? this.#memory.databases.get(databaseKey(address)) : null;
      const same = mirrors.filter((mirror) => mirror.origin === origin);
      return [same.length > 0 ? same : mirrors];
    });
  }

  /** The section of pacman.conf that an address names. */
  #repository({ repository }: PacmanAddress): Repository | undefined {
    return repository === null ? undefined : this.#repositories.get(repository);
  }

  #toPeer(found: Found, { file }: PacmanAddress): Reply {
    const url = isPackageOrItsSignature(file) ? hidePackageName(found.url) : found.url;
    return { ...redirectReply(url), source: `peer ${found.peer.replace(/\/$/, "")}` };
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

/** A request that is not aborted when its client goes away. */
function outlasting(request: HttpRequest): HttpRequest {
  const { method, target, headers, body, connection } = request;
  return { method, target, headers, body, connection, signal: new AbortController().signal };
}

/** A request for a file, whatever version of it the client has. */
function unconditional(request: HttpRequest): HttpRequest {
  const { method, target, body, connection, signal } = request;
  const none = Object.fromEntries(Object.keys(CONDITIONS).map((name) => [name, undefined]));
  return { method, target, headers: { ...request.headers, ...none }, body, connection, signal };
}

/** True for a package itself. */
function isPackage(file: string): boolean {
  return isPackageOrItsSignature(file) && !isSignature(file);
}

/** A package never changes under its name, so only what is said of other files is passed on. */
function conditionsOf(
  { headers }: HttpRequest,
  { file }: PacmanAddress,
): Readonly<Record<string, string>> {
  if (isPackageOrItsSignature(file)) return {};
  const conditions: Record<string, string> = {};
  for (const [field, name] of Object.entries(CONDITIONS)) {
    const value = headers[field];
    if (value !== undefined) conditions[name] = value;
  }
  return conditions;
}

function sizeOnly(size: number | null): Expected | null {
  return size === null ? null : { size, sha256: null };
}

/** A database and its signature have the same. */
function databaseKey({ repository, file }: PacmanAddress): string {
  return `${repository}/${isSignature(file) ? file.slice(0, -".sig".length) : file}`;
}

function signatureKey({ repository, file }: PacmanAddress): string {
  return `${repository}/${file}`;
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

function redirectToMirror({ url, origin, verified }: MirrorChoice): Reply {
  const mark = verified ? "" : " (not verified)";
  return { ...redirectReply(url), source: `mirror ${origin}${mark}` };
}

function notFound({ file }: PacmanAddress): Reply {
  const text = `404 No cache, peer or mirror has ${JSON.stringify(file)}`;
  return { ...textReply(404, text), source: "nowhere" };
}

/** Answers requests of pacman on this host with the file itself, from any source. */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import { notModified, textReply } from "../http/replies.ts";
import type { Peers } from "../peers/peers.ts";
import { HEADERS } from "../peers/protocol.ts";
import type { Wants } from "../peers/wants.ts";
import type { SharedTree } from "../quickserve/tree.ts";
import { isPackage, isPackageOrItsSignature, isSignature, type PacmanAddress } from "./address.ts";
import { conditionsOf } from "./conditions.ts";
import type { PacserveConfiguration } from "./configuration.ts";
import type { ExpectedFile, ExpectedFiles } from "./expected_files.ts";
import type { PacserveMemory } from "./memory.ts";
import type { PeerSearch } from "./peer_search.ts";
import { mayComeFromPeer } from "./policy.ts";
import { InFlightFile } from "./relay/in_flight_file.ts";
import type { MirrorsOfFile } from "./relay/mirror_copies.ts";
import { PeersWithFile } from "./relay/peer_copies.ts";
import type { Expected, WantedFile } from "./relay/relay.ts";
import type { SourceFailure } from "./relay/source.ts";
import { notFound, redirectToMirror } from "./replies.ts";
import type { RepositoryMirrors } from "./repository_mirrors.ts";

/** The parts of the server that {@link RelayedFiles} uses. */
export interface RelayedParts {
  readonly configuration: PacserveConfiguration;
  readonly tree: Pick<SharedTree, "lookup">;
  /** The peers. Only those that the client can reach are asked. */
  readonly peers: Pick<Peers, "instance"> & {
    readonly wants: Pick<Wants, "ask" | "peerOf" | "instance">;
  };
  /** The sizes and digests of packages in pacman's databases. */
  readonly expected: Pick<ExpectedFiles, "find">;
  /** State that survives a new configuration. */
  readonly memory: PacserveMemory;
}

/** Gets files for pacman with the relay, which replaces a source that fails. */
export class RelayedFiles {
  readonly #parts: RelayedParts;
  readonly #memory: PacserveMemory;
  readonly #search: PeerSearch;
  readonly #mirrors: RepositoryMirrors;

  constructor(parts: RelayedParts, search: PeerSearch, mirrors: RepositoryMirrors) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#search = search;
    this.#mirrors = mirrors;
  }

  /**
   * Returns the reply with the file, or a redirect or an error.
   *
   * @param peersToo false when peers must not be asked.
   */
  async reply(
    request: HttpRequest,
    address: PacmanAddress,
    peersToo: boolean,
  ): Promise<Reply> {
    const mirrors = this.#mirrors.of(request, address, true);
    const askedAt = performance.now();
    const wanted = { ...await this.#wanted(request, address, mirrors, peersToo), askedAt };
    if (isPackageOrItsSignature(address.file) && isSignature(address.file)) {
      return await this.#signature(wanted, address) ?? this.#instead(null, mirrors, address);
    }
    if (wanted.isPackage) this.#fetchSignatureEarly(request, address, wanted, peersToo);
    const result = await this.#memory.relay.reply(request, wanted);
    // Several mirrors may have answered. Use the one that sent the file, if there is one.
    const answered = "failure" in result ? mirrors.answered : mirrors.originOf(result.source);
    if (answered !== null && !wanted.isPackage) this.#mirrors.gave(address, answered);
    return "failure" in result ? this.#instead(result.failure, mirrors, address) : result;
  }

  /** Returns the reply for a file that no source has sent. */
  #instead(
    failure: SourceFailure | null,
    { forRedirect }: MirrorsOfFile,
    address: PacmanAddress,
  ): Reply {
    if (failure?.kind === "unmodified") {
      return notModified({ "Cache-Control": "no-store" });
    }
    if (failure === null || failure.kind === "absent") return notFound(address.file);
    // pacman may reach a mirror that this server cannot reach, through a proxy in pacman's environment.
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
    const repository = this.#mirrors.repository(address);
    const described = isPackage(file) ? await this.#parts.expected.find(name, file) : null;
    // A package that cannot be verified here may come from peers only if pacman requires its signature.
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
      tree: this.#parts.tree,
    };
  }

  /** Returns null when all mirrors of the file are for this host only: then it is not shared. */
  #inFlightFile(
    request: HttpRequest,
    address: PacmanAddress,
    { sha256 }: ExpectedFile,
  ): InFlightFile | null {
    const { peers: { wants }, configuration: { authorities } } = this.#parts;
    if (this.#mirrors.of(request, address, false).isEmpty) return null;
    return new InFlightFile({
      wants,
      client: this.#memory.peerClient,
      file: address.file,
      digest: sha256.toHex(),
      authorities,
    });
  }

  #peersWithFile(
    request: HttpRequest,
    address: PacmanAddress,
    expected: Expected | null,
  ): PeersWithFile {
    const { peers: { instance }, configuration: { authorities } } = this.#parts;
    return new PeersWithFile({
      client: this.#memory.peerClient,
      search: this.#search,
      address,
      // Other clients may share the download, so it must continue when this client closes its connection.
      request: outlasting(request),
      size: expected?.size ?? null,
      headers: {
        [HEADERS.instance]: instance,
        ...(expected?.sha256 ? { [HEADERS.digest]: `sha256=${expected.sha256.toHex()}` } : {}),
        ...conditionsOf(request, address.file),
      },
      authorities,
    });
  }

  /** Fetches the signature early: pacman requests it next, and tries no other server for it. */
  #fetchSignatureEarly(
    request: HttpRequest,
    address: PacmanAddress,
    signed: WantedFile,
    peersToo: boolean,
  ): void {
    if (this.#mirrors.repository(address)?.packageSignatureRequired !== true) return;
    if (request.method !== "GET") return;
    const signature = { ...address, file: `${address.file}.sig` };
    const later = outlasting(request);
    const mirrors = this.#mirrors.of(later, signature, true);
    void this.#wanted(later, signature, mirrors, peersToo).then((wanted) => {
      const { relay, signatures } = this.#memory;
      const sources = relay.sourcesOf(wanted);
      signatures.fetchEarly(signatureKey(signature), sources, () => relay.download(signed));
    }, () => {});
  }

  async #signature(wanted: WantedFile, address: PacmanAddress): Promise<Reply | null> {
    const { relay, signatures } = this.#memory;
    const name = address.file.slice(0, -".sig".length);
    const expected = await this.#parts.expected.find(address.repository, name);
    const download = relay.download({ ...wanted, name, expected });
    const signed = download?.state === "complete" ? download : null;
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
}

/** Returns the request with a signal that does not abort when the client closes its connection. */
function outlasting(request: HttpRequest): HttpRequest {
  const { method, target, headers, body, connection } = request;
  return { method, target, headers, body, connection, signal: new AbortController().signal };
}

function sizeOnly(size: number | null): Expected | null {
  return size === null ? null : { size, sha256: null };
}

function signatureKey({ repository, file }: PacmanAddress): string {
  return `${repository}/${file}`;
}

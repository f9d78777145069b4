/** Sends clients to a peer or a mirror: other machines, and this host where the user wants it. */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import { isPackageOrItsSignature, type PacmanAddress } from "./address.ts";
import type { PacserveConfiguration } from "./configuration.ts";
import type { ExpectedFiles } from "./expected_files.ts";
import type { MirrorChoice } from "./mirrors.ts";
import { HEAD_START, type PeerSearch } from "./peer_search.ts";
import { mayComeFromPeer } from "./policy.ts";
import type { RelayedFiles } from "./relayed_files.ts";
import { notFound, redirectToMirror, redirectToPeer } from "./replies.ts";
import type { RepositoryMirrors } from "./repository_mirrors.ts";

/** Asks peers and mirrors side by side. */
export class Redirects {
  readonly #configuration: PacserveConfiguration;
  readonly #expected: Pick<ExpectedFiles, "known">;
  readonly #peers: PeerSearch;
  readonly #mirrors: RepositoryMirrors;
  readonly #relayed: RelayedFiles;

  /** @param relayed for what a redirect cannot carry. */
  constructor(
    configuration: PacserveConfiguration,
    expected: Pick<ExpectedFiles, "known">,
    peers: PeerSearch,
    mirrors: RepositoryMirrors,
    relayed: RelayedFiles,
  ) {
    this.#configuration = configuration;
    this.#expected = expected;
    this.#peers = peers;
    this.#mirrors = mirrors;
    this.#relayed = relayed;
  }

  /**
   * A redirect to a peer, else to the first mirror that has the file, else 404.
   *
   * @param isLocal the client is on this host.
   * @param peersToo false: peers are not asked.
   */
  async reply(
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
    peersToo: boolean,
  ): Promise<Reply> {
    const mayAskPeers = peersToo &&
      mayComeFromPeer(address, this.#mirrors.repository(address), this.#configuration);
    // A copy must have the length that the databases say, as far as they say any.
    const sizes = this.#expected.known(address.file).map(({ size }) => size);
    const peerSearch = mayAskPeers
      ? this.#peers.find(address, request, sizes)
      : Promise.resolve(null);
    const mirrorCheck = delayed(
      peerSearch,
      HEAD_START,
      () => this.#mirrors.of(request, address, isLocal).choose(),
    );
    const peer = await peerSearch;
    if (peer !== null) return redirectToPeer(peer, address.file);
    const mirror = await mirrorCheck;
    if (mirror === null) return notFound(address.file);
    if (!isPackageOrItsSignature(address.file)) this.#mirrors.gave(address, mirror.origin);
    // libcurl sends credentials of a redirect's target nowhere, so such a file goes through here.
    return mirror.hasCredentials
      ? await this.#relayed.reply(request, address, false)
      : redirectToMirror(mirror);
  }
}

/** What `act` gives, called when `earlier` gave null, or after `milliseconds` if it gave nothing yet. */
function delayed(
  earlier: Promise<unknown>,
  milliseconds: number,
  act: () => Promise<MirrorChoice | null>,
): Promise<MirrorChoice | null> {
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

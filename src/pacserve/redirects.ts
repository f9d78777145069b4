/** Redirects clients to a peer or a mirror: other machines, and with `--redirect` this host. */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import { isPackage, isPackageOrItsSignature, type PacmanAddress } from "./address.ts";
import type { PacserveConfiguration } from "./configuration.ts";
import type { ExpectedFiles } from "./expected_files.ts";
import type { MirrorChoice } from "./mirrors.ts";
import { HEAD_START, type PeerSearch } from "./peer_search.ts";
import { mayComeFromPeer } from "./policy.ts";
import type { RelayedFiles } from "./relayed_files.ts";
import { notFound, redirectToMirror, redirectToPeer } from "./replies.ts";
import type { RepositoryMirrors } from "./repository_mirrors.ts";

/** The objects that {@link Redirects} uses. */
interface RedirectsParts {
  readonly configuration: PacserveConfiguration;
  readonly expected: Pick<ExpectedFiles, "known">;
  readonly search: PeerSearch;
  readonly mirrors: RepositoryMirrors;
  /** Answers if a redirect is not possible. */
  readonly relayed: RelayedFiles;
}

/** Asks peers and mirrors at the same time, and redirects to the best one. */
export class Redirects {
  readonly #parts: RedirectsParts;

  constructor(parts: RedirectsParts) {
    this.#parts = parts;
  }

  /**
   * Returns a redirect to a peer, else to the first mirror that has the file, else 404.
   *
   * @param isLocal true when the client is on this host.
   * @param peersToo false when peers must not be asked.
   */
  async reply(
    request: HttpRequest,
    address: PacmanAddress,
    isLocal: boolean,
    peersToo: boolean,
  ): Promise<Reply> {
    const mayAskPeers = peersToo &&
      mayComeFromPeer(
        address,
        this.#parts.mirrors.repository(address),
        this.#parts.configuration,
      ) &&
      this.#canGiveSignature(request, address, isLocal);
    // If the databases contain the file, a copy must have the length in them.
    const sizes = this.#parts.expected.known(address.file).map(({ size }) => size);
    const peerSearch = mayAskPeers
      ? this.#parts.search.find(address, request, sizes)
      : Promise.resolve(null);
    const mirrorCheck = delayed(
      peerSearch,
      HEAD_START,
      () => this.#parts.mirrors.of(request, address, isLocal).choose(),
    );
    const peer = await peerSearch;
    if (peer !== null) return redirectToPeer(peer, address.file);
    const mirror = await mirrorCheck;
    if (mirror === null) return notFound(address.file);
    if (!isPackageOrItsSignature(address.file)) this.#parts.mirrors.gave(address, mirror.origin);
    // libcurl ignores credentials in the URL of a redirect. Therefore such a file is relayed.
    return mirror.hasCredentials
      ? await this.#parts.relayed.reply(request, address, false)
      : redirectToMirror(mirror);
  }

  /**
   * True when this server can find the signature of a package that a peer has. After the redirect, pacman
   * requests the signature from this server. If it is required, a 404 for it would fail the upgrade. It is
   * better to answer 404 for the package itself, because pacman then continues with its next server.
   */
  #canGiveSignature(request: HttpRequest, address: PacmanAddress, isLocal: boolean): boolean {
    const signature = { ...address, file: `${address.file}.sig` };
    return !isPackage(address.file) ||
      mayComeFromPeer(
        signature,
        this.#parts.mirrors.repository(signature),
        this.#parts.configuration,
      ) ||
      !this.#parts.mirrors.of(request, signature, isLocal).isEmpty;
  }
}

/** Calls `act` when `earlier` resolves with null, or after `milliseconds` if it has not resolved. */
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

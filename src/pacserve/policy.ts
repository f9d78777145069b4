/** Decides which files may come from peers, and which clients may get a shared file. */

import type { Repository } from "../pacman/configuration.ts";
import { isInside, realPath } from "../files.ts";
import { isPackageOrItsSignature, isSignature, type PacmanAddress } from "./address.ts";
import type { PacserveConfiguration } from "./configuration.ts";
import { isOurArchitecture } from "./servers.ts";

/**
 * True when a file may come from a peer.
 *
 * Packages may, because pacman notices a wrong one by its signature or by the checksum in the database. The
 * signature of a package may if pacman requires a valid one. Otherwise a signature makes pacman skip the
 * checksum, and a peer could forge it. All other files may come from peers only if these are trusted.
 *
 * @param repository that the request names, if pacman.conf has it.
 */
export function mayComeFromPeer(
  address: PacmanAddress,
  repository: Repository | undefined,
  { trustPeers, pacman }: PacserveConfiguration,
): boolean {
  const { architecture, file } = address;
  if (!isPackageOrItsSignature(file)) return trustPeers && isOurArchitecture(architecture, pacman);
  return trustPeers || !isSignature(file) || repository?.packageSignatureRequired === true;
}

/**
 * True when the client may get this shared file. Packages have their architecture in their name, but a
 * database of this host would be wrong for a client with another architecture. A host that shares its own
 * databases must itself get new ones from a mirror.
 *
 * @param localPath of the shared file.
 * @param isLocal true when the client is on this host.
 */
export function isForClient(
  address: PacmanAddress,
  localPath: string,
  isLocal: boolean,
  { pacman }: PacserveConfiguration,
): boolean {
  if (isPackageOrItsSignature(address.file)) return true;
  if (!isOurArchitecture(address.architecture, pacman)) return false;
  // Resolve links, because the share may be a link to pacman's databases.
  return !isLocal || !isInside(realPath(localPath), pacman.databasePath);
}

/** What may come from where, and to whom. */

import type { Repository } from "../pacman/configuration.ts";
import { isInside, realPath } from "../files.ts";
import { isPackageOrItsSignature, isSignature, type PacmanAddress } from "./address.ts";
import type { PacserveConfiguration } from "./configuration.ts";
import { isOurArchitecture } from "./servers.ts";

/**
 * Whether a file may come from a peer.
 *
 * Packages may: their signature or the database's checksum shows a wrong one. A package's signature
 * may, where pacman insists on a valid one; elsewhere a signature makes pacman skip the checksum, and
 * a peer could forge it. All else may only if the peers are trusted.
 *
 * @param repository that the address names, if pacman.conf has it.
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
 * Whether a file that is shared here is for the client. A package has its architecture in its name;
 * a database of ours would be the wrong one for a client of another architecture. And a master
 * machine, which shares its databases, itself needs fresh ones from a mirror.
 *
 * @param localPath of the shared file.
 * @param isLocal the client is on this host.
 */
export function isForClient(
  address: PacmanAddress,
  localPath: string,
  isLocal: boolean,
  { pacman }: PacserveConfiguration,
): boolean {
  if (isPackageOrItsSignature(address.file)) return true;
  if (!isOurArchitecture(address.architecture, pacman)) return false;
  // It may be shared by way of a link to pacman's databases.
  return !isLocal || !isInside(realPath(localPath), pacman.databasePath);
}

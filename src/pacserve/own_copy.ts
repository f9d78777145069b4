/** Finds files in the caches that pacman would not accept, and therefore are not shared. */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import { HEADERS } from "../peers/protocol.ts";
import { isPackageOrItsSignature, isSignature } from "./address.ts";
import type { ExpectedFiles } from "./expected_files.ts";
import { parseSignature } from "./signature.ts";

/** The databases that were read already: a neighbour's request must not make this host read others. */
export type KnownFiles = Pick<ExpectedFiles, "known">;

/**
 * True when the size of a file differs from all databases that contain its name. Such a file is empty or
 * truncated, and pacman would delete it.
 */
export function isBroken(expected: KnownFiles, name: string, size: number): boolean {
  const known = expected.known(name);
  return known.length > 0 && !known.some((each) => each.size === size);
}

/**
 * True when a peer's request has a digest that this server's databases do not have for the file. Then the
 * copy of this server is another build of the package.
 */
export function isOfAnotherBuild(
  expected: KnownFiles,
  name: string,
  { headers }: HttpRequest,
): boolean {
  const [, digest] = /^sha256=([0-9a-f]{64})$/i.exec(headers[HEADERS.digest.toLowerCase()] ?? "") ??
    [];
  const known = expected.known(name);
  return digest !== undefined && known.length > 0 &&
    !known.some(({ sha256 }) => sha256.toHex() === digest.toLowerCase());
}

/** True for the reply with a package's signature that is empty (after a power cut) or something else. */
export function isMalformedSignature(name: string, { status, body }: Reply): boolean {
  return isPackageOrItsSignature(name) && isSignature(name) && status === 200 &&
    body instanceof Uint8Array && parseSignature(body) === null;
}

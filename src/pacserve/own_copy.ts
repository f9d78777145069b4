/** Which files of the caches are not what pacman's databases describe, and therefore are not shared. */

import type { HttpRequest } from "../http/exchange.ts";
import { HEADERS } from "../peers/protocol.ts";
import type { ExpectedFiles } from "./expected_files.ts";

/** What is known without reading anything: a neighbour must not make this host read databases. */
export type KnownFiles = Pick<ExpectedFiles, "known">;

/**
 * Whether a file has a size that contradicts all databases which name it: an empty or truncated one,
 * which pacman would throw away.
 */
export function isBroken(expected: KnownFiles, name: string, size: number): boolean {
  const known = expected.known(name);
  return known.length > 0 && !known.some((each) => each.size === size);
}

/**
 * Whether a peer's request names a digest that this server's databases do not have for the file: its
 * copy is another build then, which is nobody's fault.
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

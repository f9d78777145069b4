/** Media types of files, by their names. */

import { loadContentTypes } from "../std.ts";

const binary = "application/octet-stream";
const plainText = "text/plain; charset=UTF-8";

/** Packages and databases of pacman, in every compression. */
const forPacman = /\.pkg\.tar(?:\.[a-z0-9]+)?$|\.(?:db|files)(?:\.tar(?:\.[a-z0-9]+)?)?$/;

/** A signature of a package or a database, made by gpg. */
const signature = /\.sig$/;

/** Texts that the registry of media types does not know, or knows as something else. */
const texts = /\.(?:asc|desktop|diff|install|patch|py|rs|service|sh|socket|target|timer|toml)$/i;

/** Texts that have no extension. */
const plainNames = /^(?:changelog|copying|license|makefile|motd|news|pkgbuild|readme)$/i;

/** The registry of media types, by extension; null until it is needed for the first time. */
let registered: ((extension: string) => string | undefined) | null = null;

/**
 * The `Content-Type` of a file with this name, text with its charset: `text/html; charset=UTF-8`.
 *
 * A package is `application/octet-stream`, so that nothing on the way unpacks it.
 *
 * @returns null when the registry has to be loaded first ({@link loadMediaTypes}); never for what
 * pacman asks for.
 */
export function contentTypeOf(name: string): string | null {
  if (forPacman.test(name)) return binary;
  if (signature.test(name)) return "application/pgp-signature";
  if (texts.test(name) || plainNames.test(name)) return plainText;
  const extension = /[^.](\.[a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase();
  if (extension === undefined) return binary;
  if (extension === ".zst") return "application/zstd";
  return registered === null ? null : registered(extension) ?? binary;
}

/** Loads the registry of media types: afterwards every name has a `Content-Type`. */
export async function loadMediaTypes(): Promise<void> {
  registered ??= await loadContentTypes();
}

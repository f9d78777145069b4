/**
 * Parses one of pacman's sync databases (`DBPath/sync/core.db`): a tar archive, usually compressed, with
 * a file `<name>-<version>/desc` for each package (repo-add(8)).
 *
 * Databases come from mirrors, and an unsigned one may have been forged. The archive is therefore read
 * entry by entry: whatever sizes it claims, only one description is in memory at a time.
 */

import { type PackageTable, PackageTableBuilder } from "./package_table.ts";
import { TarFiles } from "./tar_files.ts";
import { unpacked } from "./unpacked.ts";

/** Bytes that a database may have, packed and unpacked. Arch's largest is 30 MB unpacked. */
export const MAX_DATABASE_SIZE = 256 << 20;

/** The longest description that is read, in bytes; longer ones are ignored. Most have less than 2 kB. */
const MAX_DESCRIPTION_SIZE = 256 << 10;

/** The longest file name on Linux's file systems, in bytes. */
const MAX_NAME_LENGTH = 255;

/**
 * Parses a database. A package with two different descriptions is left out, because it is unknown which
 * of them pacman uses.
 *
 * @throws when this program cannot read it as a database. The error's message says why.
 */
export async function parseSyncDatabase(
  packed: AsyncIterable<Uint8Array>,
): Promise<PackageTable> {
  const table = new PackageTableBuilder();
  const archive = new TarFiles(/^[^/]+\/desc$/, MAX_DESCRIPTION_SIZE);
  const decoder = new TextDecoder();
  for await (const bytes of unpacked(packed, MAX_DATABASE_SIZE)) {
    for (const { content } of archive.next(bytes)) addDescribed(decoder.decode(content), table);
  }
  archive.end();
  return table.build();
}

/** Adds the package of a description. As in pacman, the line after `%KEY%` is the value. */
function addDescribed(text: string, table: PackageTableBuilder): void {
  const values = new Map<string, string>();
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const key = lines[index] ?? "";
    if (/^%(?:FILENAME|CSIZE|SHA256SUM)%$/.test(key)) values.set(key, lines[++index] ?? "");
  }
  const name = values.get("%FILENAME%") ?? "";
  const size = values.get("%CSIZE%") ?? "";
  const sha256 = values.get("%SHA256SUM%") ?? "";
  if (isPackageName(name) && isSize(size) && /^[0-9a-f]{64}$/i.test(sha256)) {
    table.add(name, Number(size), sha256);
  }
}

/** True for a file name that pacman accepts: without a slash, and not beginning with a dot. */
function isPackageName(name: string): boolean {
  return name !== "" && name.length <= MAX_NAME_LENGTH && !name.startsWith(".") &&
    !/[/\0]/.test(name);
}

function isSize(text: string): boolean {
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text));
}

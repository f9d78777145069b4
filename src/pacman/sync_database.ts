/**
 * Reads one of pacman's sync databases (`DBPath/sync/core.db`): a tar archive, mostly compressed, with
 * a file `<name>-<version>/desc` for each package (repo-add(8)).
 *
 * Databases come from mirrors, and an unsigned one may be anybody's work. The archive is read entry by
 * entry: no size that it claims makes this program hold more than a description.
 */

import { Failure } from "../failure.ts";
import { type PackageTable, PackageTableBuilder } from "./package_table.ts";
import { TarFiles } from "./tar_files.ts";
import { unpacked } from "./unpacked.ts";

/** Bytes that a database may have, packed and unpacked. Arch's largest is 30 MB unpacked. */
const MAX_DATABASE_SIZE = 256 << 20;

/** Bytes that a description may have; a longer one is passed over. Most have less than 2 kB. */
const MAX_DESCRIPTION_SIZE = 256 << 10;

/** No file system that Linux knows has longer names. */
const MAX_NAME_LENGTH = 255;

/**
 * Reads a database.
 *
 * @param path of a regular file.
 * @throws when it is no database that this program can read. The error's message says why.
 */
export async function readSyncDatabase(path: string): Promise<PackageTable> {
  const { isFile, size } = await Deno.stat(path);
  // A pipe would make the reader wait for ever.
  if (!isFile) throw new Failure("it is not a regular file");
  if (size > MAX_DATABASE_SIZE) throw new Failure(`it has ${size} bytes`);
  using file = await Deno.open(path);
  return await parseSyncDatabase(chunksOf(file));
}

/**
 * Parses a database. A package that is described twice, in two ways, is left out: nothing says which
 * of the two pacman takes.
 *
 * @throws when it is no database that this program can read. The error's message says why.
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

/** Adds what a description says. As for pacman, the line after `%KEY%` is its value. */
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

/** Pacman takes no name with a slash, and none that begins with a dot. */
function isPackageName(name: string): boolean {
  return name !== "" && name.length <= MAX_NAME_LENGTH && !name.startsWith(".") &&
    !/[/\0]/.test(name);
}

function isSize(text: string): boolean {
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text));
}

async function* chunksOf(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  while (true) {
    const buffer = new Uint8Array(64 << 10);
    const count = await file.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

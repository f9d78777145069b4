/** Writes one upload: first under a temporary name, then in its place. */

import type { UploadConfiguration } from "../configuration.ts";
import { type StoredFile, UploadRefused } from "./outcome.ts";
import { moveBeside, moveOver } from "./destination.ts";
import { temporaryName } from "./temporary.ts";

/** An open file under a temporary name, locked for as long as it is open. */
interface Temporary {
  readonly name: string;
  readonly file: Deno.FsFile;
}

/**
 * Stores what a stream gives in a directory, under a name that was found good.
 *
 * Whatever goes wrong, nothing is left: no file under the name, none under a temporary one.
 *
 * @throws {UploadRefused} 413 for more than the greatest size, 507 when the disk is full, 409 when the
 * name cannot be had; what the stream itself throws is passed on
 */
export async function storeUpload(
  configuration: UploadConfiguration,
  directory: string,
  name: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<StoredFile> {
  const { allowOverwrite, maximumSize } = configuration;
  const temporary = await refuseWhenFull(() => openTemporary(directory));
  let moved = false;
  try {
    const size = await writeChunks(temporary.file, chunks, maximumSize);
    await refuseWhenFull(() => temporary.file.sync());
    const move = allowOverwrite ? moveOver : moveBeside;
    const destination = await refuseWhenFull(() => move(directory, temporary.name, name));
    moved = true;
    await flushDirectory(directory);
    return { ...destination, requested: name, size };
  } finally {
    // Remove the name before the lock is released: a sweep must not find the file unlocked.
    if (!moved) await removeIfThere(`${directory}/${temporary.name}`);
    temporary.file.close();
  }
}

/** 413, with the limit in it. */
export function tooLarge(maximumSize: number): UploadRefused {
  return new UploadRefused(413, `It is larger than the ${maximumSize} bytes that are allowed.`);
}

/** Opens and locks a new file. If a sweep was quicker than the lock, it tries another name. */
async function openTemporary(directory: string): Promise<Temporary> {
  while (true) {
    const name = temporaryName();
    const path = `${directory}/${name}`;
    const file = await Deno.open(path, { read: true, write: true, createNew: true });
    if (await lock(file) && await isStillThere(path, file)) return { name, file };
    file.close();
  }
}

/**
 * Locks a file (flock(2)); the kernel unlocks it when its process ends, however that ends. False when
 * a sweep has locked it. On a file system without locks, sweeps remove nothing either.
 */
async function lock(file: Deno.FsFile): Promise<boolean> {
  try {
    return await file.tryLock(true);
  } catch {
    return true;
  }
}

async function isStillThere(path: string, file: Deno.FsFile): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).ino === (await file.stat()).ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Writes every chunk before it asks for the next, so that a slow disk slows the sender down. */
async function writeChunks(
  file: Deno.FsFile,
  chunks: AsyncIterable<Uint8Array>,
  maximumSize: number | null,
): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (maximumSize !== null && size > maximumSize) throw tooLarge(maximumSize);
    await refuseWhenFull(async () => {
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    });
  }
  return size;
}

/** Turns the errors of a full disk, quota or file size limit into a 507. */
async function refuseWhenFull<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
      throw new UploadRefused(507, "There is no room left for it.");
    }
    throw error;
  }
}

/** Makes the new name last through a power cut, where the file system can. */
async function flushDirectory(directory: string): Promise<void> {
  try {
    using opened = await Deno.open(directory);
    await opened.sync();
  } catch (error) {
    // The file is in its place already; some network file systems refuse to sync a directory.
    if (!(error instanceof Error && "code" in error && error.code === "EINVAL")) throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

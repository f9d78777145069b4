/** Stores one upload: writes it under a temporary name, then moves it to its final name. */

import { ifMissing } from "../../files.ts";
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
 * Stores the content of a stream in a directory, under a name that {@link uploadNameProblem} accepts.
 *
 * After any error, no file is left, neither under the name nor under a temporary one.
 *
 * @throws {UploadRefused} 413 when the upload exceeds the size limit, 507 when the disk is full, 409 when
 * the name cannot be used; errors of the stream are passed on
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
    if (!moved) await Deno.remove(`${directory}/${temporary.name}`).catch(ifMissing(undefined));
    temporary.file.close();
  }
}

/** Returns the 413 for an upload that exceeds the limit in bytes. */
export function tooLarge(maximumSize: number): UploadRefused {
  return new UploadRefused(413, `The file is larger than the limit of ${maximumSize} bytes.`);
}

/** Opens and locks a new file. If a sweep locks the file first, it tries another name. */
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
 * Locks a file (flock(2)); the kernel unlocks it when this process ends or crashes. False when a sweep has
 * locked it. True on a file system without locks: there, sweeps remove nothing.
 */
async function lock(file: Deno.FsFile): Promise<boolean> {
  try {
    return await file.tryLock(true);
  } catch {
    return true;
  }
}

async function isStillThere(path: string, file: Deno.FsFile): Promise<boolean> {
  const there = await Deno.lstat(path).catch(ifMissing(null));
  return there?.ino === (await file.stat()).ino;
}

/** Writes each chunk before it reads the next, so that a slow disk slows the sender down. */
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
      throw new UploadRefused(507, "The disk of the server is full, or a quota is reached.");
    }
    throw error;
  }
}

/** Makes the new name survive a power cut, if the file system supports it. */
async function flushDirectory(directory: string): Promise<void> {
  try {
    using opened = await Deno.open(directory);
    await opened.sync();
  } catch (error) {
    // Some network file systems cannot sync a directory. The file has its final name already.
    if (!(error instanceof Error && "code" in error && error.code === "EINVAL")) throw error;
  }
}

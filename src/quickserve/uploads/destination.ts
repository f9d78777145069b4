/** Moves a complete upload to its destination, so that it is there as a whole or not at all. */

import { spellingOf } from "../spelling.ts";
import { numberedName } from "./names.ts";
import { UploadRefused } from "./outcome.ts";

/** How many files of one name there may be. */
const MAX_NUMBER = 999;

/** Where a file came to lie. */
interface Destination {
  readonly name: string;
  readonly replaced: boolean;
}

/**
 * Gives a complete upload the first free one of `name`, `name.1`, `name.2`… Two that arrive at once
 * get two names: link(2) fails where a name is taken.
 *
 * @param directory the upload directory, in which the file lies under the name `temporary`
 * @throws {UploadRefused} 409 when no name is free
 */
export async function moveBeside(
  directory: string,
  temporary: string,
  name: string,
): Promise<Destination> {
  for (let number = 0; number <= MAX_NUMBER; number++) {
    const candidate = numberedName(name, number);
    if (candidate === null) break;
    if (await moveIfFree(`${directory}/${temporary}`, `${directory}/${candidate}`)) {
      return { name: candidate, replaced: false };
    }
  }
  throw new UploadRefused(409, "The name is taken, and so is every number after it.");
}

/**
 * Gives a complete upload its name, in place of a file that has it. A symbolic link is replaced
 * itself; what it leads to is not touched.
 *
 * @throws {UploadRefused} 409 when the name is a directory's, or another spelling of a file's: that
 * may be hidden
 */
export async function moveOver(
  directory: string,
  temporary: string,
  name: string,
): Promise<Destination> {
  const path = `${directory}/${name}`;
  const taken = await lstatOrNull(path);
  if (taken?.isDirectory === true) {
    throw new UploadRefused(409, "A directory has this name, and directories are not replaced.");
  }
  if (taken !== null && spellingOf(path, [name]) === "other") {
    throw new UploadRefused(409, "A file has this name in another spelling, and is not replaced.");
  }
  await Deno.rename(`${directory}/${temporary}`, path);
  return { name, replaced: taken !== null };
}

/** Moves a file; false when the new name is taken. */
async function moveIfFree(from: string, to: string): Promise<boolean> {
  try {
    await Deno.link(from, to);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    return await moveWithoutLink(from, to);
  }
  await Deno.remove(from);
  return true;
}

/** The same on file systems without hard links (FAT): the name is taken first, by an empty file. */
async function moveWithoutLink(from: string, to: string): Promise<boolean> {
  try {
    (await Deno.open(to, { write: true, createNew: true })).close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
  try {
    await Deno.rename(from, to);
  } catch (error) {
    await Deno.remove(to);
    throw error;
  }
  return true;
}

async function lstatOrNull(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Moves a complete upload to its destination. The destination never has an incomplete file. */

import { ifMissing } from "../../files.ts";
import { spellingOf } from "../spelling.ts";
import { numberedName } from "./names.ts";
import { UploadRefused } from "./outcome.ts";

/** The greatest number that is added to a name that exists already. */
const MAX_NUMBER = 999;

/** The result of moving an upload. */
interface Destination {
  readonly name: string;
  readonly replaced: boolean;
}

/**
 * Gives a complete upload the first free name of `name`, `name.1`, `name.2`… Two uploads that finish at
 * the same time get two names, because link(2) fails when a name is taken.
 *
 * @param directory the upload directory, in which the file is under the name `temporary`
 * @throws {UploadRefused} 409 when no name is free
 */
export async function moveBeside(
  directory: string,
  temporary: string,
  name: string,
): Promise<Destination> {
  for (let number = 0; number <= MAX_NUMBER; number++) {
    const candidate = numberedName(name, number);
    if (await moveIfFree(`${directory}/${temporary}`, `${directory}/${candidate}`)) {
      return { name: candidate, replaced: false };
    }
  }
  throw new UploadRefused(
    409,
    `The name is taken, also with every number up to ${MAX_NUMBER}: choose another name.`,
  );
}

/**
 * Gives a complete upload its name, and replaces a file of this name. A symbolic link is itself replaced;
 * its target is not changed.
 *
 * @throws {UploadRefused} 409 when a directory has the name, or when the name is another spelling of an
 * existing name, because that file may be hidden
 */
export async function moveOver(
  directory: string,
  temporary: string,
  name: string,
): Promise<Destination> {
  const path = `${directory}/${name}`;
  const taken = await Deno.lstat(path).catch(ifMissing(null));
  if (taken?.isDirectory === true) {
    throw new UploadRefused(
      409,
      "A directory has this name, and directories are not replaced: choose another name.",
    );
  }
  if (taken !== null && spellingOf(path, [name]) === "other") {
    throw new UploadRefused(
      409,
      "A file has this name in another spelling, and is not replaced: choose another name.",
    );
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

/** The same on file systems without hard links (FAT): an empty file first reserves the name. */
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

/** Stores the openings that must be removed again. It is under `/run`, and thus lasts until the next boot. */

import { Failure, messageOf } from "../failure.ts";
import { ifMissing } from "../files.ts";
import type { Opening } from "./openings.ts";
import type { ChainName } from "./chain.ts";
import { join } from "../std.ts";

/** The directory of the state file. */
export const STATE_DIRECTORY = "/run/pacserve-ports";

/** An opening that we added to a chain. */
export interface Opened {
  readonly variable: string;
  readonly chain: ChainName;
  readonly opening: Opening;
}

const FORMAT = 1;

/** An opening in the file. The field `place` keeps the name that the first version gave it. */
type Remembered = Omit<Opened, "chain"> & { readonly place: ChainName };

/**
 * Reads the stored openings; empty if there is no file.
 *
 * @throws {Failure} when the file is damaged.
 */
export async function readState(directory: string): Promise<Opened[]> {
  const path = join(directory, "state");
  try {
    const { format, opened }: { format: unknown; opened: Remembered[] } = JSON.parse(
      await Deno.readTextFile(path),
    );
    if (format === FORMAT && Array.isArray(opened)) {
      return opened.map(({ place, ...one }) => ({ ...one, chain: place }));
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new Failure(`cannot read the list of open ports: ${path}: ${messageOf(error)}`);
  }
  throw new Failure(`cannot read the list of open ports: ${path} has an unknown format`);
}

/** Stores the openings atomically; removes the file when the list is empty. */
export async function writeState(directory: string, opened: readonly Opened[]): Promise<void> {
  const path = join(directory, "state");
  if (opened.length === 0) {
    return await Deno.remove(path).catch(ifMissing(undefined));
  }
  const remembered = opened.map(({ chain, ...one }): Remembered => ({ ...one, place: chain }));
  const text = JSON.stringify({ format: FORMAT, opened: remembered }, null, 1);
  await Deno.writeTextFile(`${path}.new`, text, { mode: 0o600 });
  await Deno.rename(`${path}.new`, path);
}

/** Runs `change` while it holds a lock that keeps other processes from changing the openings. */
export async function withLock<T>(directory: string, change: () => Promise<T>): Promise<T> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o755 });
  using file = await Deno.open(join(directory, "lock"), { create: true, write: true });
  await file.lock(true);
  return await change();
}

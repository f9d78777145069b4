/** Zip archives, without compression: what is shared is mostly compressed already. */

import type { OpenedMember } from "./open.ts";
import type { Member } from "./walk.ts";

/** The first and last times that a zip archive can say, with a day to spare for time zones. */
const earliest = Date.UTC(1980, 0, 2);
const latest = Date.UTC(2107, 11, 30);

/** The archive of some members, as a stream that is made as it is read. */
export async function* zipStream(members: AsyncIterable<OpenedMember>): AsyncGenerator<Uint8Array> {
  const { makeZip } = await import("client-zip");
  const reader = makeZip(toInputs(members)).getReader();
  try {
    while (true) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // When the client goes away the library keeps its input, and reports its own stop as an error.
    await reader.cancel().catch(() => {});
    await members[Symbol.asyncIterator]().return?.();
  }
}

/** The exact size of the archive of some members, in bytes. */
export async function sizeOfZip(members: readonly Member[]): Promise<number> {
  const { predictLength } = await import("client-zip");
  return Number(
    predictLength(
      members.map(({ path, file }) =>
        file === null ? { name: path + "/" } : { name: path, size: file.size }
      ),
    ),
  );
}

type Input =
  & { readonly name: string; readonly lastModified: Date }
  & (
    | { readonly input: AsyncIterable<Uint8Array<ArrayBuffer>> }
    | { readonly input?: never }
  );

async function* toInputs(members: AsyncIterable<OpenedMember>): AsyncGenerator<Input> {
  for await (const { path, modified, content } of members) {
    const lastModified = new Date(Math.min(Math.max(modified ?? 0, earliest), latest));
    if (content === null) yield { name: path + "/", lastModified };
    else yield { name: path, lastModified, input: content.chunks };
  }
}

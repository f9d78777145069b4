/** Reads replies to their end, for tests without a socket. */

import { isFileSlice } from "../src/http/exchange.ts";
import type { Reply } from "../src/http/exchange.ts";

/** Reads a body as the listener does; throws if the transfer would break. Closes the body's file. */
export async function readBody(reply: Reply): Promise<Uint8Array> {
  const { body } = reply;
  if (body === null) return new Uint8Array();
  // A copy, which is comparable also if the body is a `Buffer`.
  if (body instanceof Uint8Array) return new Uint8Array(body);
  const chunks: Uint8Array[] = [];
  if (isFileSlice(body)) {
    const { file, offset, length } = body;
    try {
      const bytes = new Uint8Array(length);
      file.seekSync(offset, Deno.SeekMode.Start);
      for (let done = 0; done < length;) {
        const count = file.readSync(bytes.subarray(done));
        if (count === null) throw new Error("the file is shorter than promised");
        done += count;
      }
      return bytes;
    } finally {
      file.close();
    }
  }
  // Copy each chunk, because the next one may overwrite it.
  for await (const chunk of body) chunks.push(chunk.slice());
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Reads a body as text. */
export async function readText(reply: Reply): Promise<string> {
  return new TextDecoder().decode(await readBody(reply));
}

/** A directory as an archive that is made while it is sent. */

import { pipeline, Readable } from "node:stream";
import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { openMembers } from "./open.ts";
import { sizeOfTar, tarStream } from "./tar.ts";
import { walk } from "./walk.ts";
import type { ArchivedTree, Member } from "./walk.ts";
import { sizeOfZip, zipStream } from "./zip.ts";
import { ARCHIVE_FORMATS } from "../configuration.ts";
import type { ArchiveFormat } from "../configuration.ts";
import type { SharedDirectory } from "../shared.ts";

const formats: Readonly<Record<ArchiveFormat, { extension: string; contentType: string }>> = {
  none: { extension: "tar", contentType: "application/x-tar" },
  gz: { extension: "tar.gz", contentType: "application/gzip" },
  zst: { extension: "tar.zst", contentType: "application/zstd" },
  zip: { extension: "zip", contentType: "application/zip" },
};

/** Up to so many members are looked at in advance, to tell the size of the archive. */
const MAX_PLANNED = 100_000;

/** What an archive is made from. */
interface ArchiveInput {
  readonly request: Pick<HttpRequest, "method">;
  readonly tree: ArchivedTree;
  readonly directory: SharedDirectory;
  readonly format: ArchiveFormat;
  /** The name of the archive of the root, which has none. */
  readonly rootName: string;
}

/** True for the name of a format. */
export function isArchiveFormat(name: string): name is ArchiveFormat {
  return ARCHIVE_FORMATS.some((format) => format === name);
}

/**
 * Answers with the archive of a directory; all in it lies below the directory's own name. It has a
 * `Content-Length` if it is not compressed and not enormous. What cannot be read is left out; a file
 * that becomes shorter while it is sent, or goes away after the length was told, breaks the transfer.
 */
export async function archiveReply(input: ArchiveInput): Promise<Reply> {
  const { request, tree, directory, format, rootName } = input;
  const name = directory.segments.at(-1) ?? rootName;
  const { extension, contentType } = formats[format];
  const isSizeKnown = format === "none" || format === "zip";
  const plan = isSizeKnown ? await collect(walk(tree, directory, name)) : null;
  const length = plan === null ? null : (format === "zip" ? sizeOfZip : sizeOfTar)(plan);
  return {
    status: 200,
    headers: {
      "Content-Type": contentType,
      "Content-Disposition": attachment(`${name}.${extension}`),
      ...(length === null ? {} : { "Content-Length": String(length) }),
      "Cache-Control": "no-store",
    },
    body: request.method === "HEAD" ? null : makeArchive(input, plan, name),
  };
}

async function* makeArchive(
  { tree, directory, format }: ArchiveInput,
  plan: readonly Member[] | null,
  name: string,
): AsyncGenerator<Uint8Array> {
  const members = openMembers(tree, plan ?? walk(tree, directory, name), {
    isPlanned: plan !== null,
    // The listener is done with a chunk before it asks for the next; compressors keep some in queues.
    reuse: format === "none" || format === "zip",
  });
  if (format === "zip") yield* zipStream(members);
  else if (format === "none") yield* tarStream(members);
  else {
    yield* compress(tarStream(members), format);
  }
}

/** Compresses a stream while it is made. An error of the stream is one of the result. */
async function* compress(
  chunks: AsyncIterable<Uint8Array>,
  compression: "gz" | "zst",
): AsyncGenerator<Uint8Array> {
  const { createGzip, createZstdCompress } = await import("node:zlib");
  // Quick rather than small: a LAN is faster than better compression.
  const compressor = compression === "gz" ? createGzip({ level: 1 }) : createZstdCompress();
  // The error reaches the reader by the compressor, which the pipeline destroys with it.
  pipeline(Readable.from(chunks, { highWaterMark: 1 }), compressor, () => {});
  yield* compressor;
}

/** All members; null when there are too many. */
async function collect(members: AsyncIterable<Member>): Promise<Member[] | null> {
  const all: Member[] = [];
  for await (const member of members) {
    if (all.length === MAX_PLANNED) return null;
    all.push(member);
  }
  return all;
}

/**
 * `Content-Disposition` for a file to be saved (RFC 6266): the name in ASCII for old clients, and
 * whole as `filename*` (RFC 8187).
 */
function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/gu, "_");
  const extended = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => "%" + character.charCodeAt(0).toString(16).toUpperCase(),
  );
  const star = plain === name ? "" : `; filename*=UTF-8''${extended}`;
  return `attachment; filename="${plain}"${star}`;
}

/** Replies with the archive of a directory. The archive is built while it is sent. */

import { pipeline, Readable } from "node:stream";
import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { openMembers } from "./open.ts";
import { sizeOfTar, tarStream } from "./tar.ts";
import { type ArchivedTree, type Member, walk } from "./walk.ts";
import { sizeOfZip, zipStream } from "./zip.ts";
import { ARCHIVE_FORMATS, type ArchiveFormat } from "../configuration.ts";
import type { SharedDirectory } from "../shared.ts";

const formats: Readonly<Record<ArchiveFormat, { extension: string; contentType: string }>> = {
  none: { extension: "tar", contentType: "application/x-tar" },
  gz: { extension: "tar.gz", contentType: "application/gzip" },
  zst: { extension: "tar.zst", contentType: "application/zstd" },
  zip: { extension: "zip", contentType: "application/zip" },
};

/** Up to this many members are listed in advance, to compute the size of the archive. */
const MAX_PLANNED = 100_000;

/** The input of {@link archiveReply}. */
interface ArchiveInput {
  readonly request: Pick<HttpRequest, "method">;
  readonly tree: ArchivedTree;
  readonly directory: SharedDirectory;
  readonly format: ArchiveFormat;
  /** The name of the archive of the root directory, which has no name. */
  readonly rootName: string;
}

/** True when `name` is the name of an archive format. */
export function isArchiveFormat(name: string): name is ArchiveFormat {
  return ARCHIVE_FORMATS.some((format) => format === name);
}

/**
 * Returns the reply with the archive of a directory. All paths in the archive begin with the directory's
 * name. The reply has a `Content-Length` unless the archive is compressed or has too many members.
 * Unreadable files are left out. The transfer breaks if a file becomes shorter while it is sent, or is
 * removed after the length was sent.
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
    // The listener finishes a chunk before it requests the next; compressors keep chunks in queues.
    reuse: format === "none" || format === "zip",
  });
  if (format === "zip") yield* zipStream(members);
  else if (format === "none") yield* tarStream(members);
  else {
    yield* compress(tarStream(members), format);
  }
}

/** Compresses a stream while it is produced. Errors of the stream are passed on to the reader. */
async function* compress(
  chunks: AsyncIterable<Uint8Array>,
  compression: "gz" | "zst",
): AsyncGenerator<Uint8Array> {
  const { createGzip, createZstdCompress } = await import("node:zlib");
  // Prefer speed to size: better compression would be slower than the LAN.
  const compressor = compression === "gz" ? createGzip({ level: 1 }) : createZstdCompress();
  // On an error, the pipeline destroys the compressor with it, and thereby passes it on to the reader.
  pipeline(Readable.from(chunks, { highWaterMark: 1 }), compressor, () => {});
  yield* compressor;
}

/** Collects all members; null when there are more than {@link MAX_PLANNED}. */
async function collect(members: AsyncIterable<Member>): Promise<Member[] | null> {
  const all: Member[] = [];
  for await (const member of members) {
    if (all.length === MAX_PLANNED) return null;
    all.push(member);
  }
  return all;
}

/**
 * Returns the `Content-Disposition` of a file that is to be saved (RFC 6266), with its name in ASCII for
 * old clients and, if that differs, the full name as `filename*` (RFC 8187).
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

/** The replies to requests for files of the shared tree. */

import { Buffer } from "node:buffer";
import { isInside, realPath, realPathOrNull } from "../files.ts";
import type { HttpRequest, Reply, ReplyBody, ReplyHeaders } from "../http/exchange.ts";
import { evaluateConditions, hasConditions, isRangeWanted } from "../http/conditional.ts";
import { contentTypeOf, loadMediaTypes } from "./content_type.ts";
import { etagOf } from "../http/etag.ts";
import { readInto } from "../http/file_body.ts";
import { formatHttpDate } from "../http/http_date.ts";
import { assembleRanges, layOutRanges, MultipartBody } from "../http/multipart_ranges.ts";
import { type ByteRange, contentRange, parseRanges } from "../http/ranges.ts";
import type { SharedFile } from "./shared.ts";
import { type KeptFile, MAX_SMALL_FILE, SmallFiles } from "./small_files.ts";
import { notModified, textReply } from "../http/replies.ts";
import { type SharedTree, toSharedFile } from "./tree.ts";

/** The parts of a file's reply that do not depend on the request. */
interface Representation {
  readonly etag: string;
  /** Milliseconds since 1970, a whole second. */
  readonly lastModified: number;
  readonly contentType: string;
  /** Header of a 200; frozen, because many replies share it. */
  readonly headers: ReplyHeaders;
}

/** The bytes of a file, or the open file from which they are read. */
type Content = Uint8Array | Deno.FsFile;

/** The user's website (`--root`), without the upload directory. */
export class Website {
  readonly #directories: readonly string[];
  readonly #uploads: string | null;

  /** @param uploads the upload directory; null when uploads are off. */
  constructor(directories: readonly string[], uploads: string | null) {
    this.#directories = directories;
    this.#uploads = uploads;
  }

  /**
   * True for a file whose real path, after all links are resolved, is in one of the directories and not
   * in the upload directory.
   */
  has(localPath: string): boolean {
    const file = realPathOrNull(localPath);
    const uploads = this.#uploads === null ? null : realPath(this.#uploads);
    if (file === null || (uploads !== null && isInside(file, uploads))) return false;
    return this.#directories.some((directory) => isInside(file, realPath(directory)));
  }
}

/** Forbids scripts, plugins and frames, and gives the file an origin that differs from the server's. */
const sandboxPolicy = "sandbox; frame-ancestors 'none'";

/**
 * The policy of audio and video files. It has no sandbox, because a browser's player could not load the
 * file from within one. The player's page contains no script, and none may run in it.
 */
const mediaPolicy =
  "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/** Only pages of this server may show the website in a frame. */
const websitePolicy = "frame-ancestors 'self'";

/**
 * Matches the types that a page loads for its display. Browsers treat a page in a sandbox as a foreign
 * site. If these types were restricted to this site, shared documents would lose their images and styles.
 */
const loadedByPages = /^(?:image|audio|video)\/|^text\/css\b/;

/**
 * Answers GET and HEAD requests for files, including range and conditional requests (RFC 9110 §13, §14).
 * Small files are sent from memory until they change ({@link SmallFiles}).
 */
export class FileReplies {
  readonly #tree: Pick<SharedTree, "open">;
  readonly #source: string;
  readonly #website: Website | null;
  readonly #kept = new SmallFiles<Representation>();

  /**
   * @param source the origin of the files, for the access log.
   * @param website its files may run scripts with the origin of this server. Others may not
   * (`Content-Security-Policy: sandbox`).
   */
  constructor(
    tree: Pick<SharedTree, "open">,
    source: string,
    website: Website | null = null,
  ) {
    this.#tree = tree;
    this.#source = source;
    this.#website = website;
  }

  /**
   * Returns the reply to a request for a file.
   *
   * @param file the result of a look-up for this request.
   * @param request a GET or HEAD request.
   * @returns null when the file was removed or may not be served any more; answer with 404 then.
   */
  reply(file: SharedFile, request: HttpRequest): Reply | Promise<Reply> | null {
    const { method, headers } = request;
    const kept = this.#kept.get(file);
    if (kept !== null && headers["range"] === undefined && !hasConditions(headers)) {
      return this.#whole(kept.extra, method === "HEAD" ? null : kept.bytes);
    }
    return typeOf(file) === null ? this.#later(file, request) : this.#now(file, kept, request);
  }

  /** Frees the files in memory. */
  close(): void {
    this.#kept.clear();
  }

  /** Loads the registry of media types, then returns the reply. */
  async #later(file: SharedFile, request: HttpRequest): Promise<Reply> {
    await loadMediaTypes();
    return this.#now(file, null, request) ?? textReply(404);
  }

  #now(
    file: SharedFile,
    kept: KeptFile<Representation> | null,
    request: HttpRequest,
  ): Reply | null {
    const now = Date.now();
    const representation = kept?.extra ?? this.#describe(file, now);
    const answer = this.#withoutContent(representation, request, now);
    if (answer !== null) return answer;
    if (kept !== null) return this.#withContent(kept.bytes, file, representation, request, now);
    return this.#fromDisk(file, request, now);
  }

  #fromDisk(file: SharedFile, request: HttpRequest, now: number): Reply | null {
    const opened = this.#tree.open(file);
    if (opened === null) return null;
    // The file may have been replaced after the look-up: describe the open one.
    const current = toSharedFile(file, opened.info);
    const representation = this.#describe(current, now);
    const answer = this.#withoutContent(representation, request, now);
    if (answer !== null) {
      opened.file.close();
      return answer;
    }
    let content: Content = opened.file;
    if (current.size <= MAX_SMALL_FILE) {
      const bytes = readWhole(opened.file, current.size);
      if (bytes !== null) {
        opened.file.close();
        this.#kept.put(current, bytes, representation, now);
        content = bytes;
      }
    }
    return this.#withContent(content, current, representation, request, now);
  }

  /** The reply if the request's header alone decides that it has no content of the file; else null. */
  #withoutContent(
    representation: Representation,
    request: HttpRequest,
    now: number,
  ): Reply | null {
    const condition = evaluateConditions(request.headers, representation, now);
    if (condition === 412) return textReply(412);
    if (condition === 304) {
      return { ...notModified(representation.headers), source: this.#source };
    }
    // Ranges are defined for GET only (RFC 9110 §14.2).
    return request.method === "HEAD" ? this.#whole(representation, null) : null;
  }

  #withContent(
    content: Content,
    { size }: SharedFile,
    representation: Representation,
    request: HttpRequest,
    now: number,
  ): Reply {
    const field = request.headers["range"];
    const isWanted = field !== undefined && isRangeWanted(request.headers, representation, now);
    const ranges = isWanted ? parseRanges(field, size) : null;
    if (ranges === null) {
      return this.#whole(representation, slice(content, { start: 0, end: size - 1 }));
    }
    if (ranges === "unsatisfiable") {
      if (!(content instanceof Uint8Array)) content.close();
      const headers = { "Content-Range": `bytes */${size}`, "Accept-Ranges": "bytes" };
      return textReply(416, undefined, headers);
    }
    return {
      ...partialReply(content, size, representation, ranges),
      source: this.#source,
      fileSource: "cache",
    };
  }

  #whole({ headers }: Representation, body: ReplyBody): Reply {
    return { status: 200, headers, body, source: this.#source, fileSource: "cache" };
  }

  #describe(file: SharedFile, now: number): Representation {
    const etag = etagOf(file);
    // Last-Modified must not be later than the reply (RFC 9110 §8.8.2.1).
    const lastModified = Math.floor(Math.min(file.modified, now) / 1000) * 1000;
    const contentType = typeOf(file) ?? "";
    const isOwn = this.#website?.has(file.localPath) === true;
    const headers = Object.freeze({
      "Content-Type": contentType,
      "Content-Length": String(file.size),
      "Last-Modified": formatHttpDate(lastModified),
      ETag: etag,
      "Accept-Ranges": "bytes",
      "Cache-Control": "no-cache",
      "Content-Security-Policy": isOwn ? websitePolicy : policyOf(contentType),
      ...!isOwn && loadedByPages.test(contentType)
        ? { "Cross-Origin-Resource-Policy": "cross-origin" }
        : {},
    });
    return { etag, lastModified, contentType, headers };
  }
}

/** The policy for a shared file that a browser opens. Its type decides, because browsers do not guess it. */
function policyOf(contentType: string): string {
  return /^(?:audio|video)\//.test(contentType) ? mediaPolicy : sandboxPolicy;
}

function typeOf(file: SharedFile): string | null {
  return contentTypeOf(file.segments.at(-1) ?? "");
}

/** A 206 with one range, or several as `multipart/byteranges` (RFC 9110 §15.3.7). */
function partialReply(
  content: Content,
  size: number,
  { headers, contentType }: Representation,
  ranges: readonly ByteRange[],
): Reply {
  const [only] = ranges;
  if (ranges.length === 1 && only !== undefined) {
    const single = {
      ...headers,
      "Content-Length": String(only.end - only.start + 1),
      "Content-Range": contentRange(only, size),
    };
    return { status: 206, headers: single, body: slice(content, only) };
  }
  const layout = layOutRanges(ranges, contentType, size, crypto.randomUUID());
  const multiple = {
    ...headers,
    "Content-Type": layout.contentType,
    "Content-Length": String(layout.contentLength),
  };
  const body = content instanceof Uint8Array
    ? assembleRanges(layout, content)
    : new MultipartBody(content, layout.pieces);
  return { status: 206, headers: multiple, body };
}

function slice(content: Content, { start, end }: ByteRange): ReplyBody {
  return content instanceof Uint8Array
    ? content.subarray(start, end + 1)
    : { file: content, offset: start, length: end - start + 1 };
}

/**
 * Reads a file; null when the file is shorter than `size`. The transfer must then break. `node:http` makes a
 * buffer of anything else each time that it is sent.
 */
function readWhole(file: Deno.FsFile, size: number): Buffer | null {
  const bytes = Buffer.allocUnsafeSlow(size);
  return readInto(file, bytes) === size ? bytes : null;
}

/**
 * Uploads: forms with files to any path, and PUT to `/<name>`.
 *
 * An upload to the path of the upload directory, or of a directory below it, is stored there; all others
 * are stored in the upload directory. A file is written under a temporary name and renamed when it is
 * complete. If a name is taken, the file becomes `name.1.jpg`, `name.2.jpg`…, unless overwriting is
 * allowed.
 */

import { messageOf } from "../../failure.ts";
import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { encodeSegment, type Target } from "../../http/target.ts";
import { isInside, realPathOrNull } from "../../files.ts";
import type { Log } from "../../log.ts";
import type { UploadConfiguration } from "../configuration.ts";
import type { Pages } from "../pages/pages.ts";
import { answerUpload, withHeaders } from "./answer.ts";
import { readForm, release } from "./form.ts";
import { partsOfPath, uploadNameProblem } from "./names.ts";
import { type RefusedFile, type StoredFile, UploadRefused } from "./outcome.ts";
import type { UploadPlace, UploadPlaces } from "./places.ts";
import { declaredLength, isForm } from "./request.ts";
import { storeUpload, tooLarge } from "./store.ts";

/** The objects and settings that {@link Uploads} uses. */
interface UploadsParts {
  readonly configuration: UploadConfiguration;
  readonly places: UploadPlaces;
  /** True when hidden files are shared; otherwise they cannot be uploaded. */
  readonly showHidden: boolean;
  readonly pages: Pick<Pages, "uploadResult">;
  /** Gets the errors of the system. */
  readonly log: Pick<Log, "warn">;
}

/** Handles upload requests. */
export class Uploads {
  readonly #parts: UploadsParts;

  constructor(parts: UploadsParts) {
    this.#parts = parts;
  }

  /**
   * Stores the body of a PUT, or the files of a form.
   *
   * The reply is 201 when everything was stored, else it has the status of the first failure: 400 for an
   * invalid name or a broken request, 409 for a name that cannot be used, 413 for an upload that exceeds a
   * limit, 415 for an unsupported encoding, 500 for an error of the system, 507 for a full disk. In each
   * case the reply lists the stored and the refused files.
   */
  async receive(target: Target, request: HttpRequest): Promise<Reply> {
    const uploaded: StoredFile[] = [];
    const failed: RefusedFile[] = [];
    const isPut = request.method === "PUT";
    const place = this.#placeOf(isPut ? target.segments.slice(0, -1) : target.segments);
    const take = async (name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      try {
        uploaded.push(await this.#store(place, name, chunks));
      } catch (error) {
        failed.push(this.#refusal(name, error));
      }
    };
    try {
      refuseUnusual(request);
      if (isForm(request)) await this.#takeForm(request, take, uploaded, failed);
      else {
        const name = this.#nameOf(target);
        this.#refuseTooLarge(request);
        await take(name, releasing(unbroken(request.body)));
      }
    } catch (error) {
      // If a file and its form failed with the same error, the list has the file already.
      if (!failed.some(({ reason }) => reason === messageOf(error))) {
        failed.push(this.#refusal("", error));
      }
    }
    const answer = answerUpload({ uploaded, failed }, request, this.#parts.pages, place);
    return isPut ? putAnswer(answer, place, uploaded[0]) : answer;
  }

  async #takeForm(
    request: HttpRequest,
    take: (name: string, chunks: AsyncIterable<Uint8Array>) => Promise<void>,
    uploaded: readonly StoredFile[],
    failed: readonly RefusedFile[],
  ): Promise<void> {
    let used = 0;
    const count = (length: number): void => {
      used += length;
    };
    const takeNamed = async (name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      // Browsers send a nameless, empty file for a field in which none was chosen.
      if (name === "" && await isEmpty(chunks)) return;
      await take(name, counted(chunks, count));
    };
    const contentType = request.headers["content-type"] ?? "";
    await readForm(contentType, unbroken(request.body), takeNamed, () => used);
    if (uploaded.length === 0 && failed.length === 0) {
      throw new UploadRefused(400, "The form contains no file.");
    }
  }

  /** The place in which an upload to this path is stored. */
  #placeOf(segments: readonly string[]): UploadPlace {
    return this.#parts.places.at(segments) ?? this.#parts.places.main;
  }

  /** The file name in the path of a PUT. */
  #nameOf({ segments, trailingSlash }: Target): string {
    const name = segments.at(-1);
    if (name === undefined || trailingSlash) {
      throw new UploadRefused(400, "The address has no file name: use PUT /name.");
    }
    if (segments.length > 1 && this.#parts.places.at(segments.slice(0, -1)) === null) {
      throw new UploadRefused(409, "This directory does not accept uploads: use PUT /name.");
    }
    return name;
  }

  /** @param path a file name, or a form's path with directories; missing directories are created. */
  async #store(
    place: UploadPlace,
    path: string,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<StoredFile> {
    const [directories, name] = partsOfPath(path);
    if (directories.includes("")) {
      throw new UploadRefused(400, "The path begins with a slash, or has two in succession.");
    }
    for (const part of [...directories, name]) {
      const problem = uploadNameProblem(part, this.#parts.showHidden);
      if (problem !== null) throw new UploadRefused(400, problem);
    }
    if (directories.length === 0) {
      return await storeUpload(this.#parts.configuration, place.directory, name, chunks);
    }
    const directory = await this.#makeDirectories(place.directory, directories);
    const stored = await storeUpload(this.#parts.configuration, directory, name, chunks);
    const before = `${directories.join("/")}/`;
    return { ...stored, name: before + stored.name, requested: path };
  }

  /** Creates the missing directories of a path. It never follows a link out of `top`. */
  async #makeDirectories(top: string, names: readonly string[]): Promise<string> {
    if (names.length > MAX_DEPTH) {
      throw new UploadRefused(400, `The path has more than ${MAX_DEPTH} directories.`);
    }
    const real = realPathOrNull(top);
    let directory = top;
    for (const name of names) {
      directory += `/${name}`;
      try {
        await Deno.mkdir(directory);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
      const led = realPathOrNull(directory);
      const isDirectory = led !== null && Deno.statSync(led).isDirectory;
      if (real === null || led === null || !isDirectory || !isInside(led, real)) {
        throw new UploadRefused(409, `${name} is not a directory that accepts uploads.`);
      }
    }
    return directory;
  }

  /** Refuses a body whose Content-Length exceeds the size limit. */
  #refuseTooLarge(request: HttpRequest): void {
    const { maximumSize } = this.#parts.configuration;
    if (maximumSize !== null && (declaredLength(request) ?? 0) > maximumSize) {
      throw tooLarge(maximumSize);
    }
  }

  #refusal(name: string, error: unknown): RefusedFile {
    if (error instanceof UploadRefused) {
      return { name, reason: error.message, status: error.status };
    }
    this.#parts.log.warn(`An upload could not be stored: ${messageOf(error)}`);
    const reason = "The server could not store the file. The reason is in the server's log.";
    return { name, reason, status: 500 };
  }
}

/** A form may create directories up to this depth. */
const MAX_DEPTH = 64;

/** The reply to a PUT: with the `Location` of the file, and with 200 instead of 201 if it was replaced. */
function putAnswer(answer: Reply, { path }: UploadPlace, stored: StoredFile | undefined): Reply {
  if (stored === undefined) return answer;
  const located = path === null
    ? answer
    : withHeaders(answer, { Location: path + encodeSegment(stored.name) });
  return stored.replaced ? { ...located, status: 200 } : located;
}

/** Refuses bodies that are not files, files with a Content-Encoding, and parts of files. */
function refuseUnusual(request: HttpRequest): void {
  if (request.method !== "PUT" && !isForm(request)) {
    throw new UploadRefused(415, "Post a form (multipart/form-data), or PUT the file to /name.");
  }
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new UploadRefused(
      415,
      "Uploads with a Content-Encoding are not accepted: send the file without one.",
    );
  }
  // RFC 9110 §14.5: otherwise a part would be stored as if it were the whole file.
  if (request.headers["content-range"] !== undefined) {
    throw new UploadRefused(
      400,
      "Parts of files (Content-Range) are not accepted: send the whole file.",
    );
  }
}

/** Passes a body through. If it breaks off, that is an error of the client, not of the server. */
async function* unbroken(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk;
  } catch {
    throw new UploadRefused(400, "The upload broke off.");
  }
}

/** Passes a stream through, and releases each chunk when the reader requests the next. */
async function* releasing(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    release(chunk);
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  count: (length: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}

/** True when a stream is empty. If not, its first chunk is dropped. */
async function isEmpty(chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
  for await (const chunk of chunks) {
    if (chunk.length > 0) return false;
  }
  return true;
}

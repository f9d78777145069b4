/**
 * Uploads: forms with files to any address, and PUT to `/<name>`.
 *
 * Files are streamed to a temporary name in the upload directory and moved into place when they are
 * complete. Where a name is taken, the file becomes `name.1`, `name.2`…, unless overwriting is allowed.
 */

import { messageOf } from "../../failure.ts";
import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { encodePath, type Target } from "../../http/target.ts";
import type { Log } from "../../log.ts";
import type { TreeConfiguration, UploadConfiguration } from "../configuration.ts";
import type { Pages } from "../pages/pages.ts";
import { answerUpload, withHeaders } from "./answer.ts";
import { readForm, release } from "./form.ts";
import { uploadNameProblem } from "./names.ts";
import { type RefusedFile, type StoredFile, UploadRefused } from "./outcome.ts";
import { declaredLength, isForm } from "./request.ts";
import { storeUpload, tooLarge } from "./store.ts";

/** The upload directory as a handler of requests. */
export class Uploads {
  readonly #configuration: UploadConfiguration;
  readonly #tree: Pick<TreeConfiguration, "shares" | "showHidden">;
  readonly #pages: Pick<Pages, "uploadResult">;
  readonly #log: Pick<Log, "warn">;

  /**
   * @param tree says at which path an uploaded file is served, and whether hidden files are shared:
   * otherwise none may be uploaded.
   * @param log is told in one sentence what the system refused.
   */
  constructor(
    configuration: UploadConfiguration,
    tree: Pick<TreeConfiguration, "shares" | "showHidden">,
    pages: Pick<Pages, "uploadResult">,
    log: Pick<Log, "warn">,
  ) {
    this.#configuration = configuration;
    this.#tree = tree;
    this.#pages = pages;
    this.#log = log;
  }

  /**
   * Stores what a request brings: the body of a PUT, or the files of a form.
   *
   * The reply is 201 when all of it was stored, else it has the status of the first failure: 400 for a
   * bad name or a broken request, 409 for a name that cannot be had, 413
   * for too much, 415 for an encoding, 500 for an error of the system, 507 for a full disk. In each
   * case it says which files were stored and which were not.
   */
  async receive(target: Target, request: HttpRequest): Promise<Reply> {
    const uploaded: StoredFile[] = [];
    const failed: RefusedFile[] = [];
    const take = async (name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      try {
        uploaded.push(await this.#store(name, chunks));
      } catch (error) {
        failed.push(this.#refusal(name, error));
      }
    };
    try {
      refuseUnusual(request);
      if (isForm(request)) await this.#takeForm(request, take, uploaded, failed);
      else {
        const name = nameOf(target);
        this.#refuseTooLarge(request);
        await take(name, releasing(unbroken(request.body)));
      }
    } catch (error) {
      // A file that broke off together with its form is in the list already.
      if (!failed.some(({ reason }) => reason === messageOf(error))) {
        failed.push(this.#refusal("", error));
      }
    }
    const answer = answerUpload({ uploaded, failed }, request, this.#pages);
    return request.method === "PUT" ? this.#putAnswer(answer, uploaded[0]) : answer;
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
      throw new UploadRefused(400, "There is no file in the form.");
    }
  }

  #store(name: string, chunks: AsyncIterable<Uint8Array>): Promise<StoredFile> {
    const problem = uploadNameProblem(name, this.#tree.showHidden);
    if (problem !== null) throw new UploadRefused(400, problem);
    return storeUpload(this.#configuration, name, chunks);
  }

  /** Refuses a body whose Content-Length says that it is too large. */
  #refuseTooLarge(request: HttpRequest): void {
    const { maximumSize } = this.#configuration;
    if (maximumSize !== null && (declaredLength(request) ?? 0) > maximumSize) {
      throw tooLarge(maximumSize);
    }
  }

  #refusal(name: string, error: unknown): RefusedFile {
    if (error instanceof UploadRefused) {
      return { name, reason: error.message, status: error.status };
    }
    this.#log.warn(`An upload could not be stored: ${messageOf(error)}`);
    const reason = "The server could not store it; its log says why.";
    return { name, reason, status: 500 };
  }

  /** For a PUT: where the file is, and 200 in place of 201 where it took another's place. */
  #putAnswer(answer: Reply, stored: StoredFile | undefined): Reply {
    if (stored === undefined) return answer;
    const location = this.#pathOf(stored.name);
    const located = location === null ? answer : withHeaders(answer, { Location: location });
    return stored.replaced ? { ...located, status: 200 } : located;
  }

  /** The path at which an uploaded file is served, encoded; null when it is not shared. */
  #pathOf(name: string): string | null {
    const { directory } = this.#configuration;
    const share = this.#tree.shares.find(({ sources }) => sources.includes(directory));
    return share === undefined
      ? null
      : encodePath([...share.path.split("/").filter(Boolean), name]);
  }
}

/** The name that a PUT asks for. */
function nameOf(target: Target): string {
  const [name, ...more] = target.segments;
  if (name === undefined || target.trailingSlash) {
    throw new UploadRefused(400, "Put the file's name into the address: PUT /name.");
  }
  if (more.length > 0) {
    throw new UploadRefused(409, "Files are uploaded to /name, not into directories.");
  }
  return name;
}

/** Refuses bodies without files, and files that would have to be decoded or joined. */
function refuseUnusual(request: HttpRequest): void {
  if (request.method !== "PUT" && !isForm(request)) {
    throw new UploadRefused(415, "Post a form (multipart/form-data), or PUT the file to /name.");
  }
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new UploadRefused(415, "Uploads with a Content-Encoding are not taken.");
  }
  // RFC 9110 §14.5: else a part of a file would be stored as if it were the whole.
  if (request.headers["content-range"] !== undefined) {
    throw new UploadRefused(400, "Parts of files are not taken: send the whole file.");
  }
}

/** A body. If it breaks off, that is the client's error, not the server's. */
async function* unbroken(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk;
  } catch {
    throw new UploadRefused(400, "It broke off.");
  }
}

/** A stream that releases each chunk when the next one is asked for. */
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

/** True when there is nothing in a stream; else its first chunk is lost. */
async function isEmpty(chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
  for await (const chunk of chunks) {
    if (chunk.length > 0) return false;
  }
  return true;
}

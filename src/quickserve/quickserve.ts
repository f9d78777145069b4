/** Quickserve: answers requests from the shared tree. */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import { encodePath, parseTarget, type Target } from "../http/target.ts";
import { redirectReply, textReply } from "../http/replies.ts";
import type { Finder } from "../peers/finder.ts";
import type { Peers } from "../peers/peers.ts";
import type { FileReplies } from "./file_reply.ts";
import type { Pages } from "./pages/pages.ts";
import type { SharedTree } from "./tree.ts";
import { uploadsAreOff } from "./uploads/answer.ts";
import { isForm, isUpload } from "./uploads/request.ts";
import type { Uploads } from "./uploads/uploads.ts";

/**
 * Answers all requests except those for pacman's URLs.
 *
 * - GET and HEAD: a page that the query names ({@link Pages}). Otherwise the reply comes from the shared
 *   tree: a file ({@link FileReplies}), or the index file, listing or archive of a directory. If the tree
 *   has no file at the path, the peers are searched.
 * - POST to `/` without files: a message of another server ({@link Peers.answer}).
 * - PUT, and POST with files: {@link Uploads}.
 */
export class Quickserve {
  readonly #tree: Pick<SharedTree, "lookup">;
  readonly #files: Pick<FileReplies, "reply">;
  readonly #pages: Pick<Pages, "page" | "directory" | "error">;
  readonly #uploads: Pick<Uploads, "receive"> | null;
  readonly #peers: Pick<Peers, "answer" | "isFromPeer"> & { readonly finder: Pick<Finder, "find"> };
  readonly #index: string | null;

  /**
   * @param uploads null when uploads are off.
   * @param index name of the file that is sent in place of a directory's listing (`--index`).
   */
  constructor(
    tree: Pick<SharedTree, "lookup">,
    files: Pick<FileReplies, "reply">,
    pages: Pick<Pages, "page" | "directory" | "error">,
    uploads: Pick<Uploads, "receive"> | null,
    peers: Pick<Peers, "answer" | "isFromPeer"> & { readonly finder: Pick<Finder, "find"> },
    index: string | null,
  ) {
    this.#tree = tree;
    this.#files = files;
    this.#pages = pages;
    this.#uploads = uploads;
    this.#peers = peers;
    this.#index = index;
  }

  /** Returns the reply to a request. */
  answer(request: HttpRequest): Reply | Promise<Reply> {
    // `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7).
    if (request.target === "*" && request.method === "OPTIONS") {
      return { status: 204, headers: { Allow: this.#methodsAt(true).join(", ") }, body: null };
    }
    const target = parseTarget(request.target);
    if (target === null) return this.#pages.error(request, 400, "The path is malformed.");
    if (request.method === "GET" || request.method === "HEAD") return this.#get(target, request);
    return this.#send(target, request);
  }

  #get(target: Target, request: HttpRequest): Reply | Promise<Reply> {
    const { segments, trailingSlash, search } = target;
    const page = search === "" ? null : this.#pages.page(target, request);
    if (page !== null) return page;
    const found = this.#tree.lookup(segments);
    if (found?.kind !== "directory") {
      // A slash at the end means a directory, and the tree has none at this path.
      if (trailingSlash) return this.#notFound(request);
      const reply = found === null ? null : this.#files.reply(found, request);
      return reply ?? this.#getFromPeer(segments, request);
    }
    if (!trailingSlash) return redirectToDirectory(target);
    return this.#indexReply(target, request) ?? this.#pages.directory(found, target, request);
  }

  #indexReply({ segments, search }: Target, request: HttpRequest): Reply | Promise<Reply> | null {
    // A client that requests the listing as data, or an archive, does not want the index file.
    if (this.#index === null || /(?:^|&)(?:mimetype|tar)=/.test(search)) return null;
    const file = this.#tree.lookup([...segments, this.#index]);
    return file?.kind === "file" ? this.#files.reply(file, request) : null;
  }

  /** Returns a redirect to a peer that has the file; 404 when no peer has it. */
  async #getFromPeer(segments: readonly string[], request: HttpRequest): Promise<Reply> {
    // Never redirect a peer: it does its own search.
    if (this.#peers.isFromPeer(request)) return this.#notFound(request);
    const found = await this.#peers.finder.find(segments, request);
    if (found === null) return this.#notFound(request);
    return { ...redirectReply(found.url), source: `peer ${found.peer}` };
  }

  #notFound(request: HttpRequest): Reply {
    return this.#pages.error(request, 404, "Nothing is shared at this address.");
  }

  #send(target: Target, request: HttpRequest): Reply | Promise<Reply> {
    const isPost = request.method === "POST";
    const isRoot = target.segments.length === 0;
    if (isPost && isRoot && !isForm(request)) return this.#receiveMessage(target, request);
    if (this.#uploads !== null && (isPost || request.method === "PUT")) {
      return this.#uploads.receive(target, request);
    }
    const methods = this.#methodsAt(isRoot);
    if (this.#uploads === null && isUpload(request)) return uploadsAreOff(methods);
    return this.#pages.error(request, 405, `${request.method} is not supported at this address.`, {
      Allow: methods.join(", "),
    });
  }

  /** The methods that a path supports. */
  #methodsAt(isRoot: boolean): string[] {
    const methods = ["GET", "HEAD"];
    if (this.#uploads !== null || isRoot) methods.push("POST");
    if (this.#uploads !== null) methods.push("PUT");
    return methods;
  }

  /**
   * Answers a message of another server. If the body is not a message, the client perhaps meant an upload:
   * the reply then has the text of a refused upload, which explains how to upload, and the status that
   * other servers expect for a malformed message.
   */
  async #receiveMessage(target: Target, request: HttpRequest): Promise<Reply> {
    const reply = await this.#peers.answer(request);
    if (reply.status < 400 || this.#uploads === null) return reply;
    return { ...await this.#uploads.receive(target, request), status: reply.status };
  }
}

/** Redirects to the path with a slash at its end. Without it, the relative links of the page are wrong. */
function redirectToDirectory({ segments, search }: Target): Reply {
  // Build it from the decoded segments: two slashes at its beginning would name another host.
  const location = encodePath(segments) + "/" + (search === "" ? "" : "?" + search);
  return textReply(301, undefined, { Location: location });
}

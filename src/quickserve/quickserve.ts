/** Quickserve: from a request to the reply, by way of the shared tree. */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import { encodePath, parseTarget } from "../http/target.ts";
import type { Target } from "../http/target.ts";
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
 * Answers every request but those for pacman's URLs.
 *
 * - GET and HEAD: a page that the query asks for ({@link Pages}), else what the shared tree has at the
 *   path: a file ({@link FileReplies}), or the index file, listing or archive of a directory. A file
 *   that is not there is looked for at the peers.
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
   * @param uploads null: uploads are off.
   * @param index name of the file that stands for its directory when that is asked for (`--index`).
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

  /** The reply to a request. */
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
      // With a slash at its end it is the path of a directory, which is not there.
      if (trailingSlash) return this.#notFound(request);
      const reply = found === null ? null : this.#files.reply(found, request);
      return reply ?? this.#getFromPeer(segments, request);
    }
    if (!trailingSlash) return redirectToDirectory(target);
    return this.#indexReply(target, request) ?? this.#pages.directory(found, target, request);
  }

  #indexReply({ segments, search }: Target, request: HttpRequest): Reply | Promise<Reply> | null {
    // A client that asks for the data of a listing, or for an archive, does not mean the page.
    if (this.#index === null || /(?:^|&)(?:mimetype|tar)=/.test(search)) return null;
    const file = this.#tree.lookup([...segments, this.#index]);
    return file?.kind === "file" ? this.#files.reply(file, request) : null;
  }

  /** A redirect to a peer that has a file; 404 when none has. */
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
    return this.#pages.error(request, 405, `${request.method} is of no use at this address.`, {
      Allow: methods.join(", "),
    });
  }

  /** The methods that are of use at a path. */
  #methodsAt(isRoot: boolean): string[] {
    const methods = ["GET", "HEAD"];
    if (this.#uploads !== null || isRoot) methods.push("POST");
    if (this.#uploads !== null) methods.push("PUT");
    return methods;
  }

  /**
   * What turns out to be no message was perhaps meant as an upload: then the text is that of the
   * refused upload, which says how to send one. The status is the message's, as other servers expect.
   */
  async #receiveMessage(target: Target, request: HttpRequest): Promise<Reply> {
    const reply = await this.#peers.answer(request);
    if (reply.status < 400 || this.#uploads === null) return reply;
    return { ...await this.#uploads.receive(target, request), status: reply.status };
  }
}

/** Without the slash, the relative links of the directory's page would lead astray. */
function redirectToDirectory({ segments, search }: Target): Reply {
  // Made of the decoded segments, so that it never begins with two slashes: that is another host.
  const location = encodePath(segments) + "/" + (search === "" ? "" : "?" + search);
  return textReply(301, undefined, { Location: location });
}

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

/** The objects that {@link Quickserve} uses. */
interface QuickserveParts {
  readonly tree: Pick<SharedTree, "lookup">;
  readonly files: Pick<FileReplies, "reply">;
  readonly pages: Pick<Pages, "page" | "directory" | "error">;
  /** Null when uploads are off. */
  readonly uploads: Pick<Uploads, "receive"> | null;
  readonly peers: Pick<Peers, "answer" | "isFromPeer"> & { readonly finder: Pick<Finder, "find"> };
  /** Name of the file that is sent in place of a directory's listing (`--index`). */
  readonly index: string | null;
}

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
  readonly #parts: QuickserveParts;

  constructor(parts: QuickserveParts) {
    this.#parts = parts;
  }

  /** Returns the reply to a request. */
  answer(request: HttpRequest): Reply | Promise<Reply> {
    // `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7).
    if (request.target === "*" && request.method === "OPTIONS") {
      return { status: 204, headers: { Allow: this.#methodsAt(true).join(", ") }, body: null };
    }
    const target = parseTarget(request.target);
    if (target === null) return this.#parts.pages.error(request, 400, "The path is malformed.");
    if (request.method === "GET" || request.method === "HEAD") return this.#get(target, request);
    return this.#send(target, request);
  }

  #get(target: Target, request: HttpRequest): Reply | Promise<Reply> {
    const { segments, trailingSlash, search } = target;
    const page = search === "" ? null : this.#parts.pages.page(target, request);
    if (page !== null) return page;
    const found = this.#parts.tree.lookup(segments);
    if (found?.kind !== "directory") {
      // A slash at the end means a directory, and the tree has none at this path.
      if (trailingSlash) return this.#notFound(request);
      const reply = found === null ? null : this.#parts.files.reply(found, request);
      return reply ?? this.#getFromPeer(segments, request);
    }
    if (!trailingSlash) return redirectToDirectory(target);
    return this.#indexReply(target, request) ?? this.#parts.pages.directory(found, target, request);
  }

  #indexReply({ segments, search }: Target, request: HttpRequest): Reply | Promise<Reply> | null {
    // A client that requests the listing as data, or an archive, does not want the index file.
    if (this.#parts.index === null || /(?:^|&)(?:mimetype|tar)=/.test(search)) return null;
    const file = this.#parts.tree.lookup([...segments, this.#parts.index]);
    return file?.kind === "file" ? this.#parts.files.reply(file, request) : null;
  }

  /** Returns a redirect to a peer that has the file; 404 when no peer has it. */
  async #getFromPeer(segments: readonly string[], request: HttpRequest): Promise<Reply> {
    // Never redirect a peer: it does its own search.
    if (this.#parts.peers.isFromPeer(request)) return this.#notFound(request);
    const found = await this.#parts.peers.finder.find(segments, request);
    if (found === null) return this.#notFound(request);
    return { ...redirectReply(found.url), source: `peer ${found.peer}` };
  }

  #notFound(request: HttpRequest): Reply {
    return this.#parts.pages.error(request, 404, "Nothing is shared at this address.");
  }

  #send(target: Target, request: HttpRequest): Reply | Promise<Reply> {
    const isPost = request.method === "POST";
    const isRoot = target.segments.length === 0;
    if (isPost && isRoot && !isForm(request)) return this.#receiveMessage(target, request);
    if (this.#parts.uploads !== null && (isPost || request.method === "PUT")) {
      return this.#parts.uploads.receive(target, request);
    }
    const methods = this.#methodsAt(isRoot);
    if (this.#parts.uploads === null && isUpload(request)) return uploadsAreOff(methods);
    return this.#parts.pages.error(
      request,
      405,
      `${request.method} is not supported at this address.`,
      {
        Allow: methods.join(", "),
      },
    );
  }

  /** The methods that a path supports. */
  #methodsAt(isRoot: boolean): string[] {
    const methods = ["GET", "HEAD"];
    if (this.#parts.uploads !== null || isRoot) methods.push("POST");
    if (this.#parts.uploads !== null) methods.push("PUT");
    return methods;
  }

  /**
   * Answers a message of another server. If the body is not a message, the client perhaps meant an upload:
   * the reply then has the text of a refused upload, which explains how to upload, and the status that
   * other servers expect for a malformed message.
   */
  async #receiveMessage(target: Target, request: HttpRequest): Promise<Reply> {
    const reply = await this.#parts.peers.answer(request);
    if (reply.status < 400 || this.#parts.uploads === null) return reply;
    return { ...await this.#parts.uploads.receive(target, request), status: reply.status };
  }
}

/** Redirects to the path with a slash at its end. Without it, the relative links of the page are wrong. */
function redirectToDirectory({ segments, search }: Target): Reply {
  // Build it from the decoded segments: two slashes at its beginning would name another host.
  const location = encodePath(segments) + "/" + (search === "" ? "" : "?" + search);
  return textReply(301, undefined, { Location: location });
}

/** Quickserve: from a request to the reply, by way of the shared tree. */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import { redirectReply, textReply } from "../http/replies.ts";
import { encodePath, parseTarget } from "../http/target.ts";
import type { Target } from "../http/target.ts";
import type { Peers } from "../peers/peers.ts";
import type { FileReplies } from "./file_reply.ts";
import type { Pages } from "./pages/pages.ts";
import type { SharedTree } from "./tree.ts";
import { uploadsAreOff } from "./uploads/answer.ts";
import { isForm, isUpload } from "./uploads/request.ts";
import type { Uploads } from "./uploads/uploads.ts";

/** What answers in the end. */
export interface QuickserveParts {
  readonly tree: Pick<SharedTree, "lookup">;
  readonly files: Pick<FileReplies, "reply">;
  readonly pages: Pick<Pages, "page" | "directory" | "error">;
  /** Takes files: gets any PUT, and any POST that is no message, and refuses what is no upload. */
  readonly uploads: Pick<Uploads, "receive"> | null;
  /** Other servers, which send messages (a POST to `/` that is no form) and may have what is not here. */
  readonly peers: Pick<Peers, "answer" | "find" | "isFromPeer"> | null;
  /** Name of the file that stands for its directory when that is asked for (`--index`). */
  readonly index: string | null;
}

/** Answers every request but those for pacman's addresses. */
export class Quickserve {
  readonly #parts: QuickserveParts;

  constructor(parts: QuickserveParts) {
    this.#parts = parts;
  }

  /** The reply to a request. */
  answer(request: HttpRequest): Reply | Promise<Reply> {
    const parts = this.#parts;
    if (request.target === "*" && request.method === "OPTIONS") return options(parts);
    const target = parseTarget(request.target);
    if (target === null) return parts.pages.error(request, 400, "The path is malformed.");
    if (request.method === "GET" || request.method === "HEAD") return get(parts, target, request);
    return change(parts, target, request);
  }
}

function get(parts: QuickserveParts, target: Target, request: HttpRequest): Reply | Promise<Reply> {
  const { segments, trailingSlash, search } = target;
  const page = search === "" ? null : parts.pages.page(target, request);
  if (page !== null) return page;
  const found = parts.tree.lookup(segments);
  if (found?.kind !== "directory") {
    // With a slash at its end it is the address of a directory, which is not there.
    if (trailingSlash) return notFound(parts, request);
    const reply = found === null ? null : parts.files.reply(found, request);
    return reply ?? getElsewhere(parts, segments, request);
  }
  if (!trailingSlash) return redirectToDirectory(target);
  return indexReply(parts, target, request) ?? parts.pages.directory(found, target, request);
}

/** Without the slash, the relative links of the directory's page would lead astray. */
function redirectToDirectory({ segments, search }: Target): Reply {
  // Made of the decoded segments, so that it never begins with two slashes: that is another host.
  const location = encodePath(segments) + "/" + (search === "" ? "" : "?" + search);
  return textReply(301, undefined, { Location: location });
}

function indexReply(
  { index, tree, files }: QuickserveParts,
  { segments, search }: Target,
  request: HttpRequest,
): Reply | Promise<Reply> | null {
  // Whoever asks for the data of a listing, or for an archive, does not mean the page.
  if (index === null || /(?:^|&)(?:mimetype|tar)=/.test(search)) return null;
  const file = tree.lookup([...segments, index]);
  return file?.kind === "file" ? files.reply(file, request) : null;
}

/** A file that is not in the tree: a peer may have it. */
async function getElsewhere(
  parts: QuickserveParts,
  segments: readonly string[],
  request: HttpRequest,
): Promise<Reply> {
  const { peers } = parts;
  // Never redirect a peer: it does its own search.
  const found = peers === null || peers.isFromPeer(request)
    ? null
    : await peers.find(segments, request);
  if (found === null) return notFound(parts, request);
  return { ...redirectReply(found.url), source: `peer ${found.peer}` };
}

function notFound({ pages }: QuickserveParts, request: HttpRequest): Reply {
  return pages.error(request, 404, "Nothing is shared at this address.");
}

/** Methods other than GET and HEAD. */
function change(
  parts: QuickserveParts,
  target: Target,
  request: HttpRequest,
): Reply | Promise<Reply> {
  const { peers, uploads, pages } = parts;
  const isPost = request.method === "POST";
  const isMessage = isPost && target.segments.length === 0 && !isForm(request);
  if (peers !== null && isMessage) return receiveMessage(parts, peers, target, request);
  if (uploads !== null && (isPost || request.method === "PUT")) {
    return uploads.receive(target, request);
  }
  const methods = methodsAt(parts, target.segments.length === 0);
  if (uploads === null && isUpload(request)) return uploadsAreOff(methods);
  return pages.error(request, 405, `${request.method} is of no use at this address.`, {
    Allow: methods.join(", "),
  });
}

/** `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7). */
function options(parts: QuickserveParts): Reply {
  return { status: 204, headers: { Allow: methodsAt(parts, true).join(", ") }, body: null };
}

/** The methods that are of use at an address. */
function methodsAt({ peers, uploads }: QuickserveParts, isRoot: boolean): string[] {
  const methods = ["GET", "HEAD"];
  if (uploads !== null || (peers !== null && isRoot)) methods.push("POST");
  if (uploads !== null) methods.push("PUT");
  return methods;
}

/**
 * What turns out to be no message was perhaps meant as an upload: the words are those of its refusal,
 * which say how to send one. The status is the message's, as other servers expect it.
 */
async function receiveMessage(
  { uploads }: QuickserveParts,
  peers: Pick<Peers, "answer">,
  target: Target,
  request: HttpRequest,
): Promise<Reply> {
  const reply = await peers.answer(request);
  if (reply.status < 400 || uploads === null) return reply;
  return { ...await uploads.receive(target, request), status: reply.status };
}

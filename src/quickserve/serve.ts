/** Quickserve: from a request to the reply, by way of the shared tree. */

import type { Handler, HttpRequest, Reply, ReplyHeaders } from "../http/exchange.ts";
import { encodePath, parseTarget } from "../http/target.ts";
import type { Target } from "../http/target.ts";
import type { FileReplies } from "./file_reply.ts";
import type { SharedDirectory } from "./shared.ts";
import { textReply } from "../http/replies.ts";
import type { SharedTree } from "./tree.ts";
import { uploadsAreOff } from "./uploads/answer.ts";
import { isForm, isUpload } from "./uploads/request.ts";

/** What the column is put together from. */
export interface QuickserveParts {
  readonly tree: SharedTree;
  readonly files: FileReplies;
  /** Name of the file that stands for its directory when that is asked for (`--index`). */
  readonly index: string | null;
  /** A page that the query asks for (`?page=peers`); null when it asks for none. */
  readonly page: (target: Target, request: HttpRequest) => Reply | Promise<Reply> | null;
  /** The listing or the archive of a directory. */
  readonly directory: (
    directory: SharedDirectory,
    target: Target,
    request: HttpRequest,
  ) => Reply | Promise<Reply>;
  /** Answers a message of another server: a POST to `/` that is no form with files. */
  readonly message: ((request: HttpRequest) => Reply | Promise<Reply>) | null;
  /** Takes files: gets any PUT, and any POST that is no message, and refuses what is no upload. */
  readonly upload:
    | ((target: Target, request: HttpRequest) => Reply | Promise<Reply>)
    | null;
  /** An error: a page for browsers, a line of text for everybody else. */
  readonly error: (
    request: HttpRequest,
    status: number,
    message?: string,
    headers?: ReplyHeaders,
  ) => Reply;
  /** Where else a file is that is not in the tree: on a peer. Null: nowhere. */
  readonly elsewhere:
    | ((segments: readonly string[], request: HttpRequest) => Promise<Reply | null>)
    | null;
}

/** The handler of every request but those for pacman's addresses. */
export function createQuickserve(parts: QuickserveParts): Handler {
  return (request) => {
    if (request.target === "*" && request.method === "OPTIONS") return options(parts);
    const target = parseTarget(request.target);
    if (target === null) return parts.error(request, 400, "The path is malformed.");
    if (request.method === "GET" || request.method === "HEAD") return get(parts, target, request);
    return send(parts, target, request);
  };
}

function get(parts: QuickserveParts, target: Target, request: HttpRequest): Reply | Promise<Reply> {
  const { segments, trailingSlash, search } = target;
  const page = search === "" ? null : parts.page(target, request);
  if (page !== null) return page;
  const found = parts.tree.lookup(segments);
  if (found?.kind !== "directory") {
    // With a slash at its end it is the address of a directory, which is not there.
    if (trailingSlash) return notFound(parts, request);
    const reply = found === null ? null : parts.files.reply(found, request);
    return reply ?? getElsewhere(parts, segments, request);
  }
  if (!trailingSlash) return redirectToDirectory(target);
  return indexReply(parts, target, request) ?? parts.directory(found, target, request);
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

async function getElsewhere(
  parts: QuickserveParts,
  segments: readonly string[],
  request: HttpRequest,
): Promise<Reply> {
  const reply = parts.elsewhere === null ? null : await parts.elsewhere(segments, request);
  return reply ?? notFound(parts, request);
}

function notFound({ error }: QuickserveParts, request: HttpRequest): Reply {
  return error(request, 404, "Nothing is shared at this address.");
}

function send(
  parts: QuickserveParts,
  target: Target,
  request: HttpRequest,
): Reply | Promise<Reply> {
  const { message, upload, error } = parts;
  const isPost = request.method === "POST";
  const isMessage = isPost && target.segments.length === 0 && !isForm(request);
  const receive = upload === null ? null : (): Reply | Promise<Reply> => upload(target, request);
  if (message !== null && isMessage) return receiveMessage(message, receive, request);
  if (receive !== null && (isPost || request.method === "PUT")) return receive();
  const methods = methodsAt(parts, target.segments.length === 0);
  if (upload === null && isUpload(request)) return uploadsAreOff(methods);
  return error(request, 405, `${request.method} is of no use at this address.`, {
    Allow: methods.join(", "),
  });
}

/** `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7). */
function options(parts: QuickserveParts): Reply {
  return { status: 204, headers: { Allow: methodsAt(parts, true).join(", ") }, body: null };
}

/** The methods that are of use at an address. */
function methodsAt({ message, upload }: QuickserveParts, isRoot: boolean): string[] {
  const methods = ["GET", "HEAD"];
  if (upload !== null || (message !== null && isRoot)) methods.push("POST");
  if (upload !== null) methods.push("PUT");
  return methods;
}

/**
 * What turns out to be no message was perhaps meant as an upload: the words are those of its refusal,
 * which say how to send one. The status is the message's, as other servers expect it.
 */
async function receiveMessage(
  message: (request: HttpRequest) => Reply | Promise<Reply>,
  receive: (() => Reply | Promise<Reply>) | null,
  request: HttpRequest,
): Promise<Reply> {
  const reply = await message(request);
  if (reply.status < 400 || receive === null) return reply;
  return { ...await receive(), status: reply.status };
}

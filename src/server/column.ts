/**
 * The column of handlers that a request goes through, put together from the rooms for one
 * configuration. From the door to the file it is:
 *
 * - `http/listener.ts`, `http/service.ts`, `running_server.ts`: a request comes in;
 * - {@link dressed}: what every reply bears;
 * - `http/admission.ts`: who may come in;
 * - `auth/require_user.ts`: who has to log in;
 * - {@link indexHandler}: a peer that asks for the index of packages;
 * - `pacserve_handler.ts`, `pacserve/choose.ts`: pacman's addresses, from cache, peer or mirror;
 * - `quickserve_handler.ts`, `quickserve/quickserve.ts`: everything else, from the shared tree
 *   (`quickserve/tree.ts`), else from a peer;
 * - `quickserve/file_reply.ts`, `http/send.ts`: the file goes out.
 *
 * Each calls the one below it, so they are made from the bottom up.
 */

import { requireUser } from "../auth/require_user.ts";
import { Admission, admit } from "../http/admission.ts";
import type { Handler, HttpRequest, Reply, ReplyHeaders } from "../http/exchange.ts";
import { serverHeader } from "../peers/announcement.ts";
import type { Peers } from "../peers/peers.ts";
import { FileReplies, Website } from "../quickserve/file_reply.ts";
import { SharedTree } from "../quickserve/tree.ts";
import { announcesUpload } from "../quickserve/uploads/request.ts";
import type { ServerConfiguration } from "./configuration.ts";
import { quickserveHandler } from "./quickserve_handler.ts";
import type { LastingParts } from "./lasting_parts.ts";
import { SharedFiles } from "./own_files.ts";
import { isOwnPacman, pacserveHandler } from "./pacserve_handler.ts";

/** The rooms of one configuration, joined. */
export class Column {
  /** Answers every request. */
  readonly handler: Handler;
  /** For the questions of peers. */
  readonly files: SharedFiles;
  /** Who may come in, and who may be a peer. */
  readonly admission: Admission;
  readonly #close: () => void;

  /** Puts the column together. */
  static async assemble(configuration: ServerConfiguration, parts: LastingParts): Promise<Column> {
    const tree = await SharedTree.create(
      configuration.tree,
      (message) => parts.log.detail(message),
    );
    return new Column(configuration, parts, tree);
  }

  private constructor(configuration: ServerConfiguration, parts: LastingParts, tree: SharedTree) {
    this.files = new SharedFiles(tree);
    this.admission = new Admission(configuration.admission, {
      names: configuration.hostNames,
      interfaces: () => parts.network.networks(),
    });
    const { pages, uploads, tree: { shares } } = configuration;
    const website = pages.website
      ? new Website(shares.flatMap(({ sources }) => sources), uploads?.directory ?? null)
      : null;
    const source = configuration.pacserve === null ? "file" : "cache";
    const files = new FileReplies(tree, source, website);
    const quickserve = quickserveHandler(configuration, parts, tree, files);
    const pacserve = pacserveHandler(configuration, parts, tree, files, quickserve);
    const indexed = indexHandler(parts.peers, pacserve.handler);
    const { auth } = configuration;
    const authenticated = requireUser(
      indexed,
      parts.digest,
      auth,
      (request) =>
        isOwnPacman(configuration, parts.network, request) ||
        (auth.uploadOnly && !announcesUpload(request)),
    );
    const admitted = admit(this.admission, authenticated);
    this.handler = dressed(configuration, parts.peers, admitted);
    this.#close = () => {
      files.close();
      pacserve.close();
    };
  }

  /** Lets go of what is kept in memory. */
  close(): void {
    this.#close();
  }
}

/** A peer that asks for the index gets it; all else goes on. */
function indexHandler(peers: Peers, underneath: Handler): Handler {
  return (request) =>
    peers.isIndexRequest(request) ? peers.answerIndex(request) : underneath(request);
}

/** Puts on every reply who answers; peers learn more. */
function dressed({ program }: ServerConfiguration, peers: Peers, handler: Handler): Handler {
  const always: ReplyHeaders = { "Server": serverHeader(program) };
  const dress = (request: HttpRequest, reply: Reply): Reply => {
    const more = peers.isFromPeer(request) ? peers.replyHeaders() : null;
    return { ...reply, headers: { ...reply.headers, ...always, ...more } };
  };
  return (request) => {
    const reply = handler(request);
    return reply instanceof Promise
      ? reply.then((later) => dress(request, later))
      : dress(request, reply);
  };
}

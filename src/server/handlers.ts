/**
 * The way of a request, and every URL that the server knows.
 *
 * A request comes in by `http/listener.ts` and `http/service.ts`, goes down through {@link Handlers}, and
 * its reply goes out by `http/send.ts`:
 *
 * 1. `withHeaders`: every reply says who answers; a peer learns more.
 * 2. `http/admission.ts`: who may come in (403).
 * 3. `auth/`: who has to log in (401).
 * 4. `route`: who answers, by this table.
 *
 * | request                                        | answer                                                       |
 * | ---------------------------------------------- | ------------------------------------------------------------ |
 * | `GET /?index=pkg`                              | names of packages, for peers (`peers/published_index.ts`)    |
 * | `GET /pacman/<repository>/<architecture>/<file>`, `GET /request/…`, | `pacserve/`: from a cache, a      |
 * | `GET /pkg/?repo=&arch=&file=`, `GET /pkg/<file>` | peer or a mirror, unless a peer asks                       |
 * | `GET /?page=about`, `peers`, `upload`          | a page (`quickserve/pages/`)                                 |
 * | `GET /?asset=<name>`                           | style and script of the pages                                |
 * | `GET /<directory>/`                            | `--index`, else the listing; with `?tar=` an archive         |
 * | `GET /<directory>`                             | 301 to the same with a slash                                 |
 * | `GET /<file>`                                  | the file (`quickserve/file_reply.ts`), else a redirect to a peer |
 * | `POST /` without a form                        | a message of another server (`peers/answer.ts`)              |
 * | `PUT /<name>`, `POST` of a form                | an upload (`quickserve/uploads/`)                            |
 * | `OPTIONS *`                                    | 204                                                          |
 *
 * HEAD is answered as GET is; everything else is 404 or 405. The first two rows are decided here, the
 * others in `quickserve/serve.ts`.
 */

import { authenticate } from "../auth/authenticate.ts";
import type { Digest } from "../auth/digest.ts";
import { Admission } from "../http/admission.ts";
import type { HttpRequest, Reply, ReplyHeaders } from "../http/exchange.ts";
import type { Network } from "../http/network.ts";
import { encodePath, parseTarget } from "../http/target.ts";
import { parsePacmanAddress } from "../pacserve/address.ts";
import { Pacserve, type PacserveMemory } from "../pacserve/choose.ts";
import { serverHeader } from "../peers/announcement.ts";
import type { Peers } from "../peers/peers.ts";
import { FileReplies } from "../quickserve/file_reply.ts";
import { ownPages } from "../quickserve/own_pages.ts";
import { createPages, type Pages } from "../quickserve/pages/pages.ts";
import type { Use } from "../quickserve/pages/uses.ts";
import { Quickserve } from "../quickserve/serve.ts";
import { SharedTree } from "../quickserve/tree.ts";
import { announcesUpload } from "../quickserve/uploads/request.ts";
import { Uploads } from "../quickserve/uploads/uploads.ts";
import type { ServerConfiguration } from "./configuration.ts";
import { type Log, logAt } from "./log.ts";
import { reachableAddresses, urlElsewhere } from "./reachable.ts";

/** Parts of a server that stay when its configuration changes. */
export interface LastingParts {
  readonly digest: Digest;
  readonly peers: Peers;
  readonly network: Network;
  /** The memory of the choice between peers and mirrors. */
  readonly memory: PacserveMemory;
  readonly log: Log;
}

/** The handlers of one configuration. */
export class Handlers {
  /** What is shared. */
  readonly tree: SharedTree;
  readonly #configuration: ServerConfiguration;
  readonly #parts: LastingParts;
  readonly #always: ReplyHeaders;
  readonly #admission: Admission;
  readonly #files: FileReplies;
  readonly #pacserve: Pacserve | null;
  readonly #quickserve: Quickserve;

  /** Makes the handlers of a configuration. */
  static async create(configuration: ServerConfiguration, parts: LastingParts): Promise<Handlers> {
    const tree = await SharedTree.create(
      configuration.tree,
      (message) => parts.log.debug(message),
    );
    return new Handlers(configuration, parts, tree);
  }

  private constructor(configuration: ServerConfiguration, parts: LastingParts, tree: SharedTree) {
    const { pacserve, hostNames, admission } = configuration;
    this.#configuration = configuration;
    this.#parts = parts;
    this.tree = tree;
    this.#always = { "Server": serverHeader(configuration.program) };
    this.#admission = new Admission(admission, { names: hostNames, network: parts.network });
    this.#files = filesOf(configuration, tree);
    this.#pacserve = pacserve === null ? null : new Pacserve({
      ...parts,
      configuration: pacserve,
      tree,
      files: this.#files,
      log: (level, sentence) => logAt(parts.log, level, sentence),
    });
    const pages = pagesOf(configuration, tree, parts);
    this.#quickserve = new Quickserve({
      tree,
      files: this.#files,
      pages,
      uploads: uploadsOf(configuration, parts.log, pages),
      peers: parts.peers,
      index: configuration.pages.index,
    });
  }

  /** Answers a request. */
  answer(request: HttpRequest): Reply | Promise<Reply> {
    const reply = this.#admission.refusal(request) ?? this.#login(request);
    return reply instanceof Promise
      ? reply.then((later) => this.#withHeaders(request, later))
      : this.#withHeaders(request, reply);
  }

  /** Whether a client or peer at this IP address is let in. */
  allows(address: string): boolean {
    return this.#admission.allowsAddress(address);
  }

  /** Frees the files that are kept in memory. */
  close(): void {
    this.#files.close();
    this.#pacserve?.close();
  }

  /** Says who answers; a peer learns more. */
  #withHeaders(request: HttpRequest, reply: Reply): Reply {
    const { peers } = this.#parts;
    const more = peers.isFromPeer(request) ? peers.replyHeaders() : null;
    return { ...reply, headers: { ...reply.headers, ...this.#always, ...more } };
  }

  #login(request: HttpRequest): Reply | Promise<Reply> {
    if (!this.#needsUser(request)) return this.#route(request);
    return authenticate(this.#parts.digest, request, (request) => this.#route(request));
  }

  #needsUser(request: HttpRequest): boolean {
    const { users, uploadOnly } = this.#configuration.auth;
    if (users.length === 0) return false;
    return uploadOnly ? announcesUpload(request) : !this.#isOwnPacman(request);
  }

  /** This host's own pacman cannot log in: its requests for packages need no user. */
  #isOwnPacman({ method, target, connection }: HttpRequest): boolean {
    if (this.#pacserve === null || (method !== "GET" && method !== "HEAD")) return false;
    const parsed = parseTarget(target);
    return parsed !== null && parsePacmanAddress(parsed) !== null &&
      this.#parts.network.isOwn(connection.remoteAddress);
  }

  #route(request: HttpRequest): Reply | Promise<Reply> {
    const { peers } = this.#parts;
    if (peers.isIndexRequest(request)) return peers.answerIndex(request);
    return this.#forPacman(request) ?? this.#quickserve.answer(request);
  }

  /** Null where pacserve has no answer of its own. */
  #forPacman(request: HttpRequest): Reply | Promise<Reply> | null {
    // Never send a peer on: it does its own search.
    if (this.#pacserve === null || this.#parts.peers.isFromPeer(request)) return null;
    const target = parseTarget(request.target);
    return target === null ? null : this.#pacserve.answer(request, target);
  }
}

function filesOf(
  { pages, uploads, tree, pacserve }: ServerConfiguration,
  shared: SharedTree,
): FileReplies {
  const website = pages.website ? tree.shares.flatMap(({ sources }) => sources) : [];
  return new FileReplies(shared, {
    isOwnPage: ownPages(website, uploads?.directory ?? null),
    source: pacserve === null ? "file" : "cache",
  });
}

function pagesOf(
  { pages, auth, uploads, peers: { multicast, staticPeers }, pacserve, listen }:
    ServerConfiguration,
  tree: SharedTree,
  { peers, network }: LastingParts,
): Pages {
  const pacmanUses = (asked: string): Use[] => {
    const url = urlElsewhere(asked, reachableAddresses(listen, network.interfaces()));
    return url === null ? [] : [pacmanUse(url)];
  };
  return createPages({
    configuration: pages,
    tree,
    about: {
      login: auth.users.length === 0 ? "nothing" : auth.uploadOnly ? "uploads" : "everything",
      uploads,
      peers: multicast !== null ? "multicast" : staticPeers.length > 0 ? "named" : "none",
      uses: (url) => pacserve === null ? [] : pacmanUses(url),
    },
    peers,
  });
}

/** How the pacman of a machine without pacserve uses this server. */
function pacmanUse(url: string): Use {
  return {
    title: "Use it from another machine's pacman: the first line of each repository in pacman.conf",
    command: `Server = ${url}/pacman/$repo/$arch`,
  };
}

function uploadsOf(
  { uploads, tree }: ServerConfiguration,
  log: Log,
  pages: Pages,
): Uploads | null {
  if (uploads === null) return null;
  const share = tree.shares.find(({ sources }) => sources.includes(uploads.directory));
  return new Uploads(uploads, {
    showHidden: tree.showHidden,
    page: pages.uploadResult,
    addressOf: (name) =>
      share === undefined ? null : encodePath([...share.path.split("/").filter(Boolean), name]),
    report: (message) => log.warn(message),
  });
}

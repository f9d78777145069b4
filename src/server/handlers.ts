/**
 * The steps by which a request is answered, and the table of all URLs of the server.
 *
 * `http/listener.ts` and `http/service.ts` receive a request and pass it to {@link Handlers};
 * `http/send.ts` sends the reply. In between:
 *
 * 1. `withHeaders`: adds the `Server` field to every reply, and more fields for peers.
 * 2. `http/admission.ts`: refuses clients that are not allowed (403).
 * 3. `own_host.ts`: answers requests that only this host may send.
 * 4. `auth/`: requires a login (401).
 * 5. `route`: chooses the part that answers, by this table.
 *
 * | request                                        | answer                                                       |
 * | ---------------------------------------------- | ------------------------------------------------------------ |
 * | `GET /?index=pkg`                              | names of packages, for peers (`peers/index/published.ts`)    |
 * | `GET /pacman/<repository>/<architecture>/<file>`, `GET /request/…`, | `pacserve/`: from a cache, a      |
 * | `GET /pkg/?repo=&arch=&file=`, `GET /pkg/<file>` | peer or a mirror, unless a peer asks                       |
 * | `GET /?page=status`, `GET /metrics`            | the status of a pacserve, for this host (`status/`)          |
 * | `GET /?page=about`, `peers`, `upload`          | a page (`quickserve/pages/`)                                 |
 * | `GET /?asset=<name>`                           | style and script of the pages                                |
 * | `GET /<directory>/`                            | `--index`, else the listing; with `?tar=` an archive         |
 * | `GET /<directory>`                             | 301 to the same with a slash                                 |
 * | `GET /<file>`                                  | the file (`quickserve/file_reply.ts`), else a redirect to a peer |
 * | `POST /?page=check`, `received`                | this host alone: `own_host.ts`                                |
 * | `POST /` without a form                        | a message of another server (`peers/answers.ts`)              |
 * | `PUT /<name>`, `POST` of a form                | an upload (`quickserve/uploads/`)                            |
 * | `OPTIONS *`                                    | 204                                                          |
 *
 * HEAD is answered as GET is; everything else is 404 or 405. The first three rows are decided here, the
 * others in `quickserve/quickserve.ts`.
 */

import { type Digest, type LoginVerdict, replyToUser } from "../auth/digest.ts";
import { Admission } from "../http/admission.ts";
import type { HttpRequest, Reply, ReplyHeaders } from "../http/exchange.ts";
import type { Network } from "../http/network.ts";
import { parseTarget } from "../http/target.ts";
import type { Log } from "../log.ts";
import { parsePacmanAddress } from "../pacserve/address.ts";
import { Pacserve, type PacserveMemory } from "../pacserve/pacserve.ts";
import type { ExpectedFiles } from "../pacserve/expected_files.ts";
import { serverHeader } from "../peers/announcement.ts";
import type { Peers } from "../peers/peers.ts";
import { FileReplies, Website } from "../quickserve/file_reply.ts";
import type { AboutFacts } from "../quickserve/pages/about.ts";
import { Pages } from "../quickserve/pages/pages.ts";
import { Quickserve } from "../quickserve/quickserve.ts";
import { SharedTree } from "../quickserve/tree.ts";
import { announcesUpload } from "../quickserve/uploads/request.ts";
import { UploadPlaces } from "../quickserve/uploads/places.ts";
import { Uploads } from "../quickserve/uploads/uploads.ts";
import { isStatusRequest, StatusReplies } from "../status/replies.ts";
import type { Snapshot } from "../status/snapshot.ts";
import type { ServerConfiguration } from "./configuration.ts";
import { SharedFiles } from "./own_files.ts";
import { OwnHost } from "./own_host.ts";
import { selfCheck } from "./self_check.ts";

/** Objects of a server that are kept when its configuration changes. */
interface LastingParts {
  readonly digest: Digest;
  readonly peers: Peers;
  readonly network: Network;
  /** The knowledge of pacserve about peers and mirrors, and its relay. */
  readonly memory: PacserveMemory;
  /** Sizes and hashes of packages, from the sync databases. */
  readonly expected: ExpectedFiles;
  /** Returns the status of the server. */
  readonly status: { snapshot(): Snapshot };
  readonly log: Log;
}

/** The handlers of one configuration. */
export class Handlers {
  /** Answers the questions of peers about the files of this server. */
  readonly files: SharedFiles;
  /** Decides which clients are answered, and which hosts may be peers. */
  readonly admission: Admission;
  /** True when this server relays packages to this host's pacman; false with `--redirect`. */
  readonly relays: boolean;
  readonly #configuration: ServerConfiguration;
  readonly #parts: LastingParts;
  readonly #always: ReplyHeaders;
  /** Frozen fields of replies, with those of every reply. */
  readonly #shared = new WeakMap<ReplyHeaders, ReplyHeaders>();
  readonly #fileReplies: FileReplies;
  readonly #pacserve: Pacserve | null;
  readonly #quickserve: Quickserve;
  /** Null in quickserve. */
  readonly #status: StatusReplies | null;
  /** Null in quickserve. */
  readonly #ownHost: OwnHost | null;

  /** Makes the handlers of a configuration. */
  static async create(configuration: ServerConfiguration, parts: LastingParts): Promise<Handlers> {
    const tree = await SharedTree.create(configuration.tree, parts.log);
    return new Handlers(configuration, parts, tree);
  }

  private constructor(configuration: ServerConfiguration, parts: LastingParts, tree: SharedTree) {
    const { pacserve, hostNames, admission } = configuration;
    this.#configuration = configuration;
    this.#parts = parts;
    this.files = new SharedFiles(tree, parts.expected, parts.memory.relay.holder);
    this.relays = pacserve !== null && !pacserve.redirect;
    this.#ownHost = pacserve === null ? null : new OwnHost(
      parts.network,
      parts.memory.received.packages,
      () => selfCheck(configuration, parts.peers, parts.expected),
    );
    this.#always = { "Server": serverHeader(configuration.program) };
    this.admission = new Admission(admission, { names: hostNames, network: parts.network });
    this.#fileReplies = filesOf(configuration, tree);
    this.#pacserve = pacserve === null ? null : new Pacserve({
      ...parts,
      configuration: pacserve,
      tree,
      files: this.#fileReplies,
    });
    const { peers, network, log } = parts;
    const { status, uploads: toUpload, pages: { index } } = configuration;
    const { shares, showHidden } = configuration.tree;
    const places = toUpload === null ? null : new UploadPlaces(toUpload.directory, shares, tree);
    const own = status === null ? null : network;
    const about = aboutFacts(configuration);
    const pages = new Pages({
      configuration: configuration.pages,
      tree,
      peers,
      about,
      places,
      own,
    });
    const uploads = toUpload === null || places === null
      ? null
      : new Uploads({ configuration: toUpload, places, showHidden, pages, log });
    this.#status = status === null ? null : new StatusReplies(status, parts.status, network, pages);
    const files = this.#fileReplies;
    this.#quickserve = new Quickserve({ tree, files, pages, uploads, peers, index });
  }

  /** Answers a request. */
  answer(request: HttpRequest): Reply | Promise<Reply> {
    const reply = this.#forStatus(request) ?? this.admission.refusal(request) ??
      this.#ownHost?.answer(request) ??
      this.#login(request);
    return reply instanceof Promise
      ? reply.then((later) => this.#withHeaders(request, later))
      : this.#withHeaders(request, reply);
  }

  /**
   * Answers requests for the status without a login, as those of this host's pacman. `--allow-metrics` also
   * admits networks that `--allow-network` does not.
   */
  #forStatus(request: HttpRequest): Reply | null {
    if (this.#status === null || !isStatusRequest(request)) return null;
    if (!this.admission.allowsHost(request.headers["host"])) return null;
    return this.#status.reply(request);
  }

  /** Frees the files that are kept in memory. */
  close(): void {
    this.#fileReplies.close();
    this.#pacserve?.close();
  }

  /** Adds the `Server` field, and for a peer the fields for peers. */
  #withHeaders(request: HttpRequest, reply: Reply): Reply {
    const { peers } = this.#parts;
    const isFromPeer = peers.isFromPeer(request);
    if (isFromPeer) peers.visited(request.connection.remoteAddress);
    return {
      ...reply,
      headers: isFromPeer
        ? { ...reply.headers, ...this.#always, ...peers.replyHeaders() }
        : this.#withAlways(reply.headers),
    };
  }

  /** Returns the same object for the same frozen fields, because a known head is faster to write. */
  #withAlways(headers: ReplyHeaders): ReplyHeaders {
    if (!Object.isFrozen(headers)) return { ...headers, ...this.#always };
    let all = this.#shared.get(headers);
    if (all === undefined) {
      all = Object.freeze({ ...headers, ...this.#always });
      this.#shared.set(headers, all);
    }
    return all;
  }

  #login(request: HttpRequest): Reply | Promise<Reply> {
    if (!this.#needsUser(request)) return this.#route(request);
    const verdict = this.#parts.digest.check(request);
    return verdict instanceof Promise
      ? verdict.then((later) => this.#forUser(request, later))
      : this.#forUser(request, verdict);
  }

  #forUser(request: HttpRequest, verdict: LoginVerdict): Reply | Promise<Reply> {
    if ("reply" in verdict) return verdict.reply;
    const reply = this.#route(request);
    return reply instanceof Promise
      ? reply.then((later) => replyToUser(later, verdict))
      : replyToUser(reply, verdict);
  }

  #needsUser(request: HttpRequest): boolean {
    const { users, uploadOnly } = this.#configuration.auth;
    if (users.length === 0) return false;
    return uploadOnly ? announcesUpload(request) : !this.#isOwnPacman(request);
  }

  /** True for a request of this host's pacman for a package: pacman cannot log in, and need not. */
  #isOwnPacman({ method, target, connection }: HttpRequest): boolean {
    if (this.#pacserve === null || (method !== "GET" && method !== "HEAD")) return false;
    const parsed = parseTarget(target);
    return parsed !== null && parsePacmanAddress(parsed) !== null &&
      this.#parts.network.isOwn(connection.remoteAddress, connection.localAddress);
  }

  #route(request: HttpRequest): Reply | Promise<Reply> {
    const { peers } = this.#parts;
    if (peers.isIndexRequest(request)) return peers.answerIndex(request);
    return this.#forPacman(request) ?? this.#quickserve.answer(request);
  }

  /** Returns the answer of pacserve; null when the request is not for it. */
  #forPacman(request: HttpRequest): Reply | Promise<Reply> | null {
    if (this.#pacserve === null) return null;
    const target = parseTarget(request.target);
    if (target === null) return null;
    return this.#parts.peers.isFromPeer(request)
      ? this.#pacserve.answerPeer(request, target)
      : this.#pacserve.answer(request, target);
  }
}

function filesOf(
  { pages, uploads, tree, pacserve }: ServerConfiguration,
  shared: SharedTree,
): FileReplies {
  const website = pages.website
    ? new Website(tree.shares.flatMap(({ sources }) => sources), uploads?.directory ?? null)
    : null;
  return new FileReplies(shared, pacserve === null ? "file" : "cache", website);
}

function aboutFacts(
  { auth, uploads, peers: { multicast, mdns, staticPeers }, pacserve, listen }: ServerConfiguration,
): AboutFacts {
  return {
    login: auth.users.length === 0 ? "nothing" : auth.uploadOnly ? "uploads" : "everything",
    uploads,
    peers: multicast !== null || mdns !== null
      ? "multicast"
      : staticPeers.length > 0
      ? "named"
      : "none",
    servesPackages: pacserve !== null,
    listen,
  };
}

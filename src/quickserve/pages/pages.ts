/** Answers requests for the pages of a server. */

import type { HttpRequest, Reply, ReplyHeaders } from "../../http/exchange.ts";
import { isLoopback } from "../../http/address.ts";
import type { Network } from "../../http/network.ts";
import { ConcurrencyLimit, NeighbourLimit } from "../../http/rate_limit.ts";
import type { Target } from "../../http/target.ts";
import type { Finder } from "../../peers/finder.ts";
import type { Peers } from "../../peers/peers.ts";
import { archiveReply, isArchiveFormat } from "../archive/archive.ts";
import type { PagesConfiguration } from "../configuration.ts";
import type { SharedDirectory } from "../shared.ts";
import { searchTree, searchWords } from "../search.ts";
import type { SharedTree } from "../tree.ts";
import { Turns } from "../turns.ts";
import type { UploadOutcome } from "../uploads/outcome.ts";
import type { UploadPlace, UploadPlaces } from "../uploads/places.ts";
import { type AboutFacts, aboutPage } from "./about.ts";
import { assetReply } from "./assets.ts";
import { mergeEntries } from "./entries.ts";
import { errorReply } from "./errors.ts";
import type { ListingContext } from "./listing.ts";
import { listingReply } from "./listing_reply.ts";
import { peersPage } from "./peers.ts";
import { addressForPhones, qrReply } from "./qr.ts";
import { type FormPlace, uploadPage, uploadResultPage } from "./upload.ts";

/** A page with this many entries takes milliseconds to write: it waits for its turn. */
const WORTH_A_TURN = 1000;

/** Limits of a search: the characters of its text, and its words. */
const MAX_SEARCH = 200;
const MAX_WORDS = 10;

/** At most this many searches run at the same time; each reads directories for up to two seconds. */
const SEARCHES = 2;

/** Rate limits of searches, per neighbour and for all: the script searches at each pause in typing. */
const SEARCHES_FOR_NEIGHBOUR = { burst: 30, perSecond: 1 };
const SEARCHES_FOR_NEIGHBOURS = { burst: 100, perSecond: 4 };

/** The objects and settings that {@link Pages} use. */
interface PagesParts {
  readonly configuration: PagesConfiguration;
  readonly tree: Pick<SharedTree, "lookup" | "list" | "listUnsorted" | "open">;
  readonly peers: Pick<Peers, "rows" | "places"> & { readonly finder: Pick<Finder, "list"> };
  readonly about: AboutFacts;
  /** Null when uploads are off. */
  readonly places: Pick<UploadPlaces, "main" | "at"> | null;
  /** Decides which clients may see the status; null if there is no status. */
  readonly own: Pick<Network, "isOwn"> | null;
}

/** The pages of a server. They have no state: a new configuration creates new pages. */
export class Pages {
  readonly #parts: PagesParts;
  readonly #context: ListingContext;
  readonly #turns = new Turns();
  readonly #searches = new ConcurrencyLimit(SEARCHES);
  readonly #searchLimit = new NeighbourLimit(SEARCHES_FOR_NEIGHBOUR, SEARCHES_FOR_NEIGHBOURS);

  constructor(parts: PagesParts) {
    const { configuration, about } = parts;
    this.#parts = parts;
    this.#context = {
      configuration,
      canUpload: about.uploads !== null,
      hasPeers: about.peers !== "none",
      hasStatus: false,
      listen: about.listen,
    };
  }

  /** Returns the page or asset that the query names; null when it names none. */
  page(
    { segments, trailingSlash, search }: Target,
    request: HttpRequest,
  ): Reply | Promise<Reply> | null {
    // A request for a file of the user's website may have any query.
    if (!trailingSlash) return null;
    const parameters = new URLSearchParams(search);
    const asset = parameters.get("asset");
    if (asset !== null && segments.length === 0) return assetReply(asset);
    switch (parameters.get("page")) {
      case "about":
        return aboutPage(request, this.contextFor(request), search, this.#parts.about);
      case "peers":
        return peersPage(
          request,
          this.contextFor(request),
          search,
          this.#parts.peers.rows(),
          this.#parts.peers.places(),
        );
      case "upload":
        return this.#uploadPage(request, search);
      case "qr":
        return this.#qrCode(segments, request);
      default:
        return null;
    }
  }

  /** Returns the facts that the pages need, for the client of this connection. */
  contextFor({ connection }: Pick<HttpRequest, "connection">): ListingContext {
    const hasStatus = this.#parts.own?.isOwn(connection.remoteAddress, connection.localAddress) ??
      false;
    return hasStatus ? { ...this.#context, hasStatus } : this.#context;
  }

  /** Returns the listing of a directory, its archive (`?tar=`), or a search in it (`?search=`). */
  async directory(
    directory: SharedDirectory,
    { segments, search }: Target,
    request: HttpRequest,
  ): Promise<Reply> {
    const parameters = new URLSearchParams(search);
    const format = parameters.get("tar");
    if (format !== null) return await this.#archive(directory, format, request);
    const wanted = parameters.get("search")?.trim() ?? "";
    if (wanted !== "") return await this.#search(wanted, segments, search, request);
    const [own, remote] = await Promise.all([
      this.#parts.tree.listUnsorted(directory),
      this.#parts.configuration.listRemote ? this.#parts.peers.finder.list(segments, request) : [],
    ]);
    const context = this.contextFor(request);
    const entries = remote.length === 0 ? own : mergeEntries(own, remote);
    const place = this.#placeFor(segments);
    const reply = (): Promise<Reply> =>
      listingReply({ request, segments, entries, search, context, place });
    // `list` resolves for all waiting clients at the same time: write long pages in turn.
    return entries.length < WORTH_A_TURN ? await reply() : await this.#turns.run(reply);
  }

  /** Searches a directory and the directories below it (`?search=`). */
  async #search(
    text: string,
    segments: readonly string[],
    search: string,
    request: HttpRequest,
  ): Promise<Reply> {
    const words = searchWords(text);
    if (text.length > MAX_SEARCH || words.length > MAX_WORDS) {
      return this.error(
        request,
        400,
        `The search is too long: use at most ${MAX_WORDS} words and ${MAX_SEARCH} characters.`,
      );
    }
    const { remoteAddress } = request.connection;
    if (!isLoopback(remoteAddress) && !this.#searchLimit.take(remoteAddress)) {
      const sentence = "Too many searches: try again in 30 seconds.";
      return this.error(request, 429, sentence, { "Retry-After": "30" });
    }
    const remote = this.#parts.configuration.listRemote ? this.#parts.peers.finder : null;
    const { entries, endedBy } = await this.#searches.run(() =>
      searchTree(this.#parts.tree, remote, segments, words, request)
    );
    const context = this.#context;
    return await listingReply({
      request,
      segments,
      entries,
      search,
      context,
      found: { text, endedBy },
    });
  }

  #qrCode(segments: readonly string[], request: HttpRequest): Reply | Promise<Reply> {
    const address = addressForPhones(request, this.#context, segments);
    if (address !== null) return qrReply(address);
    return this.error(
      request,
      404,
      "There is no QR code: no other machine reaches this server, or the URL is too long.",
    );
  }

  /** Returns the outcome of an upload as a page for browsers. */
  uploadResult(outcome: UploadOutcome, { path }: UploadPlace): string {
    return uploadResultPage(this.#context, outcome, { path, isHere: false });
  }

  /** Returns an error reply: a page for browsers, a sentence for other clients. */
  error(request: HttpRequest, status: number, message?: string, headers?: ReplyHeaders): Reply {
    return errorReply(request, this.contextFor(request), status, message, headers);
  }

  /** Returns the place to which the form in a directory's listing uploads; null when uploads are off. */
  #placeFor(segments: readonly string[]): FormPlace | null {
    if (this.#parts.places === null) return null;
    const here = this.#parts.places.at(segments);
    return { path: (here ?? this.#parts.places.main).path, isHere: here !== null };
  }

  #uploadPage(request: HttpRequest, search: string): Reply {
    const { uploads, login } = this.#parts.about;
    if (uploads !== null && this.#parts.places !== null) {
      const place = { path: this.#parts.places.main.path, isHere: false };
      return uploadPage(request, this.contextFor(request), search, uploads, login, place);
    }
    return this.error(
      request,
      404,
      "Uploads are off: this server was started without --upload.",
    );
  }

  async #archive(directory: SharedDirectory, format: string, request: HttpRequest): Promise<Reply> {
    const { archives } = this.#parts.configuration;
    if (isArchiveFormat(format) && archives.includes(format)) {
      const tree = this.#parts.tree;
      return await archiveReply({ request, tree, directory, format, rootName: "files" });
    }
    const message = archives.length === 0
      ? "Archives are off: this server was started without --tar."
      : `There is no such archive format: use ?tar= with ${archives.join(", ")}.`;
    return this.error(request, 404, message);
  }
}

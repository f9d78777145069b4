/** All pages of a server in one piece. */

import type { HttpRequest, Reply, ReplyHeaders } from "../../http/exchange.ts";
import type { Target } from "../../http/target.ts";
import type { Peers } from "../../peers/peers.ts";
import { archiveReply, isArchiveFormat } from "../archive.ts";
import type { PagesConfiguration } from "../configuration.ts";
import type { SharedDirectory } from "../shared.ts";
import type { SharedTree } from "../tree.ts";
import { Turns } from "../turns.ts";
import type { OutcomePage } from "../uploads/answer.ts";
import { aboutPage } from "./about.ts";
import type { AboutFacts } from "./about.ts";
import { assetReply } from "./assets.ts";
import { mergeEntries } from "./entries.ts";
import { errorReply } from "./errors.ts";
import type { ListingContext } from "./listing.ts";
import { listingReply } from "./listing_reply.ts";
import { peersPage } from "./peers.ts";
import { uploadPage, uploadResultPage } from "./upload.ts";

/** A page with so many entries takes milliseconds to write. */
const WORTH_A_TURN = 1000;

/** What the pages are made from. */
export interface PagesParts {
  readonly configuration: PagesConfiguration;
  readonly tree: Pick<SharedTree, "lookup" | "list" | "openWithInfo">;
  readonly about: AboutFacts;
  /** The peers that are known; what they have in a directory is only asked with `--list-remote`. */
  readonly peers: Pick<Peers, "rows" | "list">;
}

/** The pages of a server. */
export interface Pages {
  /** A page or an asset that the query asks for; null when it asks for none. */
  readonly page: (target: Target, request: HttpRequest) => Reply | null;
  /** The listing of a directory, or its archive (`?tar=`). */
  readonly directory: (
    directory: SharedDirectory,
    target: Target,
    request: HttpRequest,
  ) => Promise<Reply>;
  /** What became of an upload, for browsers. */
  readonly uploadResult: OutcomePage;
  /** An error: a page for browsers, a sentence for everybody else. */
  readonly error: (
    request: HttpRequest,
    status: number,
    message?: string,
    headers?: ReplyHeaders,
  ) => Reply;
}

/** Puts the pages together. They keep nothing, so another configuration is another set of pages. */
export function createPages(parts: PagesParts): Pages {
  const { configuration, about, tree } = parts;
  const context: ListingContext = {
    configuration,
    canUpload: about.uploads !== null,
    hasPeers: about.peers !== "none",
  };
  const turns = new Turns();
  return {
    page: (target, request) => namedPage(parts, context, target, request),
    directory: async (directory, { segments, search }, request) => {
      const format = new URLSearchParams(search).get("tar");
      if (format !== null) {
        if (isArchiveFormat(format) && configuration.archives.includes(format)) {
          return await archiveReply({ request, tree, directory, format, rootName: "files" });
        }
        const offered = configuration.archives.join(", ");
        const message = offered === ""
          ? "This server makes no archives (it was started without --tar)."
          : `No such archive: ?tar= takes ${offered}.`;
        return errorReply(request, context, 404, message);
      }
      const [own, remote] = await Promise.all([
        tree.list(directory),
        configuration.listRemote ? parts.peers.list(segments, request) : [],
      ]);
      const entries = remote.length === 0 ? own : mergeEntries(own, remote);
      const reply = (): Reply => listingReply({ request, segments, entries, search, context });
      // All who asked for a directory at the same time get here at the same time.
      return entries.length < WORTH_A_TURN ? reply() : await turns.run(reply);
    },
    uploadResult: uploadResultPage(context),
    error: (request, status, message, headers) =>
      errorReply(request, context, status, message, headers),
  };
}

function namedPage(
  { about, peers }: PagesParts,
  context: ListingContext,
  { segments, trailingSlash, search }: Target,
  request: HttpRequest,
): Reply | null {
  // A file of the user's own site may be asked for with any query.
  if (!trailingSlash) return null;
  const parameters = new URLSearchParams(search);
  const asset = parameters.get("asset");
  if (asset !== null && segments.length === 0) return assetReply(asset);
  switch (parameters.get("page")) {
    case "about":
      return aboutPage(request, context, search, about);
    case "peers":
      return peersPage(request, context, search, peers.rows());
    case "upload":
      if (about.uploads !== null) {
        return uploadPage(request, context, search, about.uploads, about.login);
      }
      return errorReply(
        request,
        context,
        404,
        "This server takes no uploads (it was started without --upload).",
      );
    default:
      return null;
  }
}

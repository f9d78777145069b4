/** Requests that the file server answers: its pages and uploads, and the peers behind it. */

import type { Handler } from "../http/exchange.ts";
import type { FileReplies } from "../quickserve/file_reply.ts";
import type { AboutFacts } from "../quickserve/pages/about.ts";
import { Pages } from "../quickserve/pages/pages.ts";
import { Quickserve } from "../quickserve/quickserve.ts";
import type { SharedTree } from "../quickserve/tree.ts";
import { Uploads } from "../quickserve/uploads/uploads.ts";
import type { ServerConfiguration } from "./configuration.ts";
import type { LastingParts } from "./lasting_parts.ts";

/** The file server of a configuration; what it has not, a peer may have. */
export function quickserveHandler(
  configuration: ServerConfiguration,
  { peers, log }: Pick<LastingParts, "peers" | "log">,
  tree: SharedTree,
  files: FileReplies,
): Handler {
  const pages = new Pages(configuration.pages, tree, peers, aboutFacts(configuration));
  const uploads = configuration.uploads === null ? null : new Uploads(
    configuration.uploads,
    configuration.tree,
    pages,
    (message) => log.warn(message),
  );
  const { index } = configuration.pages;
  const quickserve = new Quickserve(tree, files, pages, uploads, peers, index);
  return (request) => quickserve.answer(request);
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
    pacman: pacserve === null ? null : listen,
  };
}

/** Requests that the file server answers: its pages and uploads, and the peers behind it. */

import type { Handler } from "../http/exchange.ts";
import { redirectReply } from "../http/replies.ts";
import { encodePath } from "../http/target.ts";
import type { Peers } from "../peers/peers.ts";
import type { FileReplies } from "../quickserve/file_reply.ts";
import { createPages } from "../quickserve/pages/pages.ts";
import type { Pages } from "../quickserve/pages/pages.ts";
import type { Use } from "../quickserve/pages/uses.ts";
import { createQuickserve } from "../quickserve/serve.ts";
import type { SharedTree } from "../quickserve/tree.ts";
import { Uploads } from "../quickserve/uploads/uploads.ts";
import type { ServerConfiguration } from "./configuration.ts";
import type { LastingParts } from "./lasting_parts.ts";
import type { Log } from "./log.ts";
import type { Network } from "./network.ts";
import { addressElsewhere, reachableAddresses } from "./reachable.ts";

/** The file server of a configuration; what it has not, a peer may have. */
export function quickserveHandler(
  configuration: ServerConfiguration,
  { peers, network, log }: LastingParts,
  tree: SharedTree,
  files: FileReplies,
): Handler {
  const pages = pagesOf(configuration, tree, peers, network);
  const uploads = uploadsOf(configuration, log, pages);
  return createQuickserve({
    tree,
    files,
    index: configuration.pages.index,
    page: pages.page,
    directory: pages.directory,
    error: pages.error,
    message: (request) => peers.answer(request),
    upload: uploads === null ? null : (target, request) => uploads.receive(target, request),
    elsewhere: async (segments, request) => {
      // A peer that asks has asked the others itself.
      if (peers.isFromPeer(request)) return null;
      const found = await peers.find(segments, request);
      return found === null ? null : { ...redirectReply(found.url), source: `peer ${found.peer}` };
    },
  });
}

function pagesOf(
  { pages, auth, uploads, peers: { multicast, staticPeers }, pacserve, listen }:
    ServerConfiguration,
  tree: SharedTree,
  peers: Peers,
  network: Network,
): Pages {
  const pacmanUses = (asked: string): Use[] => {
    const address = addressElsewhere(asked, reachableAddresses(listen, network.interfaces()));
    return address === null ? [] : [pacmanUse(address)];
  };
  return createPages({
    configuration: pages,
    tree,
    about: {
      login: auth.users.length === 0 ? "nothing" : auth.uploadOnly ? "uploads" : "everything",
      uploads,
      peers: multicast !== null ? "multicast" : staticPeers.length > 0 ? "named" : "none",
      uses: (address) => pacserve === null ? [] : pacmanUses(address),
    },
    peers: () => peers.rows(),
    listRemote: (segments, request) => peers.list(segments, request),
  });
}

/** How the pacman of a machine without pacserve uses this server. */
function pacmanUse(address: string): Use {
  return {
    title: "Use it from another machine's pacman: the first line of each repository in pacman.conf",
    command: `Server = ${address}/pacman/$repo/$arch`,
  };
}

function uploadsOf(configuration: ServerConfiguration, log: Log, pages: Pages): Uploads | null {
  const { uploads, tree } = configuration;
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

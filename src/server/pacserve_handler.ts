/** Requests for pacman's addresses: who answers them, and who has to log in. */

import type { Handler, HttpRequest } from "../http/exchange.ts";
import { parseTarget } from "../http/target.ts";
import { parsePacmanAddress } from "../pacserve/address.ts";
import { Pacserve } from "../pacserve/choose.ts";
import type { FileReplies } from "../quickserve/file_reply.ts";
import type { SharedTree } from "../quickserve/tree.ts";
import type { ServerConfiguration } from "./configuration.ts";
import type { LastingParts } from "./lasting_parts.ts";
import type { Network } from "./network.ts";

/** Pacman's addresses are answered by pacserve, all others by the file server underneath. */
export function pacserveHandler(
  { pacserve: configuration }: ServerConfiguration,
  { peers, network, memory, log }: LastingParts,
  tree: SharedTree,
  files: FileReplies,
  underneath: Handler,
): { readonly handler: Handler; readonly close: () => void } {
  if (configuration === null) return { handler: underneath, close: () => {} };
  const pacserve = new Pacserve({
    configuration,
    lookup: (segments) => tree.lookup(segments),
    replyWithFile: (file, request) => files.reply(file, request),
    findPeer: (...question) => peers.finder.find(...question),
    isOwnAddress: (address) => network.isOwn(address),
    log: (level, sentence) => log.at(level, sentence),
    memory,
  });
  return {
    handler: (request) => {
      // A peer wants to know what is here, not where else it is: it looks there itself.
      if (peers.isFromPeer(request)) return underneath(request);
      const target = parseTarget(request.target);
      return (target === null ? null : pacserve.answer(request, target)) ?? underneath(request);
    },
    close: () => pacserve.close(),
  };
}

/** This host's own pacman cannot log in: its requests for packages need no user. */
export function isOwnPacman(
  { pacserve }: ServerConfiguration,
  network: Network,
  { method, target, connection }: HttpRequest,
): boolean {
  if (pacserve === null || (method !== "GET" && method !== "HEAD")) return false;
  const parsed = parseTarget(target);
  return parsed !== null && parsePacmanAddress(parsed) !== null &&
    network.isOwn(connection.remoteAddress);
}

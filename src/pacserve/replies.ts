/** Replies to pacman without the file itself: redirects and "not found". */

import type { Reply } from "../http/exchange.ts";
import { redirectReply, textReply } from "../http/replies.ts";
import type { Found } from "../peers/finder.ts";
import { hidePackageName, isPackageOrItsSignature } from "./address.ts";
import type { MirrorChoice } from "./mirrors.ts";

/** Returns a redirect to a peer that has the file. */
export function redirectToPeer(found: Found, file: string): Reply {
  const url = isPackageOrItsSignature(file) ? hidePackageName(found.url) : found.url;
  return { ...redirectReply(url), source: `peer ${found.peer.replace(/\/$/, "")}` };
}

/** Returns a redirect to a mirror. */
export function redirectToMirror({ url, origin, verified }: MirrorChoice): Reply {
  const mark = verified ? "" : " (not verified)";
  return { ...redirectReply(url), source: `mirror ${origin}${mark}` };
}

/** Returns the reply for a file that no source has. */
export function notFound(file: string): Reply {
  const text = `404 No cache, peer or mirror has ${JSON.stringify(file)}`;
  return { ...textReply(404, text), source: "nowhere" };
}

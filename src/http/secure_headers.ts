/** Header fields by which browsers keep other sites away from what is served here. */

import type { ReplyHeaders } from "./exchange.ts";

/**
 * Fields of every reply, unless it has its own value: no browser guesses its type, no page can put it in
 * a frame, and no page of another site can load it as an image, style, script or media.
 */
export const SECURE_HEADERS: ReplyHeaders = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** Style and script of the pages: files of their own, so that the pages' policy can forbid inline ones. */

import { createHash } from "node:crypto";
import type { Reply } from "../../http/exchange.ts";
import { contentReply } from "../../http/replies.ts";
import script from "./script.js" with { type: "text" };
import forms from "./style/forms.css" with { type: "text" };
import frame from "./style/frame.css" with { type: "text" };
import icons from "./style/icons.css" with { type: "text" };
import listing from "./style/listing.css" with { type: "text" };
import narrow from "./style/narrow.css" with { type: "text" };
import status from "./style/status.css" with { type: "text" };

interface Asset {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** What is narrow or printed comes last: it changes what stands before. */
const style = [frame, listing, icons, forms, status, narrow].join("\n");

const styleAsset = makeAsset("style", "css", "text/css; charset=UTF-8", style);
const scriptAsset = makeAsset("script", "js", "text/javascript; charset=UTF-8", script);
const byName = new Map([styleAsset, scriptAsset].map((asset) => [asset.name, asset]));

/** URL of the style sheet; another one for each content of it. */
export const styleAddress: string = assetAddress(styleAsset);

/** URL of the script; likewise. */
export const scriptAddress: string = assetAddress(scriptAsset);

/**
 * Answers a request for `/?asset=<name>`. Since the name has a hash of the content in it, the reply
 * may be kept for ever.
 *
 * @returns null when there is no such asset (any more).
 */
export function assetReply(name: string): Reply | null {
  const asset = byName.get(name);
  if (asset === undefined) return null;
  return contentReply(200, asset.contentType, asset.bytes, {
    "Cache-Control": "public, max-age=31536000, immutable",
  });
}

function makeAsset(stem: string, extension: string, contentType: string, text: string): Asset {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  const name = `${stem}-${hash}.${extension}`;
  return { name, contentType, bytes: new TextEncoder().encode(text) };
}

function assetAddress(asset: Asset): string {
  return `/?asset=${asset.name}`;
}

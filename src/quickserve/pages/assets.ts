/** Style and scripts of the pages, in separate files so that the pages' policy can forbid inline ones. */

import { createHash } from "node:crypto";
import type { Reply } from "../../http/exchange.ts";
import { contentReply } from "../../http/replies.ts";
import script from "./script.js" with { type: "text" };
import theme from "./theme.js" with { type: "text" };
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

/** `narrow` comes last: its rules for phones and printers override the others. */
const style = [frame, listing, icons, forms, status, narrow].join("\n");

const styleAsset = makeAsset("style", "css", "text/css; charset=UTF-8", style);
const scriptAsset = makeAsset("script", "js", "text/javascript; charset=UTF-8", script);
const themeAsset = makeAsset("theme", "js", "text/javascript; charset=UTF-8", theme);
const byName = new Map([styleAsset, scriptAsset, themeAsset].map((asset) => [asset.name, asset]));

/** URL of the style sheet. It contains a hash of the content and changes with it. */
export const styleAddress: string = assetAddress(styleAsset);

/** URL of the script, with a hash of its content. */
export const scriptAddress: string = assetAddress(scriptAsset);

/** URL of the script that sets the colours before the page is drawn, with a hash of its content. */
export const themeAddress: string = assetAddress(themeAsset);

/**
 * Answers a request for `/?asset=<name>`. Clients may cache the reply without limit, because the name
 * contains a hash of the content.
 *
 * @returns null when there is no asset of this name, or its content has changed.
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

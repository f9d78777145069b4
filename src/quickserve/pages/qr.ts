/** The QR code with the URL of a page, for a phone. */

import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { contentReply } from "../../http/replies.ts";
import { reachableAddresses, urlElsewhere } from "../../http/reachable.ts";
import { encodePath } from "../../http/target.ts";
import type { ListingContext } from "./listing.ts";
import { requestedUrl } from "./uses.ts";

/** The longest URL in characters. Cameras cannot read the code of a longer one from a screen. */
const MAX_LENGTH = 600;

/**
 * Returns the URL of a directory that works on other machines.
 *
 * @returns null when no other machine reaches this server, or the URL is too long for a code.
 */
export function addressForPhones(
  request: Pick<HttpRequest, "headers" | "connection">,
  { listen }: ListingContext,
  segments: readonly string[],
): string | null {
  const server = urlElsewhere(
    requestedUrl(request),
    reachableAddresses(listen, Deno.networkInterfaces()),
  );
  if (server === null) return null;
  const address = server + (segments.length === 0 ? "/" : encodePath(segments) + "/");
  return address.length > MAX_LENGTH ? null : address;
}

/** Replies with the code as a picture (`?page=qr`), always black on white. */
export async function qrReply(address: string): Promise<Reply> {
  const { default: qrcode } = await import("qrcode-generator");
  const code = qrcode(0, "M");
  code.addData(address);
  code.make();
  const picture = code.createSvgTag({ cellSize: 4, margin: 16, scalable: true });
  return contentReply(200, "image/svg+xml", picture, { "Cache-Control": "no-cache" });
}

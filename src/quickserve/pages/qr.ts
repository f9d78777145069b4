/** The QR code of a page's address, for a phone beside the screen. */

import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { contentReply } from "../../http/replies.ts";
import { reachableAddresses, urlElsewhere } from "../../http/reachable.ts";
import { encodePath } from "../../http/target.ts";
import type { ListingContext } from "./listing.ts";
import { serverUrl } from "./uses.ts";

/** Characters of an address: more would make a code that no camera reads from a screen. */
const MAX_LENGTH = 600;

/**
 * The address of a directory as another machine has to write it.
 *
 * @returns null when no other machine reaches this server, or the address is too long for a code.
 */
export function addressForPhones(
  request: Pick<HttpRequest, "headers" | "connection">,
  { listen }: ListingContext,
  segments: readonly string[],
): string | null {
  const server = urlElsewhere(
    serverUrl(request),
    reachableAddresses(listen, Deno.networkInterfaces()),
  );
  if (server === null) return null;
  const address = server + (segments.length === 0 ? "/" : encodePath(segments) + "/");
  return address.length > MAX_LENGTH ? null : address;
}

/** The code as a picture (`?page=qr`), black on white whatever the colours of the page. */
export async function qrReply(address: string): Promise<Reply> {
  const { default: qrcode } = await import("qrcode-generator");
  const code = qrcode(0, "M");
  code.addData(address);
  code.make();
  const picture = code.createSvgTag({ cellSize: 4, margin: 16, scalable: true });
  return contentReply(200, "image/svg+xml", picture, { "Cache-Control": "no-cache" });
}

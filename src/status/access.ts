/**
 * Decides which requests may see the status: requests of this host, except those that a page of another
 * site makes in a browser. `http/admission.ts` has checked `Host` before, which prevents DNS rebinding.
 */

import { isInNetwork } from "../http/address.ts";
import type { HttpRequest } from "../http/exchange.ts";
import type { Network } from "../http/network.ts";

/** Header fields that show that a proxy on this host forwards a request of another host. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/** True for a request of this host that was neither forwarded by a proxy nor made by another site's page. */
export function isOwnRequest(
  { headers, connection }: Pick<HttpRequest, "headers" | "connection">,
  network: Pick<Network, "isOwn">,
): boolean {
  if (!network.isOwn(connection.remoteAddress, connection.localAddress)) return false;
  if (FORWARDED.some((name) => headers[name] !== undefined)) return false;
  // Fetch Metadata. Allow links from other sites: they show the page to the user, not to the other site.
  const site = headers["sec-fetch-site"];
  return site === undefined || site === "same-origin" || site === "none" ||
    (headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document");
}

/** True for a request from a network of `--allow-metrics`. */
export function isFromMetricsNetwork(
  { headers, connection }: Pick<HttpRequest, "headers" | "connection">,
  networks: readonly string[],
): boolean {
  // A browser sent this request, not Prometheus.
  if (headers["sec-fetch-site"] !== undefined) return false;
  return networks.some((network) => isInNetwork(connection.remoteAddress, network));
}

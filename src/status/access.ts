/**
 * Who may see the status: this host, and no page of another site in a browser on it. The name in `Host`
 * was looked at before (`http/admission.ts`), which keeps out DNS rebinding.
 */

import { isInNetwork } from "../http/address.ts";
import type { HttpRequest } from "../http/exchange.ts";
import type { Network } from "../http/network.ts";

/** Fields by which a proxy on this host says that it asks for somebody else. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/** True for a request of this host itself, which neither a proxy passed on nor another site's page made. */
export function isOwnRequest(
  { headers, connection }: Pick<HttpRequest, "headers" | "connection">,
  network: Pick<Network, "isOwn">,
): boolean {
  if (!network.isOwn(connection.remoteAddress, connection.localAddress)) return false;
  if (FORWARDED.some((name) => headers[name] !== undefined)) return false;
  // Fetch Metadata. That a link leads here shows the page to the user, and nothing to the other site.
  const site = headers["sec-fetch-site"];
  return site === undefined || site === "same-origin" || site === "none" ||
    (headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document");
}

/** True for a request from a network of `--allow-metrics`. */
export function isFromMetricsNetwork(
  { headers, connection }: Pick<HttpRequest, "headers" | "connection">,
  networks: readonly string[],
): boolean {
  // A page in a browser over there is not Prometheus.
  if (headers["sec-fetch-site"] !== undefined) return false;
  return networks.some((network) => isInNetwork(connection.remoteAddress, network));
}

/** Answers requests for the status: as a page, as JSON, as text, and as metrics. */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import type { Network } from "../http/network.ts";
import { contentReply } from "../http/replies.ts";
import { parseTarget } from "../http/target.ts";
import type { Pages } from "../quickserve/pages/pages.ts";
import { escapeJson } from "../quickserve/pages/display.ts";
import { pageReply } from "../quickserve/pages/reply.ts";
import { chooseRepresentation, offeredTypes } from "../quickserve/pages/representation.ts";
import { isFromMetricsNetwork, isOwnRequest } from "./access.ts";
import type { StatusConfiguration } from "./configuration.ts";
import { METRICS_TYPE, metricsText } from "./metrics.ts";
import { statusPage } from "./page.ts";
import type { Snapshot } from "./snapshot.ts";
import { statusText } from "./text.ts";

/** Columns of the text, because the width of the client's terminal is unknown. */
const WIDTH = 100;

/** True for a request for the status or the metrics. */
export function isStatusRequest(
  { method, target }: Pick<HttpRequest, "method" | "target">,
): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  return isMetricsTarget(target) || /^\/\?(?:.*&)?page=status(?:&|$)/.test(target);
}

function isMetricsTarget(target: string): boolean {
  return target === "/metrics" || target.startsWith("/metrics?");
}

/** Replies with the status of a server. */
export class StatusReplies {
  readonly #configuration: StatusConfiguration;
  readonly #status: { snapshot(): Snapshot };
  readonly #network: Pick<Network, "isOwn">;
  readonly #pages: Pick<Pages, "contextFor" | "error">;

  constructor(
    configuration: StatusConfiguration,
    status: { snapshot(): Snapshot },
    network: Pick<Network, "isOwn">,
    pages: Pick<Pages, "contextFor" | "error">,
  ) {
    this.#configuration = configuration;
    this.#status = status;
    this.#network = network;
    this.#pages = pages;
  }

  /**
   * Returns the reply to a request for the status.
   *
   * @returns null for a request for `/metrics` from a host that may not read them: treat the path as missing.
   */
  reply(request: HttpRequest): Reply | null {
    const isOwn = isOwnRequest(request, this.#network);
    if (isMetricsTarget(request.target)) {
      const isAllowed = isOwn || isFromMetricsNetwork(request, this.#configuration.metricsNetworks);
      return isAllowed ? this.#metrics() : null;
    }
    if (!isOwn) {
      return this.#pages.error(
        request,
        403,
        "Only the host of this server may see its status: open this page there, or run pacserve-status there.",
      );
    }
    return this.#page(request);
  }

  #page(request: HttpRequest): Reply {
    const form = chooseRepresentation(
      request,
      new URLSearchParams(parseTarget(request.target)?.search ?? ""),
    );
    if (form === null) {
      const offered = offeredTypes.join(", ");
      return this.#pages.error(request, 406, `The status is available as ${offered}.`);
    }
    const snapshot = this.#status.snapshot();
    const text = form === "json"
      ? escapeJson(JSON.stringify(snapshot, null, 2)) + "\n"
      : form === "text"
      ? statusText(snapshot, { width: WIDTH, isColoured: false })
      : statusPage(this.#pages.contextFor(request), snapshot);
    return pageReply(request, form, text, { headers: { "Cache-Control": "no-store" } });
  }

  #metrics(): Reply {
    return contentReply(200, METRICS_TYPE, metricsText(this.#status.snapshot()), {
      "Cache-Control": "no-store",
    });
  }
}

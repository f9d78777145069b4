/**
 * Answers requests that only programs on this host may send: those of `pacserve-status --check`, and of
 * the hook that pacman runs after a transaction. They need no login.
 */

import { bodyText, type HttpRequest, type Reply } from "../http/exchange.ts";
import type { Network } from "../http/network.ts";
import { jsonReply, textReply } from "../http/replies.ts";
import { isOwnRequest } from "../status/access.ts";
import type { ReceivedBytes, ReceivedPackages } from "../pacserve/received_packages.ts";

/** The target of a POST that makes the server check itself. */
const CHECK = "/?page=check";

/** The target of a POST with the names of a transaction's packages, one on each line. */
const RECEIVED = "/?page=received";

/** Greatest size of such a body in bytes. The names of all packages of a system fit. */
const MAX_NAMES = 1 << 20;

/** Answers the requests of this host. */
export class OwnHost {
  readonly #network: Pick<Network, "isOwn">;
  readonly #received: Pick<ReceivedPackages, "take">;
  readonly #check: () => Promise<unknown>;

  /** @param check returns the answer to {@link CHECK}. */
  constructor(
    network: Pick<Network, "isOwn">,
    received: Pick<ReceivedPackages, "take">,
    check: () => Promise<unknown>,
  ) {
    this.#network = network;
    this.#received = received;
    this.#check = check;
  }

  /** Returns the reply; null for any other request. */
  answer(request: HttpRequest): Promise<Reply> | Reply | null {
    const { method, target } = request;
    if (method !== "POST" || (target !== CHECK && target !== RECEIVED)) return null;
    if (!isOwnRequest(request, this.#network)) {
      return textReply(403, "Only programs on the server's own host may ask this.");
    }
    return target === CHECK ? this.#selfCheck() : this.#transaction(request.body);
  }

  async #selfCheck(): Promise<Reply> {
    return jsonReply(200, await this.#check(), { "Cache-Control": "no-store" });
  }

  async #transaction(body: AsyncIterable<Uint8Array>): Promise<Reply> {
    const text = await bodyText(body, MAX_NAMES);
    if (text === null) return textReply(413);
    const line = receivedText(this.#received.take(text.split("\n")));
    return line === null
      ? { status: 204, headers: {}, body: null }
      : textReply(200, line, { "Cache-Control": "no-store" });
  }
}

/** Returns the line that the hook prints; null when nothing was downloaded. */
function receivedText({ lan, total }: ReceivedBytes): string | null {
  if (total === 0) return null;
  const [unit, name, digits] = total < 1 << 20 ? [1 << 10, "KiB", 0] : [1 << 20, "MiB", 1];
  const inUnits = (bytes: number): string => (bytes / unit).toFixed(digits);
  return `pacserve: ${inUnits(lan)} of ${inUnits(total)} ${name} came from the LAN`;
}

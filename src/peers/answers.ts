/** Answers the messages of other servers. */

import { bodyText, type HttpRequest, type Reply } from "../http/exchange.ts";
import { contentReply, textReply } from "../http/replies.ts";
import type { Finder } from "./finder.ts";
import type { Membership } from "./membership.ts";
import type { OwnFiles } from "./own_server.ts";
import {
  decodeMessage,
  type DirectoryListing,
  encodeFirst,
  encodeFound,
  encodeListing,
  type FileCheck,
  HEADERS,
  type ListingEntry,
  MAX_REQUEST,
  pathSegments,
} from "./protocol.ts";
import { countOf, instanceOf } from "./questions.ts";
import type { Wants } from "./wants.ts";

/**
 * Answers messages about the files that this server shares and, if a message grants hops, about those of
 * its peers.
 */
export class Answers {
  readonly #finder: Pick<Finder, "find" | "list">;
  readonly #membership: Pick<Membership, "nudged">;
  readonly #wants: Pick<Wants, "answer">;
  #files: OwnFiles | null = null;

  constructor(
    finder: Pick<Finder, "find" | "list">,
    membership: Pick<Membership, "nudged">,
    wants: Pick<Wants, "answer">,
  ) {
    this.#finder = finder;
    this.#membership = membership;
    this.#wants = wants;
  }

  /** Sets the files that this server shares. */
  share(files: OwnFiles): void {
    this.#files = files;
  }

  /**
   * Answers the message in a request.
   *
   * If the message grants `hops`, this server asks its own peers, too, but always with 0 hops. On one LAN
   * all servers know each other, and with more hops the number of messages would multiply.
   */
  async answer(request: HttpRequest): Promise<Reply> {
    const body = await bodyText(request.body, MAX_REQUEST);
    if (body === null) return textReply(413, "the message is too long");
    const message = decodeMessage(body);
    if (message === "malformed") return textReply(400, "the body is not a message of a peer");
    if (message === "unfit") return answerReply("null");
    switch (message.type) {
      case "nudge":
        this.#membership.nudged(
          message.uri,
          request.connection.remoteAddress,
          instanceOf(request.headers[HEADERS.instance.toLowerCase()]),
          countOf(request.headers[HEADERS.index.toLowerCase()]),
        );
        return answerReply("true");
      case "file check":
        return answerReply(await this.#checkFiles(message, request));
      case "directory listing":
        return answerReply(await this.#list(message, request));
      case "want": {
        const instance = instanceOf(request.headers[HEADERS.instance.toLowerCase()]);
        const first = instance === null
          ? null
          : await this.#wants.answer(message, instance, request.connection.remoteAddress);
        return answerReply(first === null ? "null" : encodeFirst(first));
      }
    }
  }

  async #checkFiles({ paths, hops }: FileCheck, request: HttpRequest): Promise<string> {
    const found = new Map<string, string>();
    await Promise.all(paths.map(async (path) => {
      const segments = pathSegments(path);
      if (segments === null || segments.length === 0) return;
      if (this.#files?.has(segments)) found.set(path, path);
      else if (hops > 0) {
        const elsewhere = await this.#finder.find(segments, request);
        if (elsewhere !== null) found.set(path, elsewhere.url);
      }
    }));
    return encodeFound(found);
  }

  async #list({ path, hops }: DirectoryListing, request: HttpRequest): Promise<string> {
    const segments = pathSegments(path);
    if (segments === null) return "null";
    const [local, remote] = await Promise.all([
      this.#files?.listing(segments) ?? null,
      hops > 0 ? this.#finder.list(segments, request) : [],
    ]);
    if (remote.length === 0) return encodeListing(local);
    const merged = new Map<string, ListingEntry[]>();
    for (const [name, entries] of local ?? []) merged.set(name, [...entries]);
    for (const { name, peer: _, ...entry } of remote) {
      merged.getOrInsertComputed(name, () => []).push(entry);
    }
    return encodeListing(merged);
  }
}

function answerReply(json: string): Reply {
  return contentReply(200, "application/json", json);
}

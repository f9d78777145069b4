/** Finds the mirrors that have the file of one request, as sources. */

import { mirrorHeaders } from "../mirror_request.ts";
import type { MirrorChoice, Mirrors } from "../mirrors.ts";
import { type Mirror, type Self, urlOn } from "../servers.ts";
import type { FileClient } from "./http_client.ts";
import { HttpSource } from "./http_source.ts";
import { type Source, SourceFailure } from "./source.ts";
import { staggered } from "./staggered.ts";

/** The options of {@link MirrorsOfFile}. */
interface MirrorCopiesOptions {
  readonly mirrors: Mirrors;
  readonly client: FileClient;
  readonly file: string;
  /** The mirrors of each repository that may have the file: of one, unless the request names none. */
  readonly repositories: readonly (readonly Mirror[])[];
  /** True when a mirror that has not confirmed the file in time may be used, too. */
  readonly unverified: boolean;
  /** True when pacman does not need the file. Then a "not found" of the first working mirror is used. */
  readonly optional: boolean;
  /** The value of the `Via` field of requests. */
  readonly via: string;
  readonly self: Pick<Self, "isAt">;
  /** IP address of the neighbour that requests the file; null for this host. */
  readonly neighbour: string | null;
  /** Conditional header fields of the client's request. */
  readonly conditions: Readonly<Record<string, string>>;
}

/** Milliseconds in which a mirror must report a length. */
const HEAD_TIMEOUT = 2_000;
/** Milliseconds after which the next mirror is asked for the length, too. */
const HEAD_PAUSE = 500;

/**
 * A mirror that failed a short while ago and has not answered now. Its `open` fails at once. If there is no
 * other source, pacman is redirected to it, because pacman may reach it through a proxy.
 */
class DeadMirror implements Source {
  readonly kind = "mirror";
  readonly name: string;
  readonly key: string;

  constructor({ url, origin }: MirrorChoice) {
    this.name = `mirror ${origin}`;
    this.key = url;
  }

  open(): Promise<never> {
    return Promise.reject(new SourceFailure("unreachable", "failed a short while ago"));
  }
}

/** Finds the mirrors that have a file. */
export class MirrorsOfFile {
  readonly #options: MirrorCopiesOptions;
  readonly #given = new Map<string, MirrorChoice>();
  /** URLs of the mirrors that answered with something other than the file. */
  readonly #refused = new Set<string>();
  /** The sources that `find` returned, with the origins of their mirrors. */
  readonly #sources = new Map<HttpSource, string>();

  constructor(options: MirrorCopiesOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the first mirror that has the file; null if no mirror has it.
   *
   * @param without keys of the sources that are excluded.
   * @param last position of the last byte that will be requested; null for the file's end.
   */
  async find(without: ReadonlySet<string>, last: number | null): Promise<Source | null> {
    const choice = await this.choose(without);
    if (choice === null) return null;
    this.#given.set(choice.url, choice);
    const isDead = choice.isSetAside && !choice.verified;
    if (isDead) return new DeadMirror(choice);
    const source = this.#source(choice, last);
    this.#sources.set(source, choice.origin);
    return source;
  }

  /** Resolves with the size (bytes) that a mirror reports; null when none does. */
  async size(): Promise<number | null> {
    const tried = new Set<string>();
    const next = async (): Promise<MirrorChoice | null> => {
      const choice = await this.choose(tried);
      if (choice !== null) tried.add(choice.url);
      return choice;
    };
    const ask = async (choice: MirrorChoice): Promise<number> =>
      (await this.#source(choice, null).head(AbortSignal.timeout(HEAD_TIMEOUT))).size;
    return await staggered(next, ask, HEAD_PAUSE);
  }

  /** Returns the origin of the last mirror that answered; null when none did. */
  get answered(): string | null {
    return [...this.#sources].findLast(([{ hasAnswered }]) => hasAnswered)?.[1] ?? null;
  }

  /** Returns the origin of the mirror whose source has this name; null for every other name. */
  originOf(name: string | undefined): string | null {
    return [...this.#sources].find(([source]) => source.name === name)?.[1] ?? null;
  }

  /**
   * Returns the mirror to which pacman is redirected if no source sends a byte; null if no mirror is left.
   * The best choice is a mirror that confirmed the file, the second best one that accepted a connection,
   * because it may just be slow.
   */
  get forRedirect(): MirrorChoice | null {
    const reached = new Set(
      [...this.#sources.keys()].flatMap((source) => source.isReached ? [source.key] : []),
    );
    const rank = ({ url, verified }: MirrorChoice): number =>
      this.#refused.has(url) ? 3 : verified ? 0 : reached.has(url) ? 1 : 2;
    const usable = [...this.#given.values()].filter(({ hasCredentials }) => !hasCredentials);
    return usable.toSorted((one, other) => rank(one) - rank(other))[0] ?? null;
  }

  /** Must be called when a mirror has failed. For some time the mirror is then the last choice. */
  failed({ key }: Source, { kind, message }: SourceFailure): void {
    const choice = this.#given.get(key);
    if (kind === "absent" || kind === "wrong") this.#given.delete(key);
    if (kind === "refused") this.#refused.add(key);
    if (choice === undefined || (kind !== "broken" && kind !== "unreachable")) return;
    this.#options.mirrors.failed(choice.origin, message);
  }

  /** True when there are no mirrors for this file. */
  get isEmpty(): boolean {
    return this.#options.repositories.every((mirrors) => mirrors.length === 0);
  }

  /**
   * Resolves with the first mirror that has the file; null if no mirror has it.
   *
   * @param without URLs that have been tried already.
   */
  async choose(without: ReadonlySet<string> = new Set()): Promise<MirrorChoice | null> {
    const { mirrors, repositories, file, unverified, optional, via, self, neighbour } =
      this.#options;
    const choices = await Promise.all(repositories.map((each) =>
      mirrors.choose({
        mirrors: each.filter((mirror) => !without.has(urlOn(mirror, file))),
        file,
        optional,
        via,
        self,
        neighbour,
      })
    ));
    return choices.find((choice) => choice !== null && (choice.verified || unverified)) ?? null;
  }

  #source({ url, origin, hasCredentials }: MirrorChoice, last: number | null): HttpSource {
    const { client, via, self, conditions } = this.#options;
    return new HttpSource({
      kind: "mirror",
      name: `mirror ${origin}`,
      url,
      client,
      headers: { ...mirrorHeaders(via), ...conditions },
      self,
      isPrivate: hasCredentials,
      ...(last === null ? {} : { last }),
    });
  }
}

/** The mirrors of one request's repository, as sources of its file. */

import { mirrorHeaders } from "../mirror_request.ts";
import type { Mirrors } from "../mirrors.ts";
import type { MirrorChoice } from "../mirrors.ts";
import { type Mirror, type Self, urlOn } from "../servers.ts";
import type { FileClient } from "./http_client.ts";
import { HttpSource } from "./http_source.ts";
import type { MirrorCopies } from "./package_sources.ts";
import { type Source, SourceFailure } from "./source.ts";
import { staggered } from "./staggered.ts";

/** How the mirrors are asked. */
interface MirrorCopiesOptions {
  readonly mirrors: Mirrors;
  readonly client: FileClient;
  readonly file: string;
  /** The mirrors of each repository that may have it: of one, unless the address names none. */
  readonly repositories: readonly (readonly Mirror[])[];
  /** A mirror that did not say in time that it has the file is a source, too. */
  readonly unverified: boolean;
  /** pacman can do without the file: the first live mirror's "not found" is the answer. */
  readonly optional: boolean;
  /** The value of `Via`. */
  readonly via: string;
  readonly self: Pick<Self, "isAt">;
  /** IP address of the neighbour that wants the file; null for this host. */
  readonly neighbour: string | null;
  /** Conditions of the request. */
  readonly conditions: Readonly<Record<string, string>>;
}

/** The longest (ms) that a mirror may take to say a length. */
const HEAD_TIMEOUT = 2_000;
/** So long (ms) after one mirror the next one is asked for it, too. */
const HEAD_PAUSE = 500;

/**
 * One that failed a short while ago and is silent now. It is not waited for: pacman, which may reach it
 * by a proxy, is sent there when there is no other source.
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

/** Asks the mirrors which of them has the file. */
export class MirrorsOfFile implements MirrorCopies {
  readonly #options: MirrorCopiesOptions;
  readonly #given = new Map<string, MirrorChoice>();
  /** Addresses of those that answered with something else than the file. */
  readonly #refused = new Set<string>();
  /** The sources that were given, with their origins. */
  readonly #sources = new Map<HttpSource, string>();

  constructor(options: MirrorCopiesOptions) {
    this.#options = options;
  }

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

  /** The origin of the last mirror that answered; null when none did. */
  get answered(): string | null {
    return [...this.#sources].findLast(([{ hasAnswered }]) => hasAnswered)?.[1] ?? null;
  }

  /** The origin of a mirror, by the name of its source; null for every other name. */
  originOf(name: string | undefined): string | null {
    return [...this.#sources].find(([source]) => source.name === name)?.[1] ?? null;
  }

  /**
   * A mirror that pacman can be sent to when nothing came from any; null when there is none. Best one
   * that said that it has the file, then one that takes connections: it may be slow, while those that
   * could not be reached are dead.
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

  /** A mirror failed: it is asked last for a while. */
  failed({ key }: Source, { kind, message }: SourceFailure): void {
    const choice = this.#given.get(key);
    if (kind === "absent" || kind === "wrong") this.#given.delete(key);
    if (kind === "refused") this.#refused.add(key);
    if (choice === undefined || (kind !== "broken" && kind !== "unreachable")) return;
    this.#options.mirrors.failed(choice.origin, message);
  }

  /** True when there are no mirrors that could be asked. */
  get isEmpty(): boolean {
    return this.#options.repositories.every((mirrors) => mirrors.length === 0);
  }

  /**
   * The first mirror that has the file.
   *
   * @param without addresses that were tried.
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

/** Runs a real relay with a real listener, and with the sources of a test. */

import { createHash } from "node:crypto";
import { listen } from "../../src/http/listener.ts";
import { textReply } from "../../src/http/replies.ts";
import { FileClient } from "../../src/pacserve/relay/http_client.ts";
import { HttpSource } from "../../src/pacserve/relay/http_source.ts";
import { InFlightFile } from "../../src/pacserve/relay/in_flight_file.ts";
import type { MirrorsOfFile } from "../../src/pacserve/relay/mirror_copies.ts";
import type { PeersWithFile } from "../../src/pacserve/relay/peer_copies.ts";
import { Relay, type WantedFile } from "../../src/pacserve/relay/relay.ts";
import { SourceMemory } from "../../src/pacserve/relay/source_memory.ts";
import { SpoolDirectory } from "../../src/pacserve/relay/spool.ts";
import { RELAY_TIMES, type RelayTimes } from "../../src/pacserve/relay/times.ts";
import { Self } from "../../src/pacserve/servers.ts";
import { parsePeerUrl } from "../../src/peers/peer_url.ts";
import { Registry } from "../../src/peers/registry.ts";
import { latin1, writeAll } from "../listening.ts";
import { KeptLog } from "../log.ts";
import { Scratch } from "../scratch.ts";
import { type Behaviour, HostileSource } from "./hostile_source.ts";

/** The options of a scene: the file and its sources. A source is null when it refuses connections. */
export interface SceneParts {
  readonly file: Uint8Array;
  readonly peers?: readonly (Behaviour | null)[];
  readonly mirrors?: readonly (Behaviour | null)[];
  /** Peers with an in-flight file. The trackers name them one after the other. */
  readonly inFlight?: readonly (Behaviour | null)[];
  /** Maximum size of all spools in bytes; 0 when there are only windows. */
  readonly spoolSize?: number;
  /** False when no database contains the file. */
  readonly isDescribed?: boolean;
  readonly isPackage?: boolean;
  readonly times?: Partial<RelayTimes>;
  /** The directory of spools; by default a new one. */
  readonly spools?: string;
}

/** A running relay with its sources. */
export class Scene {
  readonly peers: readonly HostileSource[];
  readonly mirrors: readonly HostileSource[];
  readonly inFlight: readonly HostileSource[];
  readonly memory: SourceMemory;
  readonly #log = new KeptLog();
  readonly spools: string;
  readonly #client = new FileClient();
  readonly #relay: Relay;
  readonly #wanted: Omit<WantedFile, "name">;
  #close: (() => Promise<void>) | null = null;
  port = 0;

  /** The lines that the relay has logged. */
  get log(): readonly string[] {
    return this.#log.lines;
  }

  /** Runs a relay until `use` ends. */
  static async with(parts: SceneParts, use: (scene: Scene) => Promise<void>): Promise<void> {
    using scratch = new Scratch();
    const scene = new Scene(parts, parts.spools ?? scratch.directory);
    try {
      await scene.#listen();
      await use(scene);
    } finally {
      await scene.#end();
    }
  }

  private constructor(parts: SceneParts, spools: string) {
    const { file, isDescribed = true, isPackage = true } = parts;
    const times = { ...RELAY_TIMES, ...parts.times };
    this.peers = (parts.peers ?? []).map((behaviour) => new HostileSource(file, behaviour));
    this.mirrors = (parts.mirrors ?? []).map((behaviour) => new HostileSource(file, behaviour));
    this.inFlight = (parts.inFlight ?? []).map((behaviour) => new HostileSource(file, behaviour));
    this.spools = spools;
    this.memory = new SourceMemory(times);
    this.#relay = new Relay({
      spools: parts.spoolSize === 0 ? null : new SpoolDirectory(spools, parts.spoolSize ?? 1e9),
      memory: this.memory,
      log: this.#log,
      times,
    });
    const sha256 = createHash("sha256").update(file).digest();
    this.#wanted = {
      repository: "core",
      expected: isDescribed ? { size: file.length, sha256 } : null,
      isPackage,
      inFlight: this.inFlight.length === 0 ? null : this.#inFlightFile(sha256.toHex()),
      peers: this.peers.length === 0 ? null : this.#peerCopies(),
      mirrors: this.#mirrorCopies(),
      tree: { lookup: () => null },
    };
  }

  async #listen(): Promise<void> {
    const configuration = { address: "127.0.0.1", port: 0, ipv6: false, tls: null };
    const listener = await listen(configuration, async (request) => {
      const name = request.target.slice(1);
      const reply = await this.#relay.reply(request, { ...this.#wanted, name });
      if (!("failure" in reply)) return reply;
      const isAbsent = reply.failure.kind === "absent";
      return textReply(isAbsent ? 404 : 502, reply.failure.message);
    });
    this.port = listener.port;
    this.#close = () => listener.close(0);
  }

  async #end(): Promise<void> {
    await this.#close?.();
    this.#relay.close();
    this.#client.close();
    for (const source of [...this.peers, ...this.mirrors, ...this.inFlight]) source.close();
  }

  /** Sends a request and reads the whole answer. Returns its head as text, and its body. */
  async ask(head: string): Promise<{ readonly head: string; readonly body: Uint8Array }> {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    await writeAll(connection, latin1(`${head}\r\nHost: localhost\r\nConnection: close\r\n\r\n`));
    const all = new Uint8Array(await new Response(connection.readable).arrayBuffer());
    const text = new TextDecoder("latin1").decode(all);
    const end = text.indexOf("\r\n\r\n");
    return { head: text.slice(0, end), body: all.subarray(end + 4) };
  }

  #peerCopies(): Pick<PeersWithFile, "find"> {
    return {
      find: (mayAsk) => {
        const found = this.peers.find(({ url }) => mayAsk(url));
        if (found === undefined) return Promise.resolve(null);
        const source = this.#source("copy", found, null);
        return Promise.resolve({ peer: found.url, source });
      },
    };
  }

  /** Returns an in-flight file whose tracker names the first holder that has not failed. */
  #inFlightFile(digest: string): InFlightFile {
    const registry = new Registry({ lifetime: 1e9, now: () => 0, random: () => 0 });
    const holders = this.inFlight.map(({ url }, index) => {
      const peer = registry.addStatic(parsePeerUrl(new URL("/", url).href, 15678)!);
      peer.instance = `instance-of-holder-${index}`;
      return peer;
    });
    return new InFlightFile({
      wants: {
        instance: "instance-of-the-relay",
        peerOf: () => null,
        ask: ({ failed }) => {
          const first = holders.find(({ instance }) => !failed.includes(instance ?? "")) ?? null;
          const answer = Promise.resolve(first);
          return { soon: () => answer, late: answer, confirm: () => {} };
        },
      },
      client: this.#client,
      file: "file",
      digest,
      authorities: [],
    });
  }

  #mirrorCopies(): Pick<MirrorsOfFile, "find" | "size" | "failed"> {
    return {
      find: (without, last) => {
        const found = this.mirrors.find(({ url }) => !without.has(url));
        return Promise.resolve(found === undefined ? null : this.#source("mirror", found, last));
      },
      size: async () => {
        for (const mirror of this.mirrors) {
          const signal = AbortSignal.timeout(1000);
          const head = await this.#source("mirror", mirror, null).head(signal).catch(() => null);
          if (head !== null) return head.size;
        }
        return null;
      },
      failed: () => {},
    };
  }

  #source(kind: "copy" | "mirror", { url }: HostileSource, last: number | null): HttpSource {
    return new HttpSource({
      kind,
      name: `${kind} ${new URL(url).host}`,
      url,
      client: this.#client,
      headers: {},
      self: kind === "mirror" ? new Self([], [], null) : null,
      ...(last === null ? {} : { last }),
    });
  }
}

/** Returns pseudo-random bytes, which look like a package: the same ones on each run. */
export function bytes(length: number, seed: number = 1): Uint8Array {
  const file = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    file[at] = state >>> 24;
  }
  return file;
}

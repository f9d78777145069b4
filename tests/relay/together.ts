/** Runs several relays of a LAN in one process, with real listeners, peers and messages. */

import { createHash } from "node:crypto";
import type { HttpRequest, Reply } from "../../src/http/exchange.ts";
import { listen, type Listener } from "../../src/http/listener.ts";
import { textReply } from "../../src/http/replies.ts";
import { parseTarget } from "../../src/http/target.ts";
import { FileClient } from "../../src/pacserve/relay/http_client.ts";
import { HttpSource } from "../../src/pacserve/relay/http_source.ts";
import { InFlightFile } from "../../src/pacserve/relay/in_flight_file.ts";
import { Relay, type WantedFile } from "../../src/pacserve/relay/relay.ts";
import { SourceMemory } from "../../src/pacserve/relay/source_memory.ts";
import { SpoolDirectory } from "../../src/pacserve/relay/spool.ts";
import { RELAY_TIMES, type RelayTimes } from "../../src/pacserve/relay/times.ts";
import { Self } from "../../src/pacserve/servers.ts";
import { Peers } from "../../src/peers/peers.ts";
import type { SharedFile } from "../../src/quickserve/shared.ts";
import { until } from "../listening.ts";
import { Scratch } from "../scratch.ts";
import { type Behaviour, HostileSource } from "./hostile_source.ts";

/** Name of the file that all hosts download. */
export const FILE = "file-1-1-any.pkg.tar.zst";

/** The options of a LAN. */
export interface LanParts {
  readonly file: Uint8Array;
  readonly hosts: number;
  readonly mirror: Behaviour;
  readonly times?: Partial<RelayTimes>;
  /** URLs of other servers that claim to be relays. */
  readonly others?: readonly string[];
}

/** Relays that know each other, and a mirror. */
export class Lan {
  readonly mirror: HostileSource;
  readonly hosts: LanHost[] = [];
  readonly file: Uint8Array;
  readonly #spools: string;
  readonly #times: RelayTimes;
  readonly #others: readonly string[];

  /** Runs a LAN until `use` ends. */
  static async with(parts: LanParts, use: (lan: Lan) => Promise<void>): Promise<void> {
    using spools = new Scratch();
    const lan = new Lan(parts, spools.directory);
    try {
      for (let i = 0; i < parts.hosts; i++) await lan.add();
      await lan.meet();
      await use(lan);
    } finally {
      for (const host of lan.hosts) await host.end();
      lan.mirror.close();
    }
  }

  private constructor({ file, mirror, times, others = [] }: LanParts, spools: string) {
    this.#others = others;
    this.file = file;
    this.#spools = spools;
    this.#times = { ...RELAY_TIMES, ...times };
    this.mirror = new HostileSource(file, mirror);
  }

  /** Adds a host that has all present hosts as static peers. */
  async add(): Promise<LanHost> {
    const known = this.hosts.map(({ port }) => `http://127.0.0.1:${port}/`);
    const names = [...known, ...this.#others];
    const host = new LanHost(this.file, this.mirror, names, this.#spools, this.#times);
    await host.start();
    this.hosts.push(host);
    return host;
  }

  /** Waits until all hosts know each other. */
  async meet(): Promise<void> {
    const others = this.hosts.length - 1 + this.#others.length;
    for (const { peers } of this.hosts) {
      const known = (): number => peers.registry.all().filter(({ relays }) => relays).length;
      await until(() => known() === others, "all hosts know each other");
    }
  }

  /** The number of bytes that the mirror has sent, divided by the size of the file. */
  get copies(): number {
    return this.mirror.sent / this.file.length;
  }
}

/** A host with a relay. */
export class LanHost {
  readonly peers: Peers;
  readonly relay: Relay;
  readonly log: string[] = [];
  /** Number of requests of other hosts, and the bytes of these and of the answers, without files. */
  readonly asked = { count: 0, bytes: 0 };
  port = 0;
  /** True when pacman has moved the file to its cache. */
  isInCache = false;
  /** False when the file is downloaded with credentials, and must not be shared. */
  isShared = true;
  readonly #file: Uint8Array;
  readonly #mirror: HostileSource;
  readonly #client = new FileClient();
  #listener: Listener | null = null;

  constructor(
    file: Uint8Array,
    mirror: HostileSource,
    staticPeers: readonly string[],
    spools: string,
    times: RelayTimes,
  ) {
    this.#file = file;
    this.#mirror = mirror;
    const say = (sentence: string): void => void this.log.push(sentence);
    this.relay = new Relay({
      spools: new SpoolDirectory(spools, 1e9),
      memory: new SourceMemory(times),
      log: { info: say, debug: say },
      times,
    });
    this.peers = new Peers({
      program: "pacserve",
      staticPeers,
      multicast: null,
      mdns: null,
      searchTimeout: 1000,
      defaultPort: 15678,
      ipv6: false,
    }, {
      scheme: "http",
      indexed: null,
      network: { networkOf: () => null, reaches: () => true, isOwn: () => true },
      log: { warn: say, info: say, debug: say },
    });
    this.peers.serve({
      relays: true,
      files: {
        has: ([, name = ""]) => this.relay.holder.has(name),
        listing: () => Promise.resolve(null),
        packageNames: () => Promise.resolve({ names: [], isGrowing: false }),
      },
      admission: { allowsPeer: () => true },
    });
  }

  async start(): Promise<void> {
    const configuration = { address: "127.0.0.1", port: 0, ipv6: false, tls: null };
    this.#listener = await listen(configuration, (request) => this.#answer(request));
    this.port = this.#listener.port;
    this.peers.start(this.port);
  }

  /** Stops the host and closes its connections at once. */
  async end(): Promise<void> {
    const listener = this.#listener;
    this.#listener = null;
    if (listener === null) return;
    await this.peers.stop();
    await listener.close(0);
    this.relay.close();
    this.#client.close();
  }

  async #answer(request: HttpRequest): Promise<Reply> {
    const routed = await this.#route(request);
    const isFromPeer = this.peers.isFromPeer(request);
    const headers = { ...routed.headers, ...isFromPeer ? this.peers.replyHeaders() : {} };
    const reply = { ...routed, headers };
    if (isFromPeer) this.#count(request, reply);
    return reply;
  }

  #count(request: HttpRequest, { headers, body }: Reply): void {
    const head = ([name, value]: readonly [string, unknown]): number =>
      `${name}: ${String(value)}\r\n`.length;
    const lines = [...Object.entries(request.headers), ...Object.entries(headers)];
    const question = Number(request.headers["content-length"] ?? 0);
    const answer = body instanceof Uint8Array || typeof body === "string" ? body.length : 0;
    this.asked.count++;
    this.asked.bytes += `POST / HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n`.length + question +
      answer +
      lines.reduce((sum, line) => sum + head(line), 0);
  }

  async #route(request: HttpRequest): Promise<Reply> {
    if (request.method === "POST") return await this.peers.answer(request);
    const [directory, name = ""] = parseTarget(request.target)?.segments ?? [];
    if (directory === "pkg") {
      return this.relay.holder.answer(request, name, this.peers.instance) ?? textReply(404);
    }
    const reply = await this.relay.reply(request, this.#wanted());
    return "failure" in reply ? textReply(502, reply.failure.message) : reply;
  }

  #wanted(): WantedFile {
    const sha256 = createHash("sha256").update(this.#file).digest();
    const mirror = (last: number | null): HttpSource =>
      new HttpSource({
        kind: "mirror",
        name: "mirror",
        url: this.#mirror.url,
        client: this.#client,
        headers: {},
        self: new Self([], [], null),
        isPrivate: !this.isShared,
        ...(last === null ? {} : { last }),
      });
    const inFlight = new InFlightFile({
      wants: this.peers.wants,
      client: this.#client,
      file: FILE,
      digest: sha256.toHex(),
      authorities: [],
    });
    return {
      name: FILE,
      repository: "core",
      expected: { size: this.#file.length, sha256 },
      isPackage: true,
      peers: null,
      inFlight,
      mirrors: {
        find: (without, last) =>
          Promise.resolve(without.has(this.#mirror.url) ? null : mirror(last)),
        size: () => Promise.resolve(this.#file.length),
        failed: () => {},
      },
      tree: { lookup: (segments) => this.isInCache ? packageAt(segments) : null },
    };
  }
}

function packageAt(segments: readonly string[]): SharedFile {
  const inode = { size: 1, modified: 0, changed: 0, device: 0, inode: 0 };
  return { kind: "file", segments, localPath: `/${segments.join("/")}`, ...inode };
}

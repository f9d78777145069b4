/** What it costs to be one of eight hosts that upgrade at the same moment. */

import { parseRanges } from "../../src/http/ranges.ts";
import { startPacserve, writeRandomFile } from "../candidates.ts";
import { Client } from "../client.ts";
import type { Program } from "../program.ts";
import { type Bench, type Measurement, type Row, short } from "../row.ts";
import { median, ratios } from "../statistics.ts";
import { addressOf, namesOf, writeDatabase } from "./relaying.ts";

const NAME = "the slowest of eight hosts that upgrade at once";

/** Rows of this file. */
export const together: readonly Measurement[] = [{ names: [NAME], measure }];

const HOSTS = 8;
/**
 * Packages that each wants, and their size. All hosts have the same address here, and one address reads
 * eight in-flight files at most: four of each package.
 */
const PACKAGES = 2;
const SIZE = 5 * 1024 * 1024;
/** Bytes a second of the mirror's line, for all connections together. */
const RATE = 8 * 1024 * 1024;
const PIECE = 64 * 1024;

/** A mirror on a line that is shared by all that ask. */
class Mirror implements AsyncDisposable {
  /** Bytes that it sent. */
  sent = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #file: Uint8Array;
  /** When the line is free, in milliseconds. */
  #free = 0;

  constructor(file: Uint8Array) {
    this.#file = file;
    const place = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(place, (request) => this.#answer(request));
  }

  /** It is not called 127.0.0.1: what only this host reaches is shared with nobody. */
  get address(): string {
    return `http://0.0.0.0:${this.#server.addr.port}`;
  }

  #answer({ method, url, headers }: Request): Response {
    if (!url.endsWith(".zst")) return new Response("", { status: 404 });
    const size = this.#file.length;
    const ranges = parseRanges(headers.get("Range") ?? "", size);
    const range = ranges === "unsatisfiable" ? null : ranges?.[0] ?? null;
    const { start, end } = range ?? { start: 0, end: size - 1 };
    return new Response(method === "HEAD" ? null : this.#body(start, end + 1), {
      status: range === null ? 200 : 206,
      headers: {
        "Content-Length": String(end + 1 - start),
        ...(range === null ? {} : { "Content-Range": `bytes ${start}-${end}/${size}` }),
      },
    });
  }

  #body(start: number, end: number): ReadableStream<Uint8Array> {
    let at = start;
    return new ReadableStream({
      pull: async (controller) => {
        const piece = this.#file.subarray(at, Math.min(at + PIECE, end));
        at += piece.length;
        this.#free = Math.max(this.#free, performance.now()) + piece.length / RATE * 1000;
        await new Promise((resolve) => setTimeout(resolve, this.#free - performance.now()));
        this.sent += piece.length;
        controller.enqueue(piece);
        if (at === end) controller.close();
      },
    }, { highWaterMark: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

async function measure(bench: Bench): Promise<Row[]> {
  const path = `${bench.scratch}/together`;
  await writeRandomFile(path, SIZE);
  const rounds = bench.quick ? 2 : 5;
  const names = namesOf(2 * rounds * PACKAGES);
  const databases = await writeDatabase(bench, path, names);
  await using mirror = new Mirror(await Deno.readFile(path));
  await using stack = new AsyncDisposableStack();
  const hosts: Program[] = [];
  for (let i = 0; i < HOSTS; i++) {
    const directory = (prefix: string): Promise<string> =>
      Deno.makeTempDir({ dir: bench.scratch, prefix });
    const host = await startPacserve(bench, {
      cache: await directory("cache-"),
      spool: await directory("spool-"),
      databases,
      mirror: mirror.address,
      peers: hosts.map(({ port }) => `http://127.0.0.1:${port}/`),
    });
    stack.use(host);
    hosts.push(host);
  }
  for (const { port } of hosts) await knowsOthers(port);
  const alone: number[] = [];
  const slowest: number[] = [];
  const shares: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const [first, ...others] = hosts as [Program, ...Program[]];
    alone.push(await timeOf([first], names.splice(0, PACKAGES)));
    const before = mirror.sent;
    slowest.push(await timeOf([first, ...others], names.splice(0, PACKAGES)));
    shares.push((mirror.sent - before) / (PACKAGES * SIZE));
  }
  const [one, last, share] = [alone, slowest, shares].map((each) => short(median(each)));
  return [{
    name: NAME,
    measured: `${last} s against ${one} s alone; the mirror sent ${share} times what one needs`,
    figure: ratios(slowest, alone),
    reach: { bound: "at most", value: 2 },
    unit: "× one alone",
  }];
}

/** Waits until a server has found all others, and has read its databases. */
async function knowsOthers(port: number): Promise<void> {
  using client = await Client.connect(port);
  await client.request("HEAD", addressOf("package0-1-1-any.pkg.tar.zst"));
  const address = `http://127.0.0.1:${port}/?page=peers`;
  const deadline = performance.now() + 30_000;
  for (;;) {
    const page = await (await fetch(address, { headers: { Accept: "application/json" } })).text();
    if ((page.match(/"alive"/g) ?? []).length >= HOSTS - 1) return;
    if (performance.now() > deadline) throw new Error(`not all servers are known: ${page}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Seconds until the last of these hosts has all of these packages. */
async function timeOf(hosts: readonly Program[], names: readonly string[]): Promise<number> {
  const begun = performance.now();
  await Promise.all(hosts.flatMap(({ port }) =>
    names.map(async (name) => {
      using client = await Client.connect(port);
      const { status, length } = await client.request("GET", addressOf(name));
      if (status !== 200 || length !== SIZE) throw new Error(`${name}: ${status}, ${length} bytes`);
    })
  ));
  return (performance.now() - begun) / 1000;
}

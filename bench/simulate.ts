/** `deno task simulate`: counts the traffic of finding packages on LANs of growing size. */

import { readArguments, wholeNumber } from "../scripts/arguments.ts";
import {
  find,
  serveOriginal,
  servePeer,
  type TestPeer,
  type TestServer,
  until,
} from "../tests/peers/lan.ts";
import { packageName } from "./lan.ts";
import { short } from "./row.ts";
import { measureMdns } from "./simulate_mdns.ts";
import { measureUpgrade } from "./simulate_upgrade.ts";
import { median } from "./statistics.ts";

const USAGE = `usage: deno task simulate [options]

Simulates LANs with 2, 4, 8 and so on servers, all in this process, and counts their messages: when all
servers start, when one of them looks for packages of the others, and when one gets a new package. Then
all servers want one file at the same moment.

  --peers <number>     the largest number of servers (64)
  --packages <number>  number of packages that one server looks for (300)
  --cache <number>     number of packages that each server has (1000)
  --originals          all but one server behave like the original program
  --mdns               count the datagrams of multicast DNS instead, in simulated time
  --upgrade            simulate only the file that all servers want
  --json               print the results as JSON`;

const { values } = readArguments(USAGE, {
  options: {
    peers: { type: "string", default: "64" },
    packages: { type: "string", default: "300" },
    cache: { type: "string", default: "1000" },
    originals: { type: "boolean", default: false },
    mdns: { type: "boolean", default: false },
    upgrade: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const most = wholeNumber("peers", values.peers, 2);
const packages = wholeNumber("packages", values.packages, 1);
const cache = wholeNumber("cache", values.cache, 1);

/** How many packages pacman downloads at the same time (`ParallelDownloads`). */
const AT_A_TIME = 5;

/** After this time without a message, no more are expected. In milliseconds. */
const QUIET = 1500;

/** The traffic with a number of servers. */
interface Costs {
  readonly servers: number;
  /** When all servers start, one after the other, until each knows all others. */
  readonly start: Traffic;
  /** When one server looks for the packages. */
  readonly search: Traffic;
  /** Median time to find a package, in milliseconds. */
  readonly found: number;
  /** When one server gets a new package. */
  readonly change: Traffic;
}

/** An amount of network traffic. */
interface Traffic {
  readonly messages: number;
  readonly bytes: number;
}

/** A server whose package cache can change. */
interface Simulated {
  readonly server: TestServer;
  /** Null for a server of the original. */
  readonly peer: TestPeer | null;
  readonly add: (name: string) => void;
}

function total(servers: readonly Simulated[]): Traffic {
  return {
    messages: servers.reduce((sum, { server }) => sum + server.requests.length, 0),
    bytes: servers.reduce((sum, { server }) => sum + server.traffic(), 0),
  };
}

function since(before: Traffic, servers: readonly Simulated[]): Traffic {
  const now = total(servers);
  return { messages: now.messages - before.messages, bytes: now.bytes - before.bytes };
}

/** Waits until no more messages are sent. */
async function silence(servers: readonly Simulated[]): Promise<void> {
  let { messages } = total(servers);
  for (let quietSince = performance.now(); performance.now() - quietSince < QUIET;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = total(servers).messages;
    if (now !== messages) quietSince = performance.now();
    messages = now;
  }
}

async function serve(number: number, others: readonly string[]): Promise<Simulated> {
  const names = Array.from({ length: cache }, (_, index) => packageName(number, index));
  if (values.originals && number > 0) {
    const server = await serveOriginal(names.map((name) => `pkg/${name}`));
    return { server, peer: null, add: () => {} };
  }
  const peer = await servePeer([], { staticPeers: others, searchTimeout: 5000 }, {
    index: { names: () => Promise.resolve(names), directories: [] },
  }, { files: { has: (path) => names.includes(path.replace(/^pkg\//, "")) } });
  return {
    server: peer,
    peer,
    add: (name) => {
      names.push(name);
      peer.reload();
    },
  };
}

async function measure(count: number, packages: number): Promise<Costs> {
  await using stack = new AsyncDisposableStack();
  const servers: Simulated[] = [];
  // Each server knows the URLs of the earlier ones, and makes itself known to them by a nudge.
  for (let number = count - 1; number >= 0; number--) {
    const one = await serve(number, servers.map(({ server }) => server.base));
    stack.use(one.server);
    servers.push(one);
    // Start one after the other, because one processor simulates all machines.
    await until(
      () => one.peer?.peers.rows().every(({ lastSeen }) => lastSeen !== null) ?? true,
      30,
    );
  }
  const asking = servers.at(-1)?.peer;
  if (asking === null || asking === undefined) {
    throw new Error("the server that looks for packages was not started");
  }
  await silence(servers);
  const start = total(servers);

  const times: number[] = [];
  const left = Array.from({ length: packages }, (_, index) => {
    return packageName(1 + index % (count - 1), Math.floor(index / (count - 1)) % cache);
  });
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      const before = performance.now();
      if (await find(asking, `pkg/${name}`) === null) throw new Error(`${name} was not found`);
      times.push(performance.now() - before);
    }
  }));
  const search = since(start, servers);

  const beforeChange = total(servers);
  servers.at(-1)?.add("new-1-1-any.pkg.tar.zst");
  await silence(servers);
  return {
    servers: count,
    start,
    search,
    found: median(times),
    change: since(beforeChange, servers),
  };
}

function line(cells: readonly string[]): string {
  return cells.map((cell, column) => cell.padStart(column === 0 ? 7 : 12)).join("");
}

/** The numbers of servers to measure. */
function* counts(): Generator<number> {
  for (let count = 2; count <= most; count = count * 2 > most && count < most ? most : count * 2) {
    yield count;
  }
}

async function simulate(): Promise<void> {
  const kinds = values.originals ? "one of ours among servers of the original" : "servers of ours";
  if (!values.json) {
    console.log(
      `${packages} packages, ${AT_A_TIME} at a time; ${kinds} with ${cache} packages each\n`,
    );
    console.log(line(["", "all start", "", "search", "", "a package", "a change", ""]));
    console.log(line(["servers", "messages", "kB", "messages", "kB", "ms", "messages", "kB"]));
  }
  for (const count of counts()) {
    const costs = await measure(count, packages);
    if (values.json) {
      console.log(JSON.stringify(costs));
      continue;
    }
    const both = ({ messages, bytes }: Traffic): string[] => [short(messages), short(bytes / 1000)];
    const { start, search, found, change } = costs;
    console.log(
      line([String(count), ...both(start), ...both(search), short(found), ...both(change)]),
    );
  }
}

async function simulateUpgrade(): Promise<void> {
  if (!values.json) {
    console.log(
      "\nAll want the same file; mirror: files that it sent; last: times what one alone takes\n",
    );
    console.log(line(["servers", "messages", "kB", "mirror", "last"]));
  }
  for (const count of counts()) {
    const costs = await measureUpgrade(count);
    const { servers, messages, bytes, mirror, last } = costs;
    if (values.json) console.log(JSON.stringify(costs));
    else {
      const cells = [short(messages), short(bytes / 1000), mirror.toFixed(3), last.toFixed(2)];
      console.log(line([String(servers), ...cells]));
    }
  }
}

function simulateMdns(): void {
  if (!values.json) {
    console.log("Datagrams and kB; peak: datagrams in the busiest tenth of a second\n");
    console.log(
      line(["", "all start", "", "", "known", "one more", "", "knows", "idle", "a minute"]),
    );
    console.log(line(["servers", "", "kB", "peak", "ms", "", "kB", "ms", "", "kB"]));
  }
  for (const count of counts()) {
    const costs = measureMdns(count);
    if (values.json) {
      console.log(JSON.stringify(costs));
      continue;
    }
    const { start, known, newcomer, newcomerKnows, idle } = costs;
    console.log(line([
      ...[String(count), short(start.datagrams), short(start.bytes / 1000), short(start.peak)],
      ...[short(known), short(newcomer.datagrams), short(newcomer.bytes / 1000)],
      ...[short(newcomerKnows), short(idle.datagrams), short(idle.bytes / 1000)],
    ]));
  }
}

if (values.mdns) simulateMdns();
else {
  if (!values.upgrade) await simulate();
  if (!values.originals) await simulateUpgrade();
}
Deno.exit(0);

/** Clients of several kinds, which send requests until they are told to stop. */

import { Buffer } from "node:buffer";
import { messageOf } from "../src/failure.ts";
import { latin1, readUntil, writeAll } from "../tests/listening.ts";
import { type Package, type Scene, sumOf } from "./scene.ts";

/** The results of the clients. */
export class Tally {
  /** Number of complete and correct transfers, including uploads. */
  completed = 0;
  /** Number of transfers that broke off, as is expected when a worker or a peer dies. */
  broken = 0;
  /** Descriptions of wrong results, which must not happen. */
  readonly wrong: string[] = [];
}

/** Runs clients in parallel, each of them repeatedly, until `signal` is aborted. */
export async function runClients(scene: Scene, tally: Tally, signal: AbortSignal): Promise<void> {
  const clients = [pacman, pacman, pacman, pacman, uploader, uploader, visitor, quitter];
  await Promise.all(clients.map(async (client) => {
    using connections = Deno.createHttpClient({ poolMaxIdlePerHost: 2 });
    for (let turn = 0; !signal.aborted; turn++) {
      try {
        await client({ scene, tally, turn, connections });
      } catch (error) {
        if (error instanceof Wrong) tally.wrong.push(messageOf(error));
        else tally.broken++;
        // The server may be replacing its worker at this moment.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }));
}

interface Turn {
  readonly scene: Scene;
  readonly tally: Tally;
  readonly turn: number;
  readonly connections: Deno.HttpClient;
}

class Wrong extends Error {}

/** Downloads a database and a package like pacman: follows redirects, and resumes downloads. */
async function pacman({ scene, tally, turn, connections: client }: Turn): Promise<void> {
  const repository = `${scene.server.base}/pacman/core/x86_64`;
  const database = await fetch(`${repository}/core.db`, { client });
  if ((await database.bytes()).length !== 5000) throw new Wrong("the database has wrong bytes");
  tally.completed++;
  const wanted = scene.packages[turn * 7 % scene.packages.length];
  if (wanted === undefined) return;
  const from = turn % 3 === 0 ? Math.floor(wanted.bytes.length / 2) : 0;
  const headers: HeadersInit = from > 0 ? { range: `bytes=${from}-` } : {};
  const response = await fetch(`${repository}/${wanted.name}`, { client, headers });
  const bytes = await response.bytes();
  checkPackage(scene.packages, wanted, response, bytes, from);
  tally.completed++;
}

function checkPackage(
  packages: readonly Package[],
  { name, bytes, sum }: Package,
  { status, url }: Response,
  got: Uint8Array,
  from: number,
): void {
  // A peer that died and came back may not have its files; pacman would then ask the next server.
  if (status !== 200 && status !== 206) throw new Wrong(`${name}: status ${status} from ${url}`);
  const isPart = status === 206;
  if (sumOf(got) === (isPart ? sumOf(bytes.subarray(from)) : sum)) return;
  const difference = differenceOf(packages, got, isPart ? bytes.subarray(from) : bytes);
  throw new Wrong(`${name}: other bytes from ${url}, status ${status}, ${difference}`);
}

/** Describes which bytes are wrong, and which package contains them. */
function differenceOf(packages: readonly Package[], got: Uint8Array, right: Uint8Array): string {
  const at = got.findIndex((byte, index) => byte !== right[index]);
  if (at < 0) return `${got.length} of ${right.length} bytes`;
  const end = got.findLastIndex((byte, index) => byte !== right[index]) + 1;
  const piece = Buffer.from(got.subarray(at, at + 32));
  const origins = packages.flatMap(({ name, bytes }) => {
    const position = Buffer.from(bytes).indexOf(piece);
    return position < 0 ? [] : [`byte ${position} of ${name}`];
  });
  const text = JSON.stringify(piece.toString("latin1"));
  return `${got.length} of ${right.length} bytes, bytes ${at} to ${end} differ; there stands ` +
    `${origins.join(", ") || text}`;
}

/** Uploads a file under a new name; an acknowledged upload must be stored completely. */
async function uploader({ scene, tally, connections: client }: Turn): Promise<void> {
  const name = `upload-${crypto.randomUUID()}`;
  const body = new Uint8Array(Math.floor(Math.random() * 200_000));
  crypto.getRandomValues(body.subarray(0, 65_536));
  const response = await fetch(`${scene.server.base}/${name}`, { method: "PUT", body, client });
  const text = await response.text();
  if (response.status !== 201) throw new Wrong(`an upload: ${response.status} ${text}`);
  const path = `${scene.directory}/uploads/${name}`;
  const stored = await Deno.readFile(path).catch(() => null);
  if (stored === null || sumOf(stored) !== sumOf(body)) throw new Wrong("an upload is incomplete");
  await Deno.remove(path);
  tally.completed++;
}

/** Downloads pages and archives. */
async function visitor({ scene, tally, turn, connections: client }: Turn): Promise<void> {
  const targets = ["/", "/pkg/?mimetype=application/json", "/?page=peers", "/pkg/?tar=zip"];
  const response = await fetch(scene.server.base + targets[turn % targets.length], { client });
  const bytes = await response.bytes();
  if (response.status !== 200) throw new Wrong(`${response.url}: status ${response.status}`);
  if (bytes.length === 0) throw new Wrong(`${response.url}: nothing`);
  tally.completed++;
}

/** Sends incomplete requests, or closes the connection in the middle of a reply. */
async function quitter({ scene, turn }: Turn): Promise<void> {
  const largest = scene.packages.findLast(({ place }) => place === "cache")?.name ?? "";
  const requests = [
    "GET / HT",
    `GET /pkg/${largest} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    `PUT /never HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n${"x".repeat(999)}`,
    "\x16\x03\x01garbage",
    `GET /pkg/?tar=zip HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n`,
  ];
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: scene.server.port });
  await writeAll(connection, latin1(requests[turn % requests.length] ?? ""));
  if (turn % requests.length === 1) await readUntil(connection, (text) => text.length > 5000);
  await new Promise((resolve) => setTimeout(resolve, 10));
}

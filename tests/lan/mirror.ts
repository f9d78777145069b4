/**
 * A mirror: nginx on its own host, with an access log of all requests.
 *
 * Tests use only this log to check what came from the mirror, because our own program may be wrong about it.
 */

import type { Host } from "./host.ts";
import type { Network } from "./network.ts";
import { eventually, type RunningProgram } from "./process.ts";
import type { Release, Repository } from "./repository.ts";

/** A request in the mirror's access log. */
export interface MirrorRequest {
  /** Name of the host that sent it. */
  readonly host: string;
  readonly method: string;
  /** The decoded path. */
  readonly path: string;
  /** The path's last segment. */
  readonly file: string;
  readonly status: number;
  /** Number of bytes of the body that were sent. */
  readonly bytes: number;
  /** Value of the `Range` header field; empty without one. */
  readonly range: string;
}

const root = "/srv/mirror";
const log = "/var/log/mirror.log";

/** A running mirror. */
export class Mirror implements AsyncDisposable {
  readonly host: Host;
  readonly #network: Network;
  readonly #repository: Repository;
  readonly #nginx: RunningProgram;
  #marks = 0;

  private constructor(
    network: Network,
    host: Host,
    repository: Repository,
    nginx: RunningProgram,
  ) {
    this.#network = network;
    this.host = host;
    this.#repository = repository;
    this.#nginx = nginx;
  }

  /**
   * Starts a mirror.
   *
   * @param rate greatest number of bytes per second on one connection; 0 for no limit.
   */
  static async start(
    network: Network,
    name: string,
    repository: Repository,
    release: Release,
    rate = 0,
  ): Promise<Mirror> {
    const host = await network.host(name);
    await host.write("/srv/nginx.conf", configuration(rate));
    const nginx = host.spawn(["nginx", "-c", "/srv/nginx.conf"]);
    const mirror = new Mirror(network, host, repository, nginx);
    await mirror.publish(release);
    await eventually("nginx listens", async () => {
      const { code } = await host.run(["curl", "-sf", "http://localhost/mark/0"]);
      return code === 0;
    });
    return mirror;
  }

  /** The `Server` line with this mirror. */
  get server(): string {
    return `http://${this.#network.addressOf(this.host)}/$repo/os/$arch`;
  }

  /** Publishes a release on the mirror. */
  async publish(release: Release): Promise<void> {
    const from = `${this.#repository.directory}/${release}`;
    await this.host.must(["rm", "-rf", root]);
    await this.host.must(["cp", "-rs", from, root]);
  }

  /** Removes a file, so that the mirror answers 404. */
  async remove(repository: string, file: string): Promise<void> {
    await Deno.remove(this.host.path(`${root}/${repository}/os/x86_64/${file}`));
  }

  /** Returns all answered requests, except the marks of the tests. */
  async requests(): Promise<MirrorRequest[]> {
    // nginx has one process, which handles events in order: when the mark is in the log, so
    // are all requests that were complete before it.
    const mark = `/mark/${++this.#marks}`;
    await this.host.must(["curl", "-sf", `http://localhost${mark}`]);
    const text = await eventually("the mirror's log is written", async () => {
      const text = await Deno.readTextFile(this.host.path(log));
      return text.includes(`"${mark}"`) ? text : null;
    });
    return text.split("\n").filter((line) => line !== "").map((line) => this.#parse(line))
      .filter((request) => !request.path.startsWith("/mark/"));
  }

  /** Returns the names of the files whose bodies the mirror sent to a host, sorted and without duplicates. */
  async fetchedBy(host: Host): Promise<string[]> {
    const requests = await this.requests();
    const files = requests
      .filter((each) => each.host === host.name && each.method === "GET" && each.bytes > 0)
      .filter((each) => each.status === 200 || each.status === 206)
      .map((each) => each.file);
    return [...new Set(files)].sort();
  }

  /** Does the same as {@link fetchedBy}, but only for packages and their signatures. */
  async packagesFetchedBy(host: Host): Promise<string[]> {
    return (await this.fetchedBy(host)).filter((file) => file.includes(".pkg."));
  }

  /** Ends nginx, so that connections to the mirror are refused. */
  async stop(): Promise<void> {
    await this.#nginx.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #parse(line: string): MirrorRequest {
    const record = JSON.parse(line) as Record<string, string>;
    const path = record["path"] ?? "";
    return {
      host: this.#network.nameOf(record["address"] ?? ""),
      method: record["method"] ?? "",
      path,
      file: path.slice(path.lastIndexOf("/") + 1),
      status: Number(record["status"]),
      bytes: Number(record["bytes"]),
      range: record["range"] ?? "",
    };
  }
}

function configuration(rate: number): string {
  return `
daemon off;
master_process off;
error_log stderr;
pid /srv/nginx.pid;
user root;
events {}
http {
  log_format mirror escape=json
    '{"address":"$remote_addr","method":"$request_method","path":"$uri","status":"$status",'
    '"bytes":"$body_bytes_sent","range":"$http_range"}';
  access_log ${log} mirror;
  sendfile on;
  limit_rate ${rate};
  server {
    listen 80;
    root ${root};
    location /mark/ { return 204; }
  }
}
`;
}

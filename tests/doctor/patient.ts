/** A machine that the doctor examines. It is healthy until a test changes it. */

import { Host } from "../lan/host.ts";
import { Network } from "../lan/network.ts";
import { programCommand } from "../lan/pacserve.ts";
import type { RunningProgram } from "../lan/process.ts";
import { UNDER_MODES } from "../program.ts";
import { inScratch } from "../scratch.ts";
import { addPackage } from "../unit/pacman/databases.ts";

const CHECKOUT = new URL("../../", import.meta.url).pathname;

/** The result of a check, as `pacserve-status --check --json` prints it. */
export interface Found {
  readonly name: string;
  readonly result: "well" | "wrong" | "unknown";
  readonly text: string;
  readonly cure?: string;
}

/** The output of the doctor. */
export interface Diagnosis {
  readonly status: number;
  readonly checks: ReadonlyMap<string, Found>;
}

/** Port of the mirror. */
export const MIRROR_PORT = 8080;

/** The options of the server on a healthy machine. */
export const HEALTHY: readonly string[] = ["--multicast", "--mdns", "--ipv6"];

/** The directories of packages and databases on a machine. */
export const CACHE = "/var/cache/pacman/pkg";
export const SYNC = "/var/lib/pacman/sync";

/** A machine with pacman's files, on which pacserve can be started. */
export class Patient {
  readonly host: Host;
  readonly #mirror: string;
  server: RunningProgram | null = null;

  private constructor(host: Host, mirror: string) {
    this.host = host;
    this.#mirror = mirror;
  }

  /** @param mirror base of the mirror's addresses: `http://10.20.30.1:8080`. */
  static async create(lan: Network, name: string, mirror: string): Promise<Patient> {
    const patient = new Patient(await lan.host(name), mirror);
    const { host } = patient;
    // The machine must not see the host's /run.
    await host.must(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"]);
    await host.must(["mkdir", "-p", SYNC, "/srv/state", "/srv/spool"]);
    await inScratch(async (directory) => {
      const file = addPackage(directory, "core.db.tar.gz", "foo");
      for (const repository of ["core", "extra"]) {
        await Deno.copyFile(`${directory}/core.db.tar.gz`, host.path(`${SYNC}/${repository}.db`));
      }
      await Deno.copyFile(`${directory}/${file}`, host.path(`${CACHE}/${file}`));
    });
    await patient.configure();
    return patient;
  }

  /** Writes pacman.conf, the address file and the settings of a healthy machine. */
  async configure(): Promise<void> {
    await this.host.write("/etc/pacman.conf", this.pacmanConf());
    for (const path of ["conf.d/pacserve", "pacman.d/pacserve"]) {
      await this.host.write(`/etc/${path}`, await Deno.readTextFile(CHECKOUT + path));
    }
    const { stdout } = await this.host.run(["pacman", "--version"]);
    // pacman before 6.1 warns of the CacheServer line; the file itself says so.
    if (!/v[456]\.0/.test(stdout)) return;
    await this.host.must(["sed", "-i", "s/^CacheServer/#&/", "/etc/pacman.d/pacserve"]);
  }

  /** Returns a pacman.conf in which two repositories have pacserve before the mirror. */
  pacmanConf(sigLevel = "Required DatabaseOptional"): string {
    const section = (name: string): string =>
      `[${name}]\nInclude = /etc/pacman.d/pacserve\nServer = ${this.#mirror}/$repo/os/$arch\n`;
    return `[options]\nArchitecture = x86_64\nSigLevel = ${sigLevel}\n${section("core")}${
      section("extra")
    }`;
  }

  /** Starts or restarts pacserve with these options. It obeys the modes of files. */
  async start(
    options: readonly string[] = HEALTHY,
    checkout = CHECKOUT,
  ): Promise<RunningProgram> {
    await this.stop();
    const command = programCommand("pacserve").map((word) => word.replace(CHECKOUT, checkout));
    const kept = ["--state-directory", "/srv/state", "--spool-directory", "/srv/spool"];
    const server = this.host.spawn([...UNDER_MODES, ...command, "--verbose", ...kept, ...options]);
    this.server = server;
    await server.line(/^ {2}use /, 0, 20_000);
    return server;
  }

  /** Stops pacserve. */
  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = null;
  }

  /** Runs the doctor and returns its JSON. */
  async diagnosis(environment: Readonly<Record<string, string>> = {}): Promise<Diagnosis> {
    const command = [...programCommand("pacserve-status"), "--check", "--json"];
    const { code: status, stdout, stderr } = await this.host.run(command, { environment });
    if (stderr !== "") throw new Error(stderr);
    const { checks } = JSON.parse(stdout) as { checks: readonly Found[] };
    return { status, checks: new Map(checks.map((check) => [check.name, check])) };
  }

  /** Runs the doctor and returns its text. */
  async report(): Promise<string> {
    return (await this.host.run([...programCommand("pacserve-status"), "--check"])).stdout;
  }

  /** Changes rules of the firewall. */
  async nft(rules: string): Promise<void> {
    await this.host.must(["nft", rules]);
  }
}

/** Starts a mirror with the databases on a separate machine. */
export async function startMirror(
  host: Host,
  from: Patient,
  late = 0,
  port = MIRROR_PORT,
): Promise<RunningProgram> {
  for (const repository of ["core", "extra"]) {
    const place = `/srv/mirror/${repository}/os/x86_64`;
    await host.must(["mkdir", "-p", place]);
    const database = `${repository}.db`;
    await Deno.copyFile(from.host.path(`${SYNC}/${database}`), host.path(`${place}/${database}`));
  }
  const program = host.spawn(["python3", "-uc", MIRROR, String(port), String(late)]);
  await program.line(/^ready$/);
  return program;
}

/** Starts a name server on a host, which returns one name for all addresses. */
export async function startNameServer(host: Host, name: string): Promise<RunningProgram> {
  await host.write("/etc/resolv.conf", "nameserver 127.0.0.1\n");
  const program = host.spawn(["python3", "-uc", NAME_SERVER, name]);
  await program.line(/^ready$/);
  return program;
}

/** A name server that answers each query with a PTR record (RFC 1035 §4.1). */
const NAME_SERVER = `
import socket, struct, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
labels = sys.argv[1].encode().split(b".")
name = b"".join(bytes([len(label)]) + label for label in labels) + b"\\0"
record = b"\\xc0\\x0c" + struct.pack(">HHIH", 12, 1, 60, len(name)) + name
print("ready")
while True:
    query, client = server.recvfrom(512)
    end = query.index(b"\\0", 12) + 5
    head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0)
    server.sendto(head + query[12:end] + record, client)
`;

/** A web server whose clock is late by a number of seconds. */
const MIRROR = `
import functools, http.server, sys, time
class Mirror(http.server.SimpleHTTPRequestHandler):
    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() - int(sys.argv[2]) if timestamp is None else timestamp)
    def log_message(self, *words):
        pass
handler = functools.partial(Mirror, directory="/srv/mirror")
with http.server.ThreadingHTTPServer(("", int(sys.argv[1])), handler) as server:
    print("ready")
    server.serve_forever()
`;

/** The candidates: the servers of this project as they are installed, and nginx. */

import { fileURLToPath } from "node:url";
import { messageOf } from "../src/failure.ts";
import { bundle } from "../scripts/build/bundle.ts";
import { DENO_OPTIONS, launchedCommands } from "../scripts/build/commands.ts";
import { makeCertificates } from "../tests/certificates.ts";
import { freePort, Program } from "./program.ts";
import type { Bench } from "./row.ts";

const checkout = fileURLToPath(import.meta.resolve("../"));

let program: Promise<string> | null = null;

/**
 * The words that run a command of this project: its bundle, as the package installs it, or the
 * source where that cannot be bundled.
 */
export async function commandOf(name: string, bench: Bench): Promise<string[]> {
  program ??= makeBundle(bench);
  const permissions = launchedCommands().find((command) => command.name === name)?.permissions;
  if (permissions === undefined) throw new Error(`there is no command ${name}`);
  return [Deno.execPath(), ...DENO_OPTIONS, ...permissions, await program, name];
}

async function makeBundle({ scratch, say }: Bench): Promise<string> {
  say("bundling the program …");
  try {
    await bundle(checkout, `${scratch}/libraries`, `${scratch}/bundle`);
    return `${scratch}/bundle/main.js`;
  } catch (error) {
    say(`measuring the source, since there is no bundle: ${messageOf(error)}`);
    return `${checkout}src/main.ts`;
  }
}

/** A certificate and its key in files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a certificate for localhost. */
export async function certificateFiles({ scratch }: Bench): Promise<CertificateFiles> {
  const files = { certificate: `${scratch}/certificate.pem`, key: `${scratch}/key.pem` };
  const { server } = await makeCertificates();
  await Deno.writeTextFile(files.certificate, server.certificate);
  await Deno.writeTextFile(files.key, server.key);
  return files;
}

/** nginx with one worker, sendfile and autoindex on, serving a directory. */
export async function startNginx(
  bench: Bench,
  directory: string,
  tls: CertificateFiles | null = null,
  location: string = "",
): Promise<Program> {
  const port = freePort();
  const prefix = await Deno.makeTempDir({ dir: bench.scratch, prefix: "nginx-" });
  const ssl = tls === null
    ? ""
    : `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`;
  await Deno.writeTextFile(
    `${prefix}/nginx.conf`,
    `daemon off; worker_processes 1; pid ${prefix}/pid; error_log ${prefix}/error.log;
    ${Deno.uid() === 0 ? "user root;" : ""}
    events { worker_connections 1024; }
    http {
      access_log off; autoindex on; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
      client_body_temp_path ${prefix}; proxy_temp_path ${prefix}; fastcgi_temp_path ${prefix};
      uwsgi_temp_path ${prefix}; scgi_temp_path ${prefix};
      server { listen 127.0.0.1:${port}${
      tls === null ? "" : " ssl"
    }; root ${directory}; ${ssl} ${location} }
    }`,
  );
  const command = ["nginx", "-e", `${prefix}/error.log`, "-p", prefix, "-c", "nginx.conf"];
  return await Program.listening(command, port, `${prefix}/output`);
}

/** nginx as a proxy for a server on this host, which passes bytes on as they come. */
export async function startNginxProxy(bench: Bench, origin: number): Promise<Program> {
  const location = `location / { proxy_pass http://127.0.0.1:${origin}; proxy_buffering off; }`;
  return await startNginx(bench, bench.scratch, null, location);
}

/** quickserve, sharing a directory as the root of its tree, with its access log as it is by default. */
export async function startQuickserve(
  bench: Bench,
  directory: string,
  tls: CertificateFiles | null = null,
): Promise<Program> {
  const port = freePort();
  const ssl = tls === null ? [] : ["--ssl", "--certfile", tls.certificate, "--keyfile", tls.key];
  const command = await commandOf("quickserve", bench);
  command.push("--port", String(port), "--root", directory, ...ssl);
  return await Program.listening(command, port, `${bench.scratch}/quickserve-${port}.log`);
}

/** A server of the runtime's alone, which shows how little Deno can do with. */
export async function startBareServer(
  bench: Bench,
  directory: string,
  tls: CertificateFiles | null = null,
): Promise<Program> {
  const port = freePort();
  const script = `${checkout}bench/bare_server.ts`;
  const files = tls === null ? [] : [tls.certificate, tls.key];
  return await Program.listening(
    [Deno.execPath(), "run", "-A", "--no-check", script, String(port), directory, ...files],
    port,
    `${bench.scratch}/bare-${port}.log`,
  );
}

/** What a pacserve that is measured is told. */
export interface PacserveParts {
  /** The package cache. */
  readonly cache: string;
  /** Addresses of peers. */
  readonly peers?: readonly string[];
  /** pacman's `DBPath`. */
  readonly databases?: string;
  /** The directory of spools. */
  readonly spool?: string;
  /** The mirror; by default one that does not listen. */
  readonly mirror?: string;
}

/** A pacman.conf with this package cache, and one mirror: by default one that does not listen. */
export async function pacmanConfiguration(
  bench: Bench,
  cache: string,
  databases: string = bench.scratch,
  mirror: string = "http://127.0.0.1:9",
): Promise<string> {
  const directory = await Deno.makeTempDir({ dir: bench.scratch, prefix: "etc-" });
  await Deno.writeTextFile(
    `${directory}/pacman.conf`,
    `[options]\nCacheDir = ${cache}\nDBPath = ${databases}\nArchitecture = x86_64\n` +
      `[core]\nServer = ${mirror}/$repo\n`,
  );
  return `${directory}/pacman.conf`;
}

/** pacserve with a configuration of its own. */
export async function startPacserve(
  bench: Bench,
  { cache, peers = [], databases, spool, mirror }: PacserveParts,
): Promise<Program> {
  const port = freePort();
  const command = await commandOf("pacserve", bench);
  const pacmanConf = await pacmanConfiguration(bench, cache, databases, mirror);
  command.push("--port", String(port), "--pacman-conf", pacmanConf);
  if (spool !== undefined) command.push("--spool-directory", spool);
  for (const peer of peers) command.push("--peer", peer);
  // One processor stands in for all peers: what is late here would not be late on a LAN.
  if (peers.length > 0) command.push("--search-timeout", "5000");
  return await Program.listening(command, port, `${bench.scratch}/pacserve-${port}.log`);
}

/** Writes a file of random bytes. */
export async function writeRandomFile(path: string, size: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const piece = new Uint8Array(65536);
  for (let left = size; left > 0; left -= piece.length) {
    crypto.getRandomValues(piece);
    const bytes = left < piece.length ? piece.subarray(0, left) : piece;
    for (let sent = 0; sent < bytes.length;) sent += await file.write(bytes.subarray(sent));
  }
}

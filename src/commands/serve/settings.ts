/** Makes the configuration of a server from its options: checks each value and reads each file. */

import { nameProblem, parseAuthFile } from "../../auth/authfile.ts";
import type { AuthConfiguration, User } from "../../auth/configuration.ts";
import { Failure, messageOf, UsageError } from "../../failure.ts";
import { ifMissing } from "../../files.ts";
import { ownNames } from "../../http/own_names.ts";
import type { AdmissionConfiguration, ListenConfiguration } from "../../http/configuration.ts";
import { type PacmanConfiguration, WITHOUT_PACMAN } from "../../pacman/configuration.ts";
import { includedFiles } from "../../pacman/included_files.ts";
import {
  findPacmanConf,
  pacmanConfRunner,
  readPacmanConfiguration,
  unresolvedPath,
} from "../../pacman/read_configuration.ts";
import { type ProxyVariables, proxyVariables } from "../../pacman/proxy_environment.ts";
import type { PacserveConfiguration, SpoolConfiguration } from "../../pacserve/configuration.ts";
import { parseProxy } from "../../pacserve/relay/proxies.ts";
import { fileRepositoryDirectories, Self } from "../../pacserve/servers.ts";
import type { MdnsConfiguration, PeersConfiguration } from "../../peers/configuration.ts";
import { peerPlaces, placesWarning } from "../../peers/places.ts";
import type { PagesConfiguration, UploadConfiguration } from "../../quickserve/configuration.ts";
import type { LogConfiguration, ServerConfiguration } from "../../server/configuration.ts";
import type { StatusConfiguration } from "../../status/configuration.ts";
import { VERSION } from "../../version.ts";
import type { ParsedOptions } from "../parse.ts";
import {
  DEFAULTS,
  PACMAN_CONF,
  type Program,
  SEARCH_TIMEOUT,
  SPOOL_DIRECTORY,
  SPOOL_DIRECTORY_BY_HAND,
  SPOOL_SIZE,
  STATE_DIRECTORY,
} from "./options.ts";
import { mdnsSettings } from "./mdns.ts";
import { multicastSettings } from "./multicast.ts";
import { treeSettings } from "./shares.ts";
import { tlsSettings } from "./tls.ts";
import {
  canBeWrittenTo,
  ConfigurationSources,
  requireDirectory,
  sandboxHintFor,
} from "./user_files.ts";
import {
  fileNameValue,
  hostNameValue,
  listenAddressValue,
  networkValue,
  numberValue,
  peerValue,
  sizeValue,
} from "./values.ts";
import { resolve } from "../../std.ts";

/** The file in which Arch and Debian store the certificates of the authorities that the system trusts. */
const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

/** A configuration, and the files that it was read from. */
export interface ServeSettings {
  readonly configuration: ServerConfiguration;
  readonly sources: ConfigurationSources;
}

/**
 * Returns the settings of a server. It is called at start, and again when one of the files that it
 * read has changed.
 *
 * @param sources collects the files that it reads, also when it fails.
 * @throws {UsageError} when the value of an option is wrong.
 * @throws {Failure} when a file cannot be read or parsed.
 */
export async function readSettings(
  program: Program,
  options: ParsedOptions,
  sources: ConfigurationSources = new ConfigurationSources(),
): Promise<ServeSettings> {
  const names = await hostNames();
  const listen = await listenSettings(program, options, sources);
  const staticPeers = options.all("peer")
    .map((value) => peerValue("--peer", value, DEFAULTS[program].port));
  const authorities = await peerAuthorities(staticPeers, listen);
  const pacserve = program === "pacserve"
    ? await pacserveSettings(options, listen.port, names, authorities, sources)
    : null;
  const mdns = await mdnsSettings(options, listen, pacserve);
  const uploads = await uploadSettings(options, sources);
  const configuration: ServerConfiguration = {
    program,
    hostNames: names,
    listen,
    admission: admissionSettings(options),
    auth: await authSettings(program, options, sources),
    tree: await treeSettings(options, pacserve, uploads, sources),
    uploads,
    pages: await pagesSettings(program, options, sources),
    peers: { ...peersSettings(program, options, staticPeers, mdns, sources), authorities },
    pacserve,
    status: program === "pacserve" ? await statusSettings(options, listen.port, sources) : null,
    log: await logSettings(options),
  };
  return { configuration, sources };
}

async function logSettings(options: ParsedOptions): Promise<LogConfiguration> {
  const quiet = options.has("quiet");
  const verbose = options.has("verbose");
  if (quiet && verbose) throw new UsageError("--quiet and --verbose exclude each other");
  return {
    level: quiet ? "quiet" : verbose ? "verbose" : "normal",
    journal: await isJournalOutput(),
  };
}

async function listenSettings(
  program: Program,
  options: ParsedOptions,
  sources: ConfigurationSources,
): Promise<ListenConfiguration> {
  const address = options.value("address");
  const ipv6 = options.has("ipv6");
  return {
    address: address === undefined ? null : listenAddressValue("--address", address, ipv6),
    port: numberValue(options, "port", DEFAULTS[program].port, 0, 65535),
    ipv6,
    tls: await tlsSettings(options, sources),
  };
}

function admissionSettings(options: ParsedOptions): AdmissionConfiguration {
  const networks = options.all("allow-network");
  return {
    allowedNetworks: networks.map((network) => networkValue("--allow-network", network)),
    serverNames: options.all("server-name").map((name) => hostNameValue("--server-name", name)),
  };
}

async function authSettings(
  program: Program,
  options: ParsedOptions,
  sources: ConfigurationSources,
): Promise<AuthConfiguration> {
  const users: User[] = options.tuples("auth").map(([name = "", password = ""]) => {
    const problem = nameProblem(name);
    if (problem !== null) throw new UsageError(`--auth: ${problem}`);
    // This happens if a script uses a variable that is not set.
    if (password === "") throw new UsageError(`--auth: the password of "${name}" is empty`);
    return { name, password };
  });
  const path = options.value("authfile");
  if (path !== undefined) {
    for (const user of parseAuthFile(await sources.read("--authfile", path), path)) {
      users.push(user);
    }
    const { mode } = await Deno.stat(path);
    if (mode !== null && (mode & 0o004) !== 0) {
      sources.warnings.push(`--authfile ${path} can be read by every user: chmod o-r ${path}`);
    }
  }
  const names = new Set<string>();
  for (const { name } of users) {
    if (names.has(name)) {
      throw new UsageError(`the user "${name}" is given twice (--auth, --authfile); remove one`);
    }
    names.add(name);
  }
  const uploadOnly = options.has("auth-upload-only");
  if (uploadOnly && users.length === 0) {
    throw new UsageError("--auth-upload-only needs a user: --auth or --authfile");
  }
  return { users, uploadOnly, realm: titleOf(program) };
}

async function uploadSettings(
  options: ParsedOptions,
  sources: ConfigurationSources,
): Promise<UploadConfiguration | null> {
  const directory = options.value("upload");
  if (directory === undefined) {
    const needy = ["allow-overwrite", "max-upload-size"].find((name) => options.has(name));
    if (needy !== undefined) throw new UsageError(`--${needy} needs --upload <directory>`);
    return null;
  }
  await requireDirectory("--upload", directory);
  await sources.expectWritable("--upload", directory);
  const size = options.value("max-upload-size");
  return {
    directory: resolve(directory),
    allowOverwrite: options.has("allow-overwrite"),
    maximumSize: size === undefined ? null : sizeValue("--max-upload-size", size),
  };
}

async function pagesSettings(
  program: Program,
  options: ParsedOptions,
  sources: ConfigurationSources,
): Promise<PagesConfiguration> {
  const motd = options.value("motd");
  const index = options.value("index");
  return {
    title: titleOf(program),
    version: VERSION,
    hostName: Deno.hostname().split(".")[0] ?? "",
    motd: motd === undefined ? null : await sources.read("--motd", motd),
    index: index === undefined ? null : fileNameValue("--index", index),
    listRemote: options.has("list-remote"),
    archives: options.tuples("tar").flat(),
    website: options.has("root"),
  };
}

function peersSettings(
  program: Program,
  options: ParsedOptions,
  staticPeers: readonly string[],
  mdns: MdnsConfiguration | null,
  sources: ConfigurationSources,
): PeersConfiguration {
  const multicast = multicastSettings(program, options, sources);
  const nowhere = placesWarning(peerPlaces({ multicast, mdns }, Deno.networkInterfaces()));
  if (nowhere !== null) sources.warnings.push(nowhere);
  const finds = staticPeers.length > 0 || multicast !== null || mdns !== null;
  if (options.has("list-remote") && !finds) {
    sources.warnings.push("--list-remote changes nothing without --peer or --multicast");
  }
  return {
    program,
    staticPeers,
    multicast,
    mdns,
    searchTimeout: numberValue(options, "search-timeout", SEARCH_TIMEOUT, 1, 60_000),
    defaultPort: DEFAULTS[program].port,
    ipv6: options.has("ipv6"),
  };
}

/** Returns the authorities that may certify peers: those for our clients, and those of the system. */
async function peerAuthorities(
  staticPeers: readonly string[],
  { tls }: ListenConfiguration,
): Promise<string[]> {
  const authorities = tls === null ? [] : [tls.authorities];
  if (!staticPeers.some((peer) => peer.startsWith("https:"))) return authorities;
  const system = await Deno.readTextFile(SYSTEM_AUTHORITIES).catch(ifMissing(null));
  return system === null ? authorities : [...authorities, system];
}

async function pacserveSettings(
  options: ParsedOptions,
  port: number,
  names: readonly string[],
  authorities: readonly string[],
  sources: ConfigurationSources,
): Promise<PacserveConfiguration> {
  const pacman = await pacmanSettings(options, sources);
  for (const cache of pacman.cacheDirectories) await sources.expect("the package cache", cache);
  const self = new Self([port], names, null);
  for (const directory of fileRepositoryDirectories(pacman, self)) {
    await sources.expect("the repository", directory);
  }
  const redirect = options.has("redirect");
  return {
    pacman,
    trustPeers: options.has("trust-pacserve-peers"),
    port,
    hostNames: names,
    redirect,
    spool: await spoolSettings(options, redirect, sources),
    authorities,
    proxies: proxySettings(sources),
  };
}

async function statusSettings(
  options: ParsedOptions,
  port: number,
  sources: ConfigurationSources,
): Promise<StatusConfiguration> {
  const networks = options.all("allow-metrics");
  const given = options.value("state-directory");
  if (given !== undefined) {
    await requireDirectory("--state-directory", given);
    await sources.expectWritable("--state-directory", given);
  }
  return {
    stateDirectory: given === undefined ? await defaultStateDirectory(port) : resolve(given),
    metricsNetworks: networks.map((network) => networkValue("--allow-metrics", network)),
  };
}

/**
 * Returns the directory for the counters. For the service it is one that systemd makes, for a server that
 * was started by hand one in the user's home. It is null for a server on any free port (`--port 0`), which
 * runs only for a while.
 */
async function defaultStateDirectory(port: number): Promise<string | null> {
  if (port === 0) return null;
  if (await canBeWrittenTo(STATE_DIRECTORY)) return STATE_DIRECTORY;
  const [state, home] = [Deno.env.get("XDG_STATE_HOME"), Deno.env.get("HOME")];
  // A relative path must be ignored (XDG Base Directory Specification).
  if (state?.startsWith("/")) return `${state}/pacserve`;
  return home?.startsWith("/") ? `${home}/.local/state/pacserve` : null;
}

/**
 * Returns the settings in pacman.conf. A machine without pacman, such as a NAS, can still serve the
 * packages in the directories that the command line names.
 */
async function pacmanSettings(
  options: ParsedOptions,
  sources: ConfigurationSources,
): Promise<PacmanConfiguration> {
  const given = options.value("pacman-conf");
  const program = findPacmanConf();
  const namesPaths = options.positional.length > 0 || options.has("filelist");
  if (program === null && given === undefined && namesPaths) {
    sources.warnings.push("pacman is not installed: only the paths on the command line are shared");
    return WITHOUT_PACMAN;
  }
  const path = resolve(given ?? PACMAN_CONF);
  const included = await includedFiles(path);
  sources.files.push(...included.files);
  sources.directories.push(...included.directories);
  return await readPacmanConfiguration(path, pacmanConfRunner(program)).catch(
    async (error) => {
      const message = messageOf(error);
      const path = unresolvedPath(message);
      const paths = path === null ? included.files : [path];
      throw new Failure(message + await sandboxHintFor("--pacman-conf", paths));
    },
  );
}

/**
 * Returns the proxies of the environment. It only warns of one that cannot be used: pacman is then
 * redirected to the mirrors and may be able to use it.
 */
function proxySettings(sources: ConfigurationSources): ProxyVariables | null {
  const proxies = proxyVariables(Deno.env);
  for (const scheme of ["http", "https"] as const) {
    const text = proxies?.[scheme] ?? "";
    if (text === "" || parseProxy(text) !== null) continue;
    sources.warnings.push(
      `the proxy for ${scheme}: mirrors in the environment (${scheme}_proxy, all_proxy) must be like ` +
        "http://proxy.example.org:3128; until then pacman is redirected to these mirrors",
    );
  }
  return proxies;
}

/**
 * Returns the settings of the spool. systemd makes the directory of the service; a server that was
 * started by hand makes its own.
 */
async function spoolSettings(
  options: ParsedOptions,
  redirect: boolean,
  sources: ConfigurationSources,
): Promise<SpoolConfiguration | null> {
  const size = sizeValue("--spool-size", options.value("spool-size") ?? SPOOL_SIZE);
  const given = options.value("spool-directory");
  const needless = ["spool-directory", "spool-size"].find((name) => options.has(name));
  if (redirect && needless !== undefined) {
    throw new UsageError(`--${needless} and --redirect exclude each other`);
  }
  if (redirect) return null;
  if (given === undefined) {
    const directory = await defaultSpoolDirectory();
    return directory === null ? null : { directory, size };
  }
  await requireDirectory("--spool-directory", given);
  await sources.expectWritable("--spool-directory", given);
  return { directory: resolve(given), size };
}

async function defaultSpoolDirectory(): Promise<string | null> {
  if (await canBeWrittenTo(SPOOL_DIRECTORY)) return SPOOL_DIRECTORY;
  try {
    await Deno.mkdir(SPOOL_DIRECTORY_BY_HAND, { mode: 0o700 });
  } catch {
    // The directory exists already, or cannot be made.
  }
  try {
    // chmod fails unless the directory is ours. A link may be another user's, so do not follow one.
    const { isDirectory } = await Deno.lstat(SPOOL_DIRECTORY_BY_HAND);
    if (!isDirectory) return null;
    await Deno.chmod(SPOOL_DIRECTORY_BY_HAND, 0o700);
    return SPOOL_DIRECTORY_BY_HAND;
  } catch {
    // The directory belongs to another user. The relay also works without a spool.
    return null;
  }
}

function titleOf(program: Program): string {
  return program === "pacserve" ? "Pacserve" : "Quickserve";
}

/**
 * True when standard output is the journal's stream: systemd names that by device and inode in
 * `JOURNAL_STREAM` (systemd.exec(5)). The variable alone proves nothing, because programs that a service
 * starts inherit it, such as a terminal and the shell in it.
 */
async function isJournalOutput(): Promise<boolean> {
  const stream = Deno.env.get("JOURNAL_STREAM");
  if (stream === undefined) return false;
  // Loading it takes 25 ms, therefore only a service does.
  const { fstatSync } = await import("node:fs");
  const { dev, ino } = fstatSync(1);
  return stream === `${dev}:${ino}`;
}

/**
 * Returns the names of this host on other machines: with each domain that its resolver searches
 * (resolv.conf(5)).
 */
async function hostNames(): Promise<string[]> {
  return ownNames(Deno.hostname(), await searchDomains());
}

async function searchDomains(): Promise<string[]> {
  // A machine without a resolver has no domains.
  const text = await Deno.readTextFile("/etc/resolv.conf").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const [keyword, ...names] = line.trim().split(/\s+/);
    return keyword === "search" || keyword === "domain" ? names : [];
  });
}

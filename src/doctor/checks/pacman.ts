/** Checks that pacman uses pacserve and verifies packages. */

import { messageOf } from "../../failure.ts";
import type { Repository } from "../../pacman/configuration.ts";
import { directive, splitLines } from "../../pacman/lines.ts";
import { runProgram } from "../../firewall/programs.ts";
import {
  type Check,
  type Finding,
  listed,
  NOT_RUNNING,
  shortList,
  unknown,
  well,
  wrong,
} from "../check.ts";
import type { CheckedHost } from "../checked_host.ts";

/** The command that prints pacman.conf with pacserve inserted. */
const INSERT = "pacman.conf-insert_pacserve";

/** The first version of libalpm that supports `CacheServer`; it belongs to pacman 6.1. */
const CACHE_SERVER_SINCE = 14;

/** `address file`: the file that names pacserve to pacman has the URL of the running pacserve. */
export const addressFileCheck: Check = {
  name: "address file",
  run: async (host) => {
    const { addressFile } = host.paths;
    const addresses = await host.addresses().catch((error) => messageOf(error));
    if (typeof addresses === "string") {
      return wrong(addresses, `reinstall pacserve, which contains ${addressFile}`);
    }
    if (addresses.length === 0) {
      return wrong(
        `${addressFile} names no server`,
        `put "Server = http://localhost:15678/pacman/$repo/os/$arch" into ${addressFile}`,
      );
    }
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    const named = listed(addresses.map(({ origin }) => origin));
    if (!addresses.some(({ origin }) => origin === service.address.origin)) {
      return wrong(
        `pacserve answers at ${service.address.origin}, but ${addressFile} names ${named}`,
        `write port ${service.address.port} into ${addressFile}`,
      );
    }
    return well(`${addressFile} names ${named}`);
  },
};

/** `pacman.conf`: pacserve precedes the mirrors in all repositories, or is used in none. */
export const configurationCheck: Check = {
  name: "pacman.conf",
  run: async (host) => {
    const { configuration, addressFile } = host.paths;
    const pacman = await host.pacmanConf().catch((error) => messageOf(error));
    if (typeof pacman === "string") return wrong(pacman, "correct this first: pacman fails too");
    if (pacman.repositories.length === 0) {
      return wrong(`${configuration} has no repository`, "add the repositories of your system");
    }
    const repositories = pacman.repositories.filter(isRemote);
    const own = await ownOrigins(host);
    const uses = repositories.filter((each) => placesOf(each, own).length > 0);
    if (uses.length === 0) {
      return well(`only pacsrv uses pacserve (for pacman, use ${INSERT})`);
    }
    const names = (some: readonly Repository[]): string => listed(some.map(({ name }) => name));
    const late = uses.filter((each) => placesOf(each, own).some((place) => place > 0));
    if (late.length > 0) {
      return wrong(
        `in ${names(late)} a mirror precedes pacserve, and pacman asks the mirror first`,
        `make "Include = ${addressFile}" the first line there (${INSERT} shows it)`,
      );
    }
    const lacking = repositories.filter((each) => !uses.includes(each));
    if (lacking.length > 0) {
      return wrong(
        `pacman uses pacserve in ${names(uses)}, but not in ${names(lacking)}`,
        `put "Include = ${addressFile}" there too, as ${INSERT} shows`,
      );
    }
    return await cacheServerFinding(host) ??
      well(`pacman asks pacserve first in ${names(repositories)}`);
  },
};

/** `signatures`: pacman requires and verifies the signatures of downloaded packages. */
export const signaturesCheck: Check = {
  name: "signatures",
  run: async (host) => {
    const { signatureLevels: levels, repositories } = await host.pacman();
    const remote = repositories.filter(isRemote).map(({ name }) => name);
    const never: string[] = [];
    const optional: string[] = [];
    const anybody: string[] = [];
    for (const name of remote) {
      const words = levels.get(name) ?? [];
      if (words.includes("PackageNever")) never.push(name);
      else if (words.includes("PackageOptional")) optional.push(name);
      if (words.includes("PackageTrustAll")) anybody.push(name);
    }
    const faults = [
      ...(never.length === 0 ? [] : [`signatures are not checked in ${listed(never)} (Never)`]),
      ...(anybody.length === 0 ? [] : [`any key is accepted in ${listed(anybody)} (TrustAll)`]),
      ...(optional.length === 0
        ? []
        : [`signatures are not required in ${listed(optional)} (Optional)`]),
    ];
    if (remote.length === 0) return unknown("pacman.conf has no repository");
    if (faults.length === 0) {
      return well(`each package has to be signed in ${shortList(remote, 6)}`);
    }
    return wrong(
      `SigLevel gives little protection: ${faults.join("; ")}`,
      `write "SigLevel = Required DatabaseOptional" into [options] of ${host.paths.configuration}, and ` +
        "remove any other SigLevel of these repositories",
    );
  },
};

/** True unless a repository consists only of directories of this machine. */
function isRemote({ servers }: Repository): boolean {
  return servers.length === 0 || servers.some((server) => !server.startsWith("file:"));
}

/** Returns the origins by which a configuration may name pacserve. */
async function ownOrigins(host: CheckedHost): Promise<ReadonlySet<string>> {
  const [named, service] = await Promise.all([host.addresses().catch(() => []), host.service()]);
  return new Set(
    [...named, ...(service === null ? [] : [service.address])].map(({ origin }) => origin),
  );
}

/** Returns the positions of pacserve among the cache servers and the servers of a repository, from 0. */
function placesOf({ servers, cacheServers = [] }: Repository, own: ReadonlySet<string>): number[] {
  return [cacheServers, servers].flatMap((list) => {
    const place = list.findIndex((server) =>
      URL.canParse(server) && own.has(new URL(server).origin)
    );
    return place < 0 ? [] : [place];
  });
}

/** Returns the problem of the address file with this version of pacman; null if it is right. */
async function cacheServerFinding(host: CheckedHost): Promise<Finding | null> {
  const { addressFile } = host.paths;
  const { output } = await runProgram("pacman", ["--version"]).catch(() => ({ output: "" }));
  const [, version] = /libalpm v(\d+)/.exec(output) ?? [];
  if (version === undefined) return unknown("pacman does not print its version");
  const text = await Deno.readTextFile(addressFile).catch(() => "");
  const keys = splitLines(text).map(({ content }) => directive(content)?.key);
  const knows = Number(version) >= CACHE_SERVER_SINCE;
  if (keys.includes("CacheServer") && !knows) {
    return wrong(
      "this pacman is older than 6.1, and warns of CacheServer lines on each run",
      `put a # in front of CacheServer in ${addressFile}, or run pacsrv`,
    );
  }
  if (!keys.includes("CacheServer") && knows) {
    return wrong(
      `${addressFile} has no CacheServer line; without it, pacman stops using pacserve after three errors`,
      `put "CacheServer = http://localhost:15678/pacman/$repo/os/$arch" above its Server line`,
    );
  }
  return null;
}

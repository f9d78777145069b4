/** Checks that the mirrors answer, and that this host's clock agrees with theirs and with the peers'. */

import { messageOf } from "../../failure.ts";
import { ownNames } from "../../http/own_names.ts";
import { Network } from "../../http/network.ts";
import { proxyVariables } from "../../pacman/proxy_environment.ts";
import { ask, timeOf } from "../../pacserve/ask.ts";
import { judge } from "../../pacserve/mirror_check.ts";
import { mirrorHeaders, requestHead } from "../../pacserve/mirror_request.ts";
import { FileClient } from "../../pacserve/relay/http_client.ts";
import { Proxies } from "../../pacserve/relay/proxies.ts";
import { type Mirror, mirrorsOf, Self, urlOn } from "../../pacserve/servers.ts";
import { type Check, type Finding, shortList, unknown, well, wrong } from "../check.ts";
import type { CheckedHost } from "../checked_host.ts";

/** The time limit of a mirror in milliseconds. Users would not wait longer. */
const MIRROR_TIMEOUT = 5_000;

/** At most this many mirrors of a repository are asked; the first ones are taken. */
const MAX_MIRRORS = 6;

/** The mirrors of at most this many repositories are asked. */
const MAX_REPOSITORIES = 12;

/** The clocks of at most this many peers are read. */
const MAX_PEERS = 8;

/** The allowed error of a clock in milliseconds. Signatures and certificates tolerate as much. */
const MAX_DEVIATION = 120_000;

/** `mirrors`: the mirrors that pacman would ask first answer. */
export const mirrorsCheck: Check = {
  name: "mirrors",
  run: async (host) => {
    const asked = await askedMirrors(host);
    if (asked.length === 0) return unknown("no repository has a mirror on the network");
    const failed = asked.filter(({ problem }) => problem !== null);
    const origins = [...new Set(asked.map(({ mirror }) => mirror.origin))];
    if (failed.length === 0) {
      return well(`${shortList(origins)} ${origins.length === 1 ? "answers" : "answer"}`);
    }
    const texts = failed.map(({ repository, mirror, problem }) =>
      `${mirror.origin} for ${repository}: ${problem}`
    );
    return wrong(
      failed.length === asked.length ? `no mirror answers: ${shortList(texts)}` : shortList(texts),
      failed.length === asked.length
        ? "check whether this machine reaches the internet; behind a proxy, set http_proxy and " +
          `https_proxy in ${host.paths.settings}`
        : "remove them from the mirror list that pacman.conf includes",
    );
  },
};

/** `clock`: this host's clock agrees with those of mirrors and peers. */
export const clockCheck: Check = {
  name: "clock",
  run: async (host) => {
    const [mirrors, peers] = await Promise.all([askedMirrors(host), peerClocks(host)]);
    // Each machine counts once, even if it is a mirror of several repositories.
    const byOrigin = new Map(
      mirrors.flatMap(({ mirror, ahead }) => ahead === null ? [] : [[mirror.origin, ahead]]),
    );
    const clocks = [
      ...peers,
      ...[...byOrigin].map(([whose, ahead]) => ({ whose, ahead })),
    ];
    return judgeClocks(clocks);
  },
};

/** The clock of another machine. */
export interface OtherClock {
  /** The address of the machine. */
  readonly whose: string;
  /** Milliseconds by which it is ahead of this host's clock. */
  readonly ahead: number;
}

/** Compares this host's clock with others. It is wrong if most of the others say so. */
export function judgeClocks(clocks: readonly OtherClock[]): Finding {
  if (clocks.length === 0) return unknown("no mirror and no peer has sent its time");
  const wrongClocks = clocks.filter(({ ahead }) => Math.abs(ahead) > MAX_DEVIATION);
  const sorted = clocks.map(({ ahead }) => ahead).toSorted((one, other) => one - other);
  // Of an even number of clocks, two are in the middle. If one of them is right, this host's clock is, too.
  const last = sorted.length - 1;
  const [lower = 0, upper = 0] = [sorted[Math.floor(last / 2)], sorted[Math.ceil(last / 2)]];
  const middle = Math.abs(lower) < Math.abs(upper) ? lower : upper;
  if (Math.abs(middle) > MAX_DEVIATION) {
    return wrong(
      `this host's clock is ${duration(middle)} ${middle > 0 ? "late" : "early"}, according to ` +
        shortList([...new Set(wrongClocks.map(({ whose }) => whose))]),
      "timedatectl set-ntp true",
    );
  }
  if (wrongClocks.length > 0) {
    const texts = wrongClocks.map(({ whose, ahead }) =>
      `${whose} (${duration(ahead)} ${ahead > 0 ? "early" : "late"})`
    );
    return wrong(
      `the clock of ${shortList([...new Set(texts)])} is wrong`,
      "timedatectl set-ntp true there",
    );
  }
  return well(
    `this host's clock agrees with ${
      clocks.length === 1 ? clocks[0]?.whose : `${clocks.length} others`
    }`,
  );
}

/** A mirror's reply. */
interface AskedMirror {
  readonly repository: string;
  readonly mirror: Mirror;
  /** Why pacman cannot use the mirror; null if it can. */
  readonly problem: string | null;
  /** Milliseconds by which its clock is ahead of this host's; null if it does not send its time. */
  readonly ahead: number | null;
}

/** Requests the databases of the repositories from their mirrors, as the service does. */
function askedMirrors(host: CheckedHost): Promise<readonly AskedMirror[]> {
  return host.once("mirrors", async () => {
    const [pacman, service, settings] = await Promise.all([
      host.pacman(),
      host.service(),
      host.settings().catch(() => new Map<string, string>()),
    ]);
    const ports = [
      ...await host.addresses().catch(() => []),
      ...(service === null ? [] : [service.address]),
    ];
    const self = new Self(
      ports.map(({ port }) => Number(port)),
      ownNames(Deno.hostname(), []),
      new Network(),
    );
    const proxies = proxyVariables(settings);
    const client = new FileClient(proxies === null ? null : new Proxies(proxies));
    const asked = await Promise.all(
      pacman.repositories.slice(0, MAX_REPOSITORIES).flatMap((repository) => {
        const file = `${repository.name}.db`;
        return mirrorsOf(repository, pacman, null, self, file).slice(0, MAX_MIRRORS)
          .map((mirror) =>
            askMirror(repository.name, mirror, urlOn(mirror, file), { client, self })
          );
      }),
    );
    client.close();
    return asked;
  });
}

async function askMirror(
  repository: string,
  mirror: Mirror,
  url: string,
  { client, self }: { readonly client: FileClient; readonly self: Self },
): Promise<AskedMirror> {
  const signal = AbortSignal.timeout(MIRROR_TIMEOUT);
  const headers = mirrorHeaders("1.1 pacserve-status");
  try {
    const answer = await requestHead(url, { client, self, headers, signal });
    const { verdict, reason } = judge(answer);
    const time = timeOf(answer.headers);
    return {
      repository,
      mirror,
      problem: verdict === "has" ? null : reason,
      ahead: time === null ? null : time - Date.now(),
    };
  } catch (error) {
    const problem = signal.aborted
      ? `does not answer within ${MIRROR_TIMEOUT / 1000} s`
      : messageOf(error);
    return { repository, mirror, problem, ahead: null };
  }
}

/** Reads the clocks of the peers that answer. */
async function peerClocks(
  host: CheckedHost,
): Promise<readonly OtherClock[]> {
  const peers = (await host.service())?.report?.peers ?? [];
  const alive = peers.filter(({ state }) => state === "alive").slice(0, MAX_PEERS);
  const clocks = await Promise.all(alive.map(async ({ url }) => {
    try {
      const { headers } = await ask(new URL(url), { method: "HEAD" });
      const time = timeOf(headers);
      return time === null ? [] : [{ whose: url, ahead: time - Date.now() }];
    } catch {
      // Ignore peers that do not answer: the check `peers` reports them.
      return [];
    }
  }));
  return clocks.flat();
}

/** Formats a duration: `3 minutes`, `2 hours`, `5 days`. */
function duration(milliseconds: number): string {
  const minutes = Math.round(Math.abs(milliseconds) / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

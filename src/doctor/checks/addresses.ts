/** Checks the addresses and names under which the server answers. */

import { hostname } from "node:os";
import ipaddr from "ipaddr.js";
import { isLinkLocal, isLoopback } from "../../http/address.ts";
import { ask, isNotListening, TooLate } from "../../pacserve/ask.ts";
import { HEADERS } from "../../peers/protocol.ts";
import { type Check, listed, NOT_RUNNING, shortList, unknown, well, wrong } from "../check.ts";
import type { RunningService } from "../checked_host.ts";

/** The time limit for the name server to resolve an address, in milliseconds. */
const NAME_TIMEOUT = 1_500;

/** `port`: the same pacserve answers on its port at all addresses of this host. */
export const portCheck: Check = {
  name: "port",
  run: async (host) => {
    const service = await host.service();
    const port = service?.address.port ?? String(await host.port());
    const server = service ??
      { address: new URL(`http://localhost:${port}`), version: null, report: null };
    const own = [...lanAddresses(), "127.0.0.1", "::1"];
    const found = await Promise.all(own.map((address) => whoAnswers(server, address)));
    const where = (who: string): string[] => own.filter((_, index) => found[index] === who);
    const others = where("another");
    if (others.length > 0) {
      return wrong(
        `another server has port ${port} of ${listed(others)}`,
        `find its program with "ss -ltnp sport = :${port}" and end it, or give pacserve another ` +
          `--port (also in ${host.paths.addressFile})`,
      );
    }
    if (service === null) return NOT_RUNNING;
    const open = where("pacserve");
    const looks = (service.report?.places.means.length ?? 0) > 0;
    if (looks && lanAddresses().length > 0 && open.every(isLoopback)) {
      return wrong(
        `discovery is on, but other machines cannot connect: pacserve answers at ${
          listed(open)
        } only`,
        `remove --address from PACSERVE_ARGS in ${host.paths.settings}, then systemctl restart pacserve`,
      );
    }
    return well(`only pacserve uses port ${port}: it answers at ${shortList(open, 6)}`);
  },
};

/** `ipv6`: pacserve works on a host that has only IPv6. */
export const ipv6Check: Check = {
  name: "ipv6",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    const addresses = lanAddresses();
    const sixes = addresses.filter((address) => address.includes(":"));
    if (addresses.length === 0) return unknown("this host has only loopback addresses");
    if (sixes.length < addresses.length) return well("this host has an IPv4 address");
    const answers = await Promise.all(sixes.map((address) => whoAnswers(service, address)));
    const listens = answers.includes("pacserve");
    const looks = service.report?.places.means.includes("multicast DNS") === true;
    if (listens && looks) return well("this host has only IPv6, and pacserve uses it");
    return wrong(
      "this host has only IPv6, " +
        (listens ? "with which --multicast finds no peers" : "and pacserve does not listen on it"),
      `put --ipv6 and --mdns into PACSERVE_ARGS in ${host.paths.settings}, then systemctl restart pacserve`,
    );
  },
};

/** `name`: the server accepts all names of this host. */
export const nameCheck: Check = {
  name: "name",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    const names = await namesOfHost();
    if (names.length === 0) return unknown("this host has no name");
    const refused: string[] = [];
    await Promise.all(names.map(async (name) => {
      const headers = { Host: `${name}:${service.address.port}` };
      const { status } = await ask(service.address, { method: "HEAD", headers });
      if (status === 403) refused.push(name);
    }));
    if (refused.length === 0) return well(`it answers to ${shortList(names)}`);
    return wrong(
      `pacserve refuses ${listed(refused.sort())}, although this is a name of this host`,
      `put ${refused.map((name) => `--server-name ${name}`).join(" ")} into PACSERVE_ARGS in ` +
        `${host.paths.settings}, then systemctl restart pacserve`,
    );
  },
};

/** Returns the addresses at which other machines reach this host, without link-local ones. */
function lanAddresses(): string[] {
  const all = Deno.networkInterfaces().map(({ address }) => address);
  return [...new Set(all)].filter((one) => !isLoopback(one) && !isLinkLocal(one));
}

/** Returns which server answers on the service's port at an address of this host. */
async function whoAnswers(
  { address: server, report }: RunningService,
  address: string,
): Promise<"pacserve" | "another" | "nobody"> {
  // A pacserve replies to this header with its own identity.
  const headers = { Host: server.host, [HEADERS.instance]: crypto.randomUUID() };
  try {
    const answer = await ask(server, { method: "HEAD", address, headers });
    const instance = answer.headers.get(HEADERS.instance.toLowerCase());
    return instance !== undefined && (report === null || instance === report.instance)
      ? "pacserve"
      : "another";
  } catch (error) {
    // A server that does not speak HTTP counts as another one. A late reply may come from pacserve.
    return isNotListening(error) || error instanceof TooLate ? "nobody" : "another";
  }
}

/** Returns the host name, and the names of this host's addresses in /etc/hosts and in the DNS. */
async function namesOfHost(): Promise<string[]> {
  const names = new Set<string>();
  const own = hostname().toLowerCase();
  if (own !== "" && own !== "localhost") {
    names.add(own);
    if (!own.includes(".")) names.add(`${own}.local`);
  }
  const addresses = [...lanAddresses(), "127.0.1.1"];
  const hosts = await Deno.readTextFile("/etc/hosts").catch(() => "");
  for (const line of hosts.split("\n")) {
    const [address = "", ...called] = line.replace(/#.*/, "").trim().toLowerCase().split(/\s+/);
    if (addresses.includes(address)) { for (const name of called) names.add(name); }
  }
  await Promise.all(
    lanAddresses().map(async (address) => {
      for (const name of await namesOf(address)) names.add(name);
    }),
  );
  return [...names].filter((name) => /^[a-z\d_][a-z\d_.-]*$/.test(name));
}

/** Returns the names of an address in the DNS; none if there is no name server. */
async function namesOf(address: string): Promise<string[]> {
  try {
    const signal = AbortSignal.timeout(NAME_TIMEOUT);
    const found = await Deno.resolveDns(reverseName(address), "PTR", { signal });
    return found.map((name) => name.toLowerCase().replace(/\.$/, ""));
  } catch {
    return [];
  }
}

/** Returns the domain of an address for a reverse look-up (RFC 1035 §3.5, RFC 3596 §2.5). */
function reverseName(address: string): string {
  const bytes = ipaddr.parse(address).toByteArray();
  if (bytes.length === 4) return `${bytes.reverse().join(".")}.in-addr.arpa`;
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${[...digits].reverse().join(".")}.ip6.arpa`;
}

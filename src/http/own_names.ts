/** The names of this host on its LAN. */

/**
 * Domains in which nobody can register a name on the internet. No page on the internet can therefore
 * have a name in them: the domain of multicast DNS (RFC 6762 §3), names that routers give to their
 * LAN, and the domains that are reserved for private networks (RFC 8375 §4, ICANN's `internal`).
 * `fritz.box` is left out because `box` is a public domain, in which it can be registered.
 */
const PRIVATE_DOMAINS = ["local", "lan", "home", "internal", "localdomain", "home.arpa"];

/**
 * The names that a host has on its LAN: the bare host name, and the host name in each private domain
 * and in each domain that its resolver searches.
 *
 * `ownNames("box", ["example.org"])` returns `box`, `box.local`, `box.lan`, `box.example.org` and others.
 */
export function ownNames(hostname: string, domains: readonly string[]): string[] {
  const whole = plainName(hostname);
  if (whole === "") return [];
  const bare = whole.split(".")[0] ?? whole;
  const names = [...PRIVATE_DOMAINS, ...domains].map((domain) => `${bare}.${plainName(domain)}`);
  return [...new Set([whole, bare, ...names])];
}

/** Returns a host name in the form in which names are compared: in lower case, without the dot at the end. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/**
 * The environment variables for proxies, read as curl does (curl(1), ENVIRONMENT), because pacman
 * leaves them to curl. An empty variable counts as not set.
 */

/** The variables that name a proxy. curl ignores `HTTP_PROXY` in capitals. */
const PROXIES = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/** The variables that list hosts for which no proxy is used. curl prefers the first. */
const EXCEPTIONS = ["no_proxy", "NO_PROXY"] as const;

/** All variables that this module reads. */
export const PROXY_VARIABLES: readonly string[] = [...PROXIES, ...EXCEPTIONS];

/** The values of the variables. Plain data, for the worker. */
export interface ProxyVariables {
  /** The proxy for `http:` URLs; empty for none. */
  readonly http: string;
  /** The proxy for `https:` URLs; empty for none. */
  readonly https: string;
  /** Hosts for which no proxy is used, as {@link exceptedHosts} parses them. */
  readonly exceptions: string;
}

/** Reads the variables; null when no proxy is set. */
export function proxyVariables(environment: Pick<Deno.Env, "get">): ProxyVariables | null {
  const first = (...names: readonly string[]): string =>
    names.map((name) => environment.get(name)).find((value) =>
      value !== undefined && value !== ""
    ) ?? "";
  const all = ["all_proxy", "ALL_PROXY"];
  const http = first("http_proxy", ...all);
  const https = first("https_proxy", "HTTPS_PROXY", ...all);
  return http === "" && https === "" ? null : { http, https, exceptions: first(...EXCEPTIONS) };
}

/** The hosts in `no_proxy`, which are separated by commas and spaces; a single `*` means every host. */
export function exceptedHosts(value: string): string[] {
  return value.split(/[\s,]+/).filter((word) => word !== "");
}

/**
 * The assignments (`NAME=value`) that make programs use no proxy for `hosts`, in addition to the hosts
 * that the variables list already.
 *
 * pacman must not ask the server on this host through a proxy: a proxy on another machine would look
 * for `localhost` on that machine.
 *
 * `{ http_proxy: "http://proxy:3128", NO_PROXY: "lan" }` and `["localhost"]` give
 * `["no_proxy=lan,localhost", "NO_PROXY=lan,localhost"]`.
 *
 * @param hosts names or addresses, IPv6 without brackets.
 * @returns an empty list when no proxy is set, or the variables list the hosts already.
 */
export function proxyExceptions(
  hosts: readonly string[],
  environment: Pick<Deno.Env, "get">,
): string[] {
  if (proxyVariables(environment) === null) return [];
  const [lower = "", upper = ""] = EXCEPTIONS.map((name) => environment.get(name));
  const assignments = [assignment("no_proxy", lower || upper, hosts)];
  // Programs in Go prefer `NO_PROXY`.
  if (upper !== "") assignments.push(assignment("NO_PROXY", upper, hosts));
  return assignments.filter((found) => found !== null);
}

/** The assignment that adds the hosts to a variable; null when the variable lists them already. */
function assignment(name: string, value: string, hosts: readonly string[]): string | null {
  const known = exceptedHosts(value);
  if (known.length === 1 && known[0] === "*") return null;
  const missing = hosts.filter((host) => !known.includes(host));
  if (missing.length === 0) return null;
  return `${name}=${[...(value === "" ? [] : [value]), ...missing].join(",")}`;
}

/**
 * The variables that name proxies, as curl(1), ENVIRONMENT, reads them: pacman leaves them to curl. An
 * empty variable counts as one that is not set.
 */

/** The variables in which curl finds a proxy. It ignores `HTTP_PROXY` in capitals. */
const PROXIES = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/** The variables that name hosts to be asked without a proxy. curl prefers the first. */
const EXCEPTIONS = ["no_proxy", "NO_PROXY"] as const;

/** All variables that are read here. */
export const PROXY_VARIABLES: readonly string[] = [...PROXIES, ...EXCEPTIONS];

/** What the variables say. Plain data, for the worker. */
export interface ProxyVariables {
  /** The proxy for `http:` addresses; empty where there is none. */
  readonly http: string;
  /** The proxy for `https:` addresses; empty where there is none. */
  readonly https: string;
  /** Hosts that are asked without a proxy: see {@link exceptedHosts}. */
  readonly exceptions: string;
}

/** Reads the variables; null where no proxy is set. */
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

/** The words of `no_proxy`, between commas and spaces; a lone `*` excepts every host. */
export function exceptedHosts(value: string): string[] {
  return value.split(/[\s,]+/).filter((word) => word !== "");
}

/**
 * Keeps pacman's requests to this host's own server away from a proxy: one on another machine would
 * look for `localhost` on itself.
 *
 * Returns the assignments, `NAME=value`, by which programs ask `hosts` without a proxy. What the variables
 * except already stays excepted.
 *
 * `{ http_proxy: "http://proxy:3128", NO_PROXY: "lan" }` and `["localhost"]` give
 * `["no_proxy=lan,localhost", "NO_PROXY=lan,localhost"]`.
 *
 * @param hosts names or addresses, IPv6 without brackets.
 * @returns nothing where no proxy is set, or the hosts are excepted already.
 */
export function proxyExceptions(
  hosts: readonly string[],
  environment: Pick<Deno.Env, "get">,
): string[] {
  if (proxyVariables(environment) === null) return [];
  const [lower = "", upper = ""] = EXCEPTIONS.map((name) => environment.get(name));
  const assignments = [assignment("no_proxy", lower || upper, hosts)];
  // Programs in Go prefer this one.
  if (upper !== "") assignments.push(assignment("NO_PROXY", upper, hosts));
  return assignments.filter((found) => found !== null);
}

/** Null when nothing is to be added. */
function assignment(name: string, value: string, hosts: readonly string[]): string | null {
  const known = exceptedHosts(value);
  if (known.length === 1 && known[0] === "*") return null;
  const missing = hosts.filter((host) => !known.includes(host));
  if (missing.length === 0) return null;
  return `${name}=${[...(value === "" ? [] : [value]), ...missing].join(",")}`;
}

/**
 * Keeps pacman's requests to this host's own server away from a proxy.
 *
 * A proxy on another machine would look for `localhost` on itself. pacman leaves this to curl, so the
 * variables are those of curl(1), ENVIRONMENT.
 */

/** The variables in which curl finds a proxy. It ignores `HTTP_PROXY` in capitals. */
const PROXIES = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/** The variables that name hosts to be asked without a proxy. curl prefers the first. */
const EXCEPTIONS = ["no_proxy", "NO_PROXY"] as const;

/** All variables that are read here. */
export const PROXY_VARIABLES: readonly string[] = [...PROXIES, ...EXCEPTIONS];

/**
 * The assignments, `NAME=value`, by which programs ask `hosts` without a proxy. What the variables
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
  if (PROXIES.every((name) => (environment.get(name) ?? "") === "")) return [];
  // To curl an empty variable is an unset one.
  const [lower = "", upper = ""] = EXCEPTIONS.map((name) => environment.get(name));
  const assignments = [assignment("no_proxy", lower || upper, hosts)];
  // Programs in Go prefer this one.
  if (upper !== "") assignments.push(assignment("NO_PROXY", upper, hosts));
  return assignments.filter((found) => found !== null);
}

/** Null when nothing is to be added. */
function assignment(name: string, value: string, hosts: readonly string[]): string | null {
  const known = value.split(/[\s,]+/).filter((word) => word !== "");
  // A lone star excepts every host.
  if (value.trim() === "*") return null;
  const missing = hosts.filter((host) => !known.includes(host));
  if (missing.length === 0) return null;
  return `${name}=${[...(value === "" ? [] : [value]), ...missing].join(",")}`;
}

import { proxyExceptions } from "../../../src/pacman/proxy_environment.ts";
import { assertEquals } from "../../assert.ts";

const PROXY = { "http_proxy": "http://proxy:3128" };

function added(
  variables: Record<string, string>,
  hosts: readonly string[] = ["localhost"],
): string[] {
  return proxyExceptions(hosts, { get: (name) => variables[name] });
}

Deno.test("proxyExceptions: sets no_proxy if curl would use a proxy, and only then", () => {
  for (const name of ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]) {
    assertEquals(added({ [name]: "proxy:3128" }), ["no_proxy=localhost"], name);
  }
  for (
    const variables of [{}, { "http_proxy": "" }, { HTTP_PROXY: "proxy" }, { "no_proxy": "lan" }]
  ) {
    assertEquals(added(variables as Record<string, string>), []);
  }
});

Deno.test("proxyExceptions: keeps the hosts in no_proxy, separated by commas or spaces", () => {
  assertEquals(added({ ...PROXY, "no_proxy": "lan,.arpa" }), ["no_proxy=lan,.arpa,localhost"]);
  assertEquals(added({ ...PROXY, "no_proxy": "lan .arpa" }), ["no_proxy=lan .arpa,localhost"]);
  const both = added({ ...PROXY, "no_proxy": "a" }, ["localhost", "::1"]);
  assertEquals(both, ["no_proxy=a,localhost,::1"]);
});

Deno.test("proxyExceptions: does not change a no_proxy that lists the host already, or every host", () => {
  for (const value of ["localhost", "lan, localhost", "*"]) {
    assertEquals(added({ ...PROXY, "no_proxy": value }), [], value);
  }
});

Deno.test("proxyExceptions: NO_PROXY counts if no_proxy is unset or empty, as for curl", () => {
  const expected = ["no_proxy=lan,localhost", "NO_PROXY=lan,localhost"];
  assertEquals(added({ ...PROXY, NO_PROXY: "lan" }), expected);
  assertEquals(added({ ...PROXY, NO_PROXY: "lan", "no_proxy": "" }), expected);
  const other = added({ ...PROXY, NO_PROXY: "lan", "no_proxy": "localhost" });
  assertEquals(other, ["NO_PROXY=lan,localhost"]);
});

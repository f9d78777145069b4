import { proxyExceptions } from "../../../src/pacman/proxy_environment.ts";
import { assertEquals } from "../../assert.ts";

const PROXY = { "http_proxy": "http://proxy:3128" };

function added(
  variables: Record<string, string>,
  hosts: readonly string[] = ["localhost"],
): string[] {
  return proxyExceptions(hosts, { get: (name) => variables[name] });
}

Deno.test("no_proxy is set where curl would use a proxy, and only there", () => {
  for (const name of ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]) {
    assertEquals(added({ [name]: "proxy:3128" }), ["no_proxy=localhost"], name);
  }
  for (
    const variables of [{}, { "http_proxy": "" }, { HTTP_PROXY: "proxy" }, { "no_proxy": "lan" }]
  ) {
    assertEquals(added(variables as Record<string, string>), []);
  }
});

Deno.test("no_proxy keeps what it says, with commas or with spaces", () => {
  assertEquals(added({ ...PROXY, "no_proxy": "lan,.arpa" }), ["no_proxy=lan,.arpa,localhost"]);
  assertEquals(added({ ...PROXY, "no_proxy": "lan .arpa" }), ["no_proxy=lan .arpa,localhost"]);
  const both = added({ ...PROXY, "no_proxy": "a" }, ["localhost", "::1"]);
  assertEquals(both, ["no_proxy=a,localhost,::1"]);
});

Deno.test("no_proxy that excepts the host already, or every host, stays as it is", () => {
  for (const value of ["localhost", "lan, localhost", "*"]) {
    assertEquals(added({ ...PROXY, "no_proxy": value }), [], value);
  }
});

Deno.test("NO_PROXY counts where no_proxy is unset or empty, as for curl", () => {
  const expected = ["no_proxy=lan,localhost", "NO_PROXY=lan,localhost"];
  assertEquals(added({ ...PROXY, NO_PROXY: "lan" }), expected);
  assertEquals(added({ ...PROXY, NO_PROXY: "lan", "no_proxy": "" }), expected);
  const other = added({ ...PROXY, NO_PROXY: "lan", "no_proxy": "localhost" });
  assertEquals(other, ["NO_PROXY=lan,localhost"]);
});

import { Admission } from "../../../src/http/admission.ts";
import { ownNames } from "../../../src/http/own_names.ts";
import type { HttpRequest, Reply, RequestHeaders } from "../../../src/http/exchange.ts";
import { assertEquals, assertStringIncludes } from "../../assert.ts";
import { makeRequest } from "../../request.ts";

const facts = {
  names: ownNames("box.example.org", ["lan"]),
  network: {
    networks: () => ["192.168.1.5/24", "203.0.113.9/28", "2001:db8:1::5/64", "fe80::5/64"],
  },
};

function admission(allowedNetworks: string[] = [], serverNames: string[] = []): Admission {
  return new Admission({ allowedNetworks, serverNames }, facts);
}

const LAN = ["10.9.8.7", "172.31.0.1", "192.168.77.1", "169.254.3.4", "fd00::1", "fe80::77"];
const NEIGHBOURS = ["203.0.113.14", "2001:db8:1::99"];
const SELF = ["127.0.0.1", "127.8.8.8", "::1", "192.168.1.5", "203.0.113.9", "2001:db8:1::5"];
const STRANGERS = ["8.8.8.8", "172.32.0.1", "203.0.113.16", "2001:db8:2::1", "", "no address"];

Deno.test("Admission: by default this host, private networks and those of our interfaces are allowed", () => {
  const checks = admission();
  for (const address of [...LAN, ...NEIGHBOURS, ...SELF]) {
    assertEquals(checks.allowsAddress(address), true, address);
  }
  for (const address of STRANGERS) assertEquals(checks.allowsAddress(address), false, address);
});

Deno.test("Admission: --allow-network replaces the defaults, but this host is always allowed", () => {
  const checks = admission(["10.9.0.0/16", "2001:db8:2::/48", "8.8.8.8/32"]);
  for (const address of ["10.9.8.7", "2001:db8:2::1", "8.8.8.8", ...SELF]) {
    assertEquals(checks.allowsAddress(address), true, address);
  }
  for (const address of ["10.8.0.1", "192.168.1.6", "fd00::1", "8.8.8.9", ...NEIGHBOURS]) {
    assertEquals(checks.allowsAddress(address), false, address);
  }
});

Deno.test("Admission.allowsPeer: peers must be on this host, in networks of its interfaces or of --allow-network", () => {
  for (const address of [...NEIGHBOURS, ...SELF, "192.168.1.77", "fe80::77"]) {
    assertEquals(admission().allowsPeer(address), true, address);
  }
  // 169.254.169.254 is the metadata service of cloud providers.
  const elsewhere = ["10.9.8.7", "192.168.77.1", "169.254.169.254", "fd00::1", ...STRANGERS];
  for (const address of elsewhere) assertEquals(admission().allowsPeer(address), false, address);
  const narrowed = admission(["10.9.0.0/16", "169.254.0.0/16"]);
  for (const address of ["10.9.8.7", "169.254.169.254", "127.0.0.1", "192.168.1.5"]) {
    assertEquals(narrowed.allowsPeer(address), true, address);
  }
  for (const address of ["192.168.1.77", ...NEIGHBOURS]) {
    assertEquals(narrowed.allowsPeer(address), false, address);
  }
});

Deno.test("Admission.allowsConnection: a connection with the same address at both ends is allowed", () => {
  const { connection } = makeRequest({
    connection: { remoteAddress: "198.51.100.1", localAddress: "198.51.100.1" },
  });
  assertEquals(admission(["10.0.0.0/8"]).allowsConnection(connection), true);
});

Deno.test("Admission.allowsAddress: decisions stay right for more addresses than are cached", () => {
  const checks = admission();
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 3000; index++) {
      const low = `${index >> 8}.${index & 255}`;
      assertEquals(checks.allowsAddress(`10.0.${low}`), true);
      assertEquals(checks.allowsAddress(`8.8.${low}`), false);
    }
  }
});

Deno.test("Admission.allowsHost: the Host field must be an IP literal, a name of this host or a --server-name", () => {
  const checks = admission([], ["Mirror.Example.com"]);
  const good = ["box", "BOX:8000", "box.local", "box.lan", "box.example.org", "box.local.:1"]
    .concat([
      "localhost",
      "127.0.0.1:8000",
      "10.1.2.3",
      "[::1]:80",
      "[fe80::1]",
      "mirror.example.com",
      "host.containers.internal:15678",
      "host.docker.internal",
    ]);
  for (const host of good) assertEquals(checks.allowsHost(host), true, host);
  const bad = [
    "evil.example",
    "containers.internal",
    "box.evil.example",
    "localhost.evil",
    "1.2.3.4.evil",
    "",
    ":80",
  ]
    .concat(["[box]", "0x7f.1", "2130706433", "::1"]);
  for (const host of bad) assertEquals(checks.allowsHost(host), false, host);
  assertEquals(checks.allowsHost(undefined), true);
});

Deno.test("only pages of our own may make a browser change anything", () => {
  const near = { remoteAddress: "192.168.1.9" };
  const isRefused = (request: HttpRequest): boolean => admission().refusal(request) !== null;
  const post = (headers: RequestHeaders, secure = false): boolean =>
    isRefused(makeRequest({ method: "POST", headers, connection: { ...near, secure } }));
  assertEquals(post({ host: "box" }), false);
  assertEquals(post({ host: "box", "sec-fetch-site": "same-origin" }), false);
  assertEquals(post({ host: "box", "sec-fetch-site": "none" }), false);
  assertEquals(post({ host: "box", "sec-fetch-site": "same-site" }), true);
  assertEquals(post({ host: "box", "sec-fetch-site": "cross-site" }), true);
  assertEquals(post({ host: "box:8000", origin: "http://box:8000" }), false);
  assertEquals(post({ host: "box:8000", origin: "http://Box:8000" }), false);
  assertEquals(post({ host: "box:8000", origin: "http://box" }), true);
  assertEquals(post({ host: "box", origin: "https://box" }), true);
  assertEquals(post({ host: "box", origin: "https://box" }, true), false);
  assertEquals(post({ host: "box", origin: "null" }), true);
  const get = makeRequest({
    headers: { host: "box", "sec-fetch-site": "cross-site" },
    connection: near,
  });
  assertEquals(isRefused(get), false);
});

Deno.test("Admission.refusal: names the option that would allow the client", () => {
  const refusal = (remoteAddress: string, host: string): Reply | null =>
    admission().refusal(makeRequest({ headers: { host }, connection: { remoteAddress } }));
  const text = (reply: Reply | null): string => new TextDecoder().decode(reply?.body as Uint8Array);

  const stranger = refusal("8.8.8.8", "box");
  assertEquals(stranger?.status, 403);
  assertStringIncludes(text(stranger), "--allow-network");
  const misnamed = refusal("10.0.0.1", "evil.example");
  assertEquals(misnamed?.status, 403);
  assertStringIncludes(text(misnamed), "--server-name");
  assertEquals(refusal("10.0.0.1", "box"), null);
});

Deno.test("ownNames: has the host's name in private domains and search domains, and in no other", () => {
  const names = ownNames("Box.corp.example", ["fritz.box", "example.org."]);
  const checks = new Admission({ allowedNetworks: [], serverNames: [] }, {
    names,
    network: { networks: () => [] },
  });
  const good = ["box", "box.corp.example", "box.local", "box.lan", "box.home", "box.internal"]
    .concat(["box.localdomain", "box.home.arpa", "box.fritz.box", "box.example.org"])
    // Its names in multicast DNS.
    .concat(["box-pacserve.local:15678", "box-pacserve-2.local"]);
  for (const host of good) assertEquals(checks.allowsHost(host), true, host);
  // An attacker could register such a name and let it point to this host.
  const bad = [
    "other.lan",
    "box.com",
    "box.lan.evil.example",
    "evil.box.lan",
    "box.arpa",
    "xbox.lan",
  ]
    .concat(["box.evil.box", "box-pacserve.example.org", "box-pacserve-x.local", "pacserve.local"]);
  for (const host of bad) assertEquals(checks.allowsHost(host), false, host);
  const other = new Admission({ allowedNetworks: [], serverNames: [] }, {
    names: ownNames("box", []),
    network: { networks: () => [] },
  });
  assertEquals(other.allowsHost("box.fritz.box"), false);
});

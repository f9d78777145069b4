import fc from "fast-check";
import { Failure } from "../../../src/failure.ts";
import { parseEnvironmentFile } from "../../../src/firewall/environment_file.ts";
import { openingsOf, openingText } from "../../../src/firewall/openings.ts";
import { firewallOf } from "../../../src/firewall/firewalls.ts";
import { nftables } from "../../../src/firewall/nftables.ts";
import { checkNames, type Rule, rulesOf } from "../../../src/firewall/rules.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../assert.ts";

/** The rule that a configuration file with this value has. */
function ruleOf(value: string): Rule | undefined {
  return rulesOf(new Map([["PACSERVE_RULE_7", value]]))[0];
}

function openings(rule: string): string[] {
  return openingsOf(ruleOf(rule)!).map(openingText);
}

Deno.test("rulesOf: parses protocol, port or range, and sources", () => {
  assertEquals(openings("tcp 15678 from 10.0.0.0/8 fe80::/10"), [
    "tcp 15678 from 10.0.0.0/8",
    "tcp 15678 from fe80::/10",
  ]);
  assertEquals(openings("  udp\t1-65535  "), [
    "udp 1-65535 from any IPv4",
    "udp 1-65535 from any IPv6",
  ]);
  assertEquals(openings("igmp"), ["igmp from any IPv4"]);
  assertEquals(openings("igmp from 10.0.0.0/8"), ["igmp from 10.0.0.0/8"]);
});

Deno.test("openingsOf: host bits of networks are cleared, and duplicates are dropped", () => {
  assertEquals(openings("tcp 80-80 from 10.1.2.3/8 10.0.0.0/8 FE80:0::1/64 192.0.2.1 ::1"), [
    "tcp 80 from 10.0.0.0/8",
    "tcp 80 from fe80::/64",
    "tcp 80 from 192.0.2.1/32",
    "tcp 80 from ::1/128",
  ]);
  assertEquals(openings("tcp 80 from 0.0.0.0/0"), ["tcp 80 from any IPv4"]);
});

Deno.test("rulesOf: the error of a malformed rule names the variable and the fault", () => {
  for (
    const [rule, wrong] of [
      ["sctp 1", "sctp"],
      ["TCP 1", "TCP"],
      ["tcp", "port"],
      ["tcp 0", '"0"'],
      ["tcp 65536", "65536"],
      ["tcp 5-4", "5-4"],
      ["tcp 1:2", "1:2"],
      ["tcp 1 10.0.0.0/8", '"from"'],
      ["tcp 1 from", "from"],
      ["tcp 1 from 10.0.0.0/33", "10.0.0.0/33"],
      ["tcp 1 from 10.0.0.0/", "10.0.0.0/"],
      ["tcp 1 from 10.0.0/8", "10.0.0/8"],
      ["tcp 1 from 010.0.0.0/8", "010"],
      ["tcp 1 from fe80::1%eth0", "eth0"],
      ["tcp 1 from fe80::/129", "129"],
      ["tcp 1 from example.org", "example.org"],
      ["tcp 1 from 10.0.0.0/8; reboot", "10.0.0.0/8;"],
      ["tcp 1 from -j", "-j"],
      ["igmp 5", '"5"'],
      ["igmp from fe80::/10", "fe80::/10"],
    ] as const
  ) {
    const { message } = assertThrows(() => ruleOf(rule), Failure);
    assertStringIncludes(message, "PACSERVE_RULE_7: ");
    assertStringIncludes(message, wrong);
  }
});

Deno.test("rulesOf: returns rules in the order of their numbers, without empty ones", () => {
  const values = new Map([
    ["PACSERVE_RULE_10", "igmp"],
    ["OTHER", "x"],
    ["PACSERVE_RULE_9", "tcp 1"],
    ["PACSERVE_RULE_3", "  "],
  ]);
  assertEquals(rulesOf(values).map(({ variable }) => variable), [
    "PACSERVE_RULE_9",
    "PACSERVE_RULE_10",
  ]);
});

Deno.test("checkNames: a misspelt name is refused, because its value would be ignored", () => {
  const known = ["PACSERVE_ARGS", "PACSERVE_FIREWALL", "PACSERVE_RULE_1", "PACSERVE_RULE_999"];
  checkNames(new Map(["LANG", "MY_PACSERVE_X", ...known].map((name) => [name, "igmp"])));
  for (
    const name of [
      "PACSERVE_FIREWAL",
      "Pacserve_Firewall",
      "PACSERVE_ARG",
      "PACSERVE_RULE",
      "PACSERVE_RULES_1",
      "PACSERVE_RULE1",
      "PACSERVERULE_1",
      "PACSERVE_RULE_A",
    ]
  ) {
    assertThrows(
      () => checkNames(new Map([[name, "none"]])),
      Failure,
      `${name} is unknown; the names are `,
    );
  }
});

Deno.test("firewallOf: accepts a comment after the name, which systemd makes a part of the value", () => {
  const values = parseEnvironmentFile(
    'PACSERVE_FIREWALL="nftables"     # iptables, nftables\nPACSERVE_RULE_1="igmp" # x',
  );
  assertEquals(firewallOf(values), nftables);
  assertEquals(rulesOf(values).length, 1);
  assertEquals(firewallOf(new Map()), "auto");
  assertThrows(() => firewallOf(new Map([["PACSERVE_FIREWALL", "pf"]])), Failure, '"pf"');
});

Deno.test("conf.d/pacserve: the shipped file has valid names and the documented defaults", async () => {
  const shipped = new URL("../../../conf.d/pacserve", import.meta.url);
  const values = parseEnvironmentFile(await Deno.readTextFile(shipped));
  checkNames(values);
  assertEquals(values.get("PACSERVE_ARGS"), "--multicast --mdns --ipv6");
  assertEquals(firewallOf(values), "auto");
  assertEquals(
    rulesOf(values).map(({ protocol, ports, sources }) => [
      protocol,
      ports?.first,
      sources?.length,
    ]),
    [
      ["tcp", 15678, 6],
      ["udp", 15679, 6],
      ["igmp", undefined, undefined],
      ["udp", 5353, 6],
    ],
  );
});

Deno.test("rulesOf: any text is a rule, nothing, or a failure that names its variable", () => {
  const word = fc.oneof(
    fc.constantFrom("tcp", "udp", "igmp", "from", "1", "1-2", "10.0.0.0/8", "fe80::/10", "#", "/"),
    fc.ipV4Extended(),
    fc.ipV6(),
    fc.string(),
  );
  fc.assert(fc.property(fc.array(word), (words) => {
    try {
      const rule = ruleOf(words.join(" "));
      if (rule !== undefined) assert(openingsOf(rule).length > 0);
    } catch (error) {
      assert(error instanceof Failure);
      assertStringIncludes(error.message, "PACSERVE_RULE_7: ");
    }
  }));
});

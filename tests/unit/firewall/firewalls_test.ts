import { richRule, zoneNames } from "../../../src/firewall/firewalld.ts";
import { iptablesWords, rulesTurnAway } from "../../../src/firewall/iptables.ts";
import { chainTurnsAway } from "../../../src/firewall/nftables.ts";
import { openingsOf } from "../../../src/firewall/openings.ts";
import { parseRule } from "../../../src/firewall/rules.ts";
import { assertEquals } from "../../assert.ts";

function opening(rule: string): ReturnType<typeof openingsOf>[number] {
  const [first] = openingsOf(parseRule("R", rule));
  if (first === undefined) throw new Error("the rule opens nothing");
  return first;
}

Deno.test("iptablesWords, richRule: an opening in the words of each firewall", () => {
  const range = opening("udp 1-3 from 10.0.0.0/8");
  assertEquals(
    iptablesWords(range).join(" "),
    "-s 10.0.0.0/8 -p udp --dport 1:3 -m comment --comment " +
      "pacserve-ports udp 1-3 from 10.0.0.0/8 -j ACCEPT",
  );
  assertEquals(
    richRule(range),
    'rule family="ipv4" source address="10.0.0.0/8" port port="1-3" protocol="udp" accept',
  );
  assertEquals(richRule(opening("igmp")), 'rule family="ipv4" protocol value="igmp" accept');
});

Deno.test("rulesTurnAway: iptables: a policy, a reject and a chain of the user's turn away; accepting does not", () => {
  const open = "-P INPUT ACCEPT\n-A INPUT -i lo -j ACCEPT\n-A INPUT -j LOG\n-A INPUT -p tcp\n";
  assertEquals(rulesTurnAway(open), false);
  assertEquals(rulesTurnAway("-P INPUT DROP\n"), true);
  assertEquals(
    rulesTurnAway(open + "-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n"),
    true,
  );
  assertEquals(rulesTurnAway(open + "-A INPUT -j ufw-before-input\n"), true);
  assertEquals(rulesTurnAway(open + "-A INPUT -g LOGGING\n"), true);
  assertEquals(rulesTurnAway(open + "-A FORWARD -j DROP\n"), false);
});

/** A table with a chain `in` that has these expressions, and one `other`. */
function table(expressions: unknown[], other: unknown[] = [], policy: string = "accept"): string {
  return JSON.stringify({
    nftables: [
      { chain: { name: "in", hook: "input", policy } },
      { chain: { name: "other" } },
      { rule: { chain: "in", expr: expressions } },
      { rule: { chain: "other", expr: other } },
      { map: { name: "m", elem: [[22, { drop: null }]] } },
    ],
  });
}

Deno.test("chainTurnsAway: nftables: what a chain leads to counts, through jumps and verdict maps", () => {
  assertEquals(chainTurnsAway(table([{ accept: null }], [{ drop: null }]), "in"), false);
  assertEquals(chainTurnsAway(table([{ drop: null }]), "in"), true);
  assertEquals(chainTurnsAway(table([], [], "drop"), "in"), true);
  assertEquals(
    chainTurnsAway(table([{ jump: { target: "other" } }], [{ reject: null }]), "in"),
    true,
  );
  assertEquals(chainTurnsAway(table([{ vmap: { key: {}, data: "@m" } }]), "in"), true);
  assertEquals(
    chainTurnsAway(table([{ vmap: { data: { set: [[1, { drop: null }]] } } }]), "in"),
    true,
  );
  const circle = [{ goto: { target: "in" } }];
  assertEquals(chainTurnsAway(table([{ goto: { target: "other" } }], circle), "in"), false);
});

Deno.test("zoneNames: firewalld: the zones in what firewall-cmd prints", () => {
  assertEquals(zoneNames("public\n"), ["public"]);
  assertEquals(zoneNames("home (default)\n  interfaces: eth0\nwork\n  sources: 10.0.0.0/8\n"), [
    "home",
    "work",
  ]);
});

import { chainTurnsAway, rulesTurnAway } from "../../../src/firewall/printed_rules.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("rulesTurnAway: true for a policy, a reject and a jump to a user's chain, false for accepting rules", () => {
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

/** A table with a chain `in` that has `expressions`, and a chain `other` that has `other`. */
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

Deno.test("chainTurnsAway: chains reached by jumps and verdict maps count too", () => {
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

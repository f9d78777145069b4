/** Firewall rules: they survive formatting and parsing, and no text is injected into commands. */

import fc from "fast-check";
import { Failure } from "../../src/failure.ts";
import { parseEnvironmentFile } from "../../src/firewall/environment_file.ts";
import { networkText, openingsOf, openingText, portsText } from "../../src/firewall/openings.ts";
import { firewallOf } from "../../src/firewall/firewalls.ts";
import { type Rule, rulesOf } from "../../src/firewall/rules.ts";
import { assert, assertEquals, assertMatch } from "../../tests/assert.ts";
import { wordText } from "../bytes.ts";
import { target } from "../target.ts";

const value = fc.oneof(
  wordText(["tcp", "udp", "igmp", " ", "from", "10.0.0.0/8", "fe80::/10", "15678", "-", "#", ";"]),
  fc.tuple(
    fc.constantFrom("tcp", "udp"),
    fc.nat(70_000),
    fc.nat(70_000),
    fc.array(
      fc.oneof(
        fc.tuple(fc.ipV4(), fc.nat(33)).map(([ip, bits]) => `${ip}/${bits}`),
        fc.tuple(fc.ipV6(), fc.nat(129)).map(([ip, bits]) => `${ip}/${bits}`),
        fc.ipV4Extended(),
        fc.ipV6(),
      ),
      { maxLength: 3 },
    ),
  ).map(([protocol, first, last, from]) =>
    `${protocol} ${first}-${last}${from.length > 0 ? " from " : ""}${from.join(" ")}`
  ),
);

/** A valid rule stays the same when it is formatted and parsed again. */
export const firewallRules = target("firewall-rules", value, (value) => {
  const [rule] = understood(() => parsed(value)) ?? [];
  if (rule === undefined) return;
  assertEquals(parsed(ruleText(rule)), [rule]);
  if (rule.ports !== null) {
    assert(rule.ports.first >= 1 && rule.ports.first <= rule.ports.last);
    assert(rule.ports.last <= 65535);
  }
  for (const opening of openingsOf(rule)) {
    assertMatch(openingText(opening), /^[a-zA-Z0-9 .:/-]+$/);
  }
});

function parsed(value: string): Rule[] {
  return rulesOf(new Map([["PACSERVE_RULE_1", value]]));
}

function ruleText({ protocol, ports, sources }: Rule): string {
  const words: string[] = [protocol];
  if (ports !== null) words.push(portsText(ports, "-"));
  if (sources !== null) words.push("from", ...sources.map(networkText));
  return words.join(" ");
}

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
const assigned = fc.uniqueArray(
  fc.tuple(
    name,
    fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replaceAll("\r\n", "\n")),
  ),
  { selector: ([name]) => name, maxLength: 6 },
);

/** Quoted values are parsed unchanged, and any other text gives a map or an error. */
export const firewallFile = target(
  "firewall-file",
  fc.record({
    assigned,
    text: wordText([
      "PACSERVE_RULE_",
      "1",
      "=",
      '"',
      "'",
      "\\",
      "\n",
      "#",
      ";",
      "tcp 1",
      "PACSERVE_FIREWALL=",
      "none",
    ]),
  }),
  ({ assigned, text }) => {
    const file = assigned.map(([name, value]) => `${name}="${value.replace(/["\\`$]/g, "\\$&")}"`);
    assertEquals([...parseEnvironmentFile(file.join("\n"))], assigned);
    const values = parseEnvironmentFile(text);
    for (const name of values.keys()) assertMatch(name, /^[A-Za-z_][A-Za-z0-9_]*$/);
    understood(() => rulesOf(values));
    understood(() => firewallOf(values));
  },
);

/** The result of a parser; null when it throws a `Failure`. Other errors are passed on. */
function understood<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    assert(error instanceof Failure, String(error));
    assertMatch(error.message, /^PACSERVE_/);
    return null;
  }
}

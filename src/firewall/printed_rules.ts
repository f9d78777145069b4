/** Reads the rules that firewalls print, and tells whether they can drop or reject packets. */

import { field, isObject, itemsOf } from "../json.ts";

/** Any value of JSON (libnftables-json(5)). */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * True when the rules that `iptables -S INPUT` prints may drop or reject a packet: the policy is not
 * ACCEPT, or a rule has another target than ACCEPT or LOG. A jump to a chain of the user counts, because
 * that chain may drop packets.
 */
export function rulesTurnAway(rules: string): boolean {
  return rules.split("\n").some((line) =>
    /^-P INPUT (?!ACCEPT)/.test(line) ||
    (line.startsWith("-A INPUT ") && / -[jg] (?!(ACCEPT|LOG)\b)/.test(line))
  );
}

/**
 * True when a chain, or a chain that it jumps or goes to, can drop or reject packets.
 *
 * @param table as `nft -j list table` prints it.
 */
export function chainTurnsAway(table: string, chain: string): boolean {
  const policy = objectsOf(table, "chain").find(({ name }) => name === chain)?.["policy"];
  if (policy === "drop") return true;
  const rules = objectsOf(table, "rule");
  const maps = objectsOf(table, "map");
  const seen = new Set<string>();
  const waiting: Json[] = [{ goto: { target: chain } }];
  for (let json = waiting.pop(); json !== undefined; json = waiting.pop()) {
    if (typeof json === "string" && json.startsWith("@") && !seen.has(json)) {
      seen.add(json);
      waiting.push(...maps.filter(({ name }) => `@${name}` === json));
    }
    if (json === null || typeof json !== "object") continue;
    if (isArray(json)) {
      waiting.push(...json);
      continue;
    }
    if ("drop" in json || "reject" in json) return true;
    const target = targetOf(json["jump"]) ?? targetOf(json["goto"]);
    if (target !== null && !seen.has(target)) {
      seen.add(target);
      waiting.push(
        ...rules.filter((rule) => rule["chain"] === target).map(({ expr = null }) => expr),
      );
    }
    waiting.push(...Object.values(json));
  }
  return false;
}

/** The objects of a kind (`chain`, `rule`, `map`) in the output of `nft -j list`. */
export function objectsOf(output: string, kind: string): JsonObject[] {
  return itemsOf(field(JSON.parse(output), "nftables")).map((item) => field(item, kind))
    .filter((object) => isObject(object)) as JsonObject[];
}

function targetOf(verdict: Json | undefined): string | null {
  const target = field(verdict, "target");
  return typeof target === "string" ? target : null;
}

function isArray(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

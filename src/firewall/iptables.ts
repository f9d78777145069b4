/** iptables and ip6tables, both in their legacy and in their nftables form: the chain INPUT. */

import { Failure } from "../failure.ts";
import { networkText, type Opening, openingMark, portsText } from "./openings.ts";
import type { Place } from "./chain.ts";
import { complaint, findProgram, type ProgramName, runProgram, sawRules } from "./programs.ts";

/** The programs of a family: the two forms, and the one of them that the system has chosen. */
const VARIANTS = {
  4: { nftables: "iptables-nft", legacy: "iptables-legacy", chosen: "iptables" },
  6: { nftables: "ip6tables-nft", legacy: "ip6tables-legacy", chosen: "ip6tables" },
} as const satisfies Record<4 | 6, Record<string, ProgramName>>;

/** Seconds to wait for others who are changing the tables. */
const WAIT = ["-w", "10"];

/** What was found of a family. */
export interface IptablesSurvey {
  /** Programs whose chain INPUT turns packets away. */
  readonly filtering: readonly ProgramName[];
  /** The nftables table `filter` of this family is iptables' own: leave it to iptables. */
  readonly ownsNftablesTable: boolean;
}

/** The chain INPUT as one program sees it. */
export function iptablesPlace(program: ProgramName): Place {
  const family = program.startsWith("ip6") ? 6 : 4;
  return {
    name: { firewall: "iptables", program },
    marked: true,
    concerns: (opening) => opening.family === family,
    present: async (openings) => {
      if (openings.length === 0 || findProgram(program) === null) return [];
      const listed = await runProgram(program, [...WAIT, "-S", "INPUT"]);
      if (!listed.success) throw new Failure(`${program} shows no rules: ${complaint(listed)}`);
      return openings.filter((opening) => listed.output.includes(`"${openingMark(opening)}"`));
    },
    add: async (openings) => {
      // In front of everything, so that no rule before it (ufw's, for one) turns the packet away.
      for (const opening of openings) await change(program, ["-I", "INPUT", "1"], opening);
    },
    remove: async (openings) => {
      for (const opening of openings) await change(program, ["-D", "INPUT"], opening);
    },
  };
}

/** The programs that the system itself uses, for who asks for iptables whatever the rules are. */
export function chosenIptables(): ProgramName[] {
  return [VARIANTS[4].chosen, VARIANTS[6].chosen].filter((name) => findProgram(name) !== null);
}

/**
 * Finds out which forms of iptables turn packets of a family away.
 *
 * @throws {Failure} when there may be rules that cannot be seen.
 */
export async function surveyIptables(family: 4 | 6): Promise<IptablesSurvey> {
  const { nftables, legacy, chosen } = VARIANTS[family];
  const first = findProgram(nftables) === null ? chosen : nftables;
  if (findProgram(first) === null) return { filtering: [], ownsNftablesTable: false };
  const outcome = await runProgram(first, [...WAIT, "-S", "INPUT"]);
  // A chain that nft made, with what iptables has not: nft is asked about it.
  const foreign = outcome.errors.includes("use 'nft' tool");
  const seen = !foreign && sawRules(first, outcome);
  const filtering: ProgramName[] = seen && turnsAway(outcome.output) ? [first] : [];
  // Asking the legacy program would make the kernel load its tables, so only where they are in use,
  // which the other one says, or where there are no others.
  const legacyUsed = outcome.errors.includes("legacy tables present") || (!seen && !foreign);
  if (legacyUsed && first === nftables && findProgram(legacy) !== null) {
    const listed = await runProgram(legacy, [...WAIT, "-S", "INPUT"]);
    if (sawRules(legacy, listed) && turnsAway(listed.output)) filtering.push(legacy);
  }
  return { filtering, ownsNftablesTable: seen && first === nftables };
}

/**
 * True when rules, as `iptables -S INPUT` prints them, may turn a packet away: by the policy, or by a
 * rule with any target but these two. A chain of the user's may drop, so it counts.
 */
export function turnsAway(rules: string): boolean {
  return rules.split("\n").some((line) =>
    /^-P INPUT (?!ACCEPT)/.test(line) ||
    (line.startsWith("-A INPUT ") && / -[jg] (?!(ACCEPT|LOG)\b)/.test(line))
  );
}

/** The words that describe an opening to iptables. */
export function iptablesWords(opening: Opening): string[] {
  const { protocol, ports, source } = opening;
  return [
    ...(source === null ? [] : ["-s", networkText(source)]),
    "-p",
    protocol,
    ...(ports === null ? [] : ["--dport", portsText(ports, ":")]),
    "-m",
    "comment",
    "--comment",
    openingMark(opening),
    "-j",
    "ACCEPT",
  ];
}

async function change(
  program: ProgramName,
  action: readonly string[],
  opening: Opening,
): Promise<void> {
  const outcome = await runProgram(program, [...WAIT, ...action, ...iptablesWords(opening)]);
  if (!outcome.success) throw new Failure(complaint(outcome));
}

/** iptables and ip6tables, both in their legacy and in their nftables form: the chain INPUT. */

import { Failure } from "../failure.ts";
import { networkText, type Opening, openingMark, portsText } from "./openings.ts";
import type { Chain, ChainName, Firewall, Survey } from "./chain.ts";
import { complaint, findProgram, runProgram, sawRules } from "./programs.ts";

const PROGRAMS = [
  "ip6tables",
  "ip6tables-legacy",
  "ip6tables-nft",
  "iptables",
  "iptables-legacy",
  "iptables-nft",
] as const;

type ProgramName = typeof PROGRAMS[number];

/** The programs of a family: the two forms, and the one of them that the system has chosen. */
const VARIANTS = {
  4: { nftables: "iptables-nft", legacy: "iptables-legacy", chosen: "iptables" },
  6: { nftables: "ip6tables-nft", legacy: "ip6tables-legacy", chosen: "ip6tables" },
} as const satisfies Record<4 | 6, Record<string, ProgramName>>;

/** Seconds to wait for other programs that are changing the tables. */
const WAIT = ["-w", "10"];

/** iptables and ip6tables: the chain INPUT of each form. */
export const iptables: Firewall = {
  name: "iptables",
  chosen: async () => {
    const chosen = chosenPrograms();
    if (chosen.length === 0) {
      throw new Failure("PACSERVE_FIREWALL names iptables, which is not installed");
    }
    const { filtering } = await survey();
    return filtering.length > 0 ? filtering : chosen.map((program) => new InputChain(program));
  },
  survey,
  chain: ({ program }) => {
    const known = PROGRAMS.find((name) => name === program);
    return known === undefined ? null : new InputChain(known);
  },
};

/** The chain INPUT as one program sees it. */
class InputChain implements Chain {
  readonly name: ChainName;
  readonly text: string;
  readonly marked = true;
  readonly #program: ProgramName;
  readonly #family: 4 | 6;

  constructor(program: ProgramName) {
    this.name = { firewall: "iptables", program };
    this.text = program;
    this.#program = program;
    this.#family = program.startsWith("ip6") ? 6 : 4;
  }

  concerns({ family }: Opening): boolean {
    return family === this.#family;
  }

  async present(openings: readonly Opening[]): Promise<readonly Opening[]> {
    const program = this.#program;
    if (openings.length === 0 || findProgram(program) === null) return [];
    const listed = await runProgram(program, [...WAIT, "-S", "INPUT"]);
    if (!listed.success) throw new Failure(`${program} shows no rules: ${complaint(listed)}`);
    return openings.filter((opening) => listed.output.includes(`"${openingMark(opening)}"`));
  }

  async add(openings: readonly Opening[]): Promise<void> {
    // In front of everything: otherwise a rule before it (of ufw, for example) drops the packet.
    for (const opening of openings) await change(this.#program, ["-I", "INPUT", "1"], opening);
  }

  async remove(openings: readonly Opening[]): Promise<void> {
    for (const opening of openings) await change(this.#program, ["-D", "INPUT"], opening);
  }
}

/** The programs that the system itself uses, for users who choose iptables whatever the rules are. */
function chosenPrograms(): ProgramName[] {
  return [VARIANTS[4].chosen, VARIANTS[6].chosen].filter((name) => findProgram(name) !== null);
}

async function survey(): Promise<Survey> {
  const families = await Promise.all([surveyFamily(4), surveyFamily(6)]);
  return {
    filtering: families.flatMap(({ filtering }) => filtering.map((name) => new InputChain(name))),
    keeps: families.flatMap(({ ownsNftablesTable }, index) =>
      ownsNftablesTable ? [`nftables chain ${index === 0 ? "ip" : "ip6"} filter INPUT`] : []
    ),
  };
}

/**
 * Finds out which forms of iptables turn packets of a family away.
 *
 * @throws {Failure} when there may be rules that cannot be seen.
 */
async function surveyFamily(family: 4 | 6): Promise<{
  /** Programs whose chain INPUT turns packets away. */
  readonly filtering: readonly ProgramName[];
  /** The nftables table `filter` of this family is kept by iptables. */
  readonly ownsNftablesTable: boolean;
}> {
  const { nftables, legacy, chosen } = VARIANTS[family];
  const first = findProgram(nftables) === null ? chosen : nftables;
  if (findProgram(first) === null) return { filtering: [], ownsNftablesTable: false };
  const outcome = await runProgram(first, [...WAIT, "-S", "INPUT"]);
  // The chain has rules of nft that iptables cannot print: it is left to nftables.
  const foreign = outcome.errors.includes("use 'nft' tool");
  const seen = !foreign && sawRules(first, outcome);
  const filtering: ProgramName[] = seen && rulesTurnAway(outcome.output) ? [first] : [];
  // The legacy program makes the kernel load its tables. Ask it only where they are in use, which the
  // other program says, or where that one sees no tables.
  const legacyUsed = outcome.errors.includes("legacy tables present") || (!seen && !foreign);
  if (legacyUsed && first === nftables && findProgram(legacy) !== null) {
    const listed = await runProgram(legacy, [...WAIT, "-S", "INPUT"]);
    if (sawRules(legacy, listed) && rulesTurnAway(listed.output)) filtering.push(legacy);
  }
  return { filtering, ownsNftablesTable: seen && first === nftables };
}

/**
 * True when rules, as `iptables -S INPUT` prints them, may turn a packet away: by the policy, or by a
 * rule with any target but these two. A chain of the user's may drop, so it counts.
 */
export function rulesTurnAway(rules: string): boolean {
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

/** The chain INPUT of iptables and ip6tables, in their legacy and in their nftables variant. */

import { Failure } from "../failure.ts";
import { networkText, type Opening, openingMark, portsText } from "./openings.ts";
import type { Chain, ChainName, Firewall, Survey } from "./chain.ts";
import { rulesTurnAway } from "./printed_rules.ts";
import { cannotList, findProgram, mustRun, runProgram, sawRules } from "./programs.ts";

const PROGRAMS = [
  "ip6tables",
  "ip6tables-legacy",
  "ip6tables-nft",
  "iptables",
  "iptables-legacy",
  "iptables-nft",
] as const;

type ProgramName = typeof PROGRAMS[number];

/** The programs of a family: both variants, and the name by which the system calls one of them. */
const VARIANTS = {
  4: { nftables: "iptables-nft", legacy: "iptables-legacy", chosen: "iptables" },
  6: { nftables: "ip6tables-nft", legacy: "ip6tables-legacy", chosen: "ip6tables" },
} as const satisfies Record<4 | 6, Record<string, ProgramName>>;

/** Options to wait up to 10 seconds for other programs that are changing the tables. */
const WAIT = ["-w", "10"];

/** The firewall iptables: the chain INPUT of each variant. */
export const iptables: Firewall = {
  name: "iptables",
  chosen: async () => {
    const chosen = chosenPrograms();
    if (chosen.length === 0) {
      throw new Failure("PACSERVE_FIREWALL is iptables, but iptables is not installed");
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

/** The chain INPUT of one of the programs. */
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
    if (!listed.success) throw cannotList(program, listed);
    return openings.filter((opening) => listed.output.includes(`"${openingMark(opening)}"`));
  }

  async add(openings: readonly Opening[]): Promise<void> {
    // Insert at the front: otherwise an earlier rule (of ufw, for example) could drop the packet.
    await this.#change(["-I", "INPUT", "1"], openings);
  }

  async remove(openings: readonly Opening[]): Promise<void> {
    await this.#change(["-D", "INPUT"], openings);
  }

  async #change(action: readonly string[], openings: readonly Opening[]): Promise<void> {
    for (const opening of openings) {
      await mustRun(this.#program, [...WAIT, ...action, ...iptablesWords(opening)]);
    }
  }
}

/** The programs that the system uses, for users who choose iptables while it has no rules yet. */
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
 * Finds the variants of iptables that can drop or reject packets of a family.
 *
 * @throws {Failure} when there may be rules but they cannot be listed.
 */
async function surveyFamily(family: 4 | 6): Promise<{
  /** The programs whose chain INPUT can drop or reject packets. */
  readonly filtering: readonly ProgramName[];
  /** True when iptables manages the nftables table `filter` of this family. */
  readonly ownsNftablesTable: boolean;
}> {
  const { nftables, legacy, chosen } = VARIANTS[family];
  const first = findProgram(nftables) === null ? chosen : nftables;
  if (findProgram(first) === null) return { filtering: [], ownsNftablesTable: false };
  const outcome = await runProgram(first, [...WAIT, "-S", "INPUT"]);
  // The chain has rules of nft that iptables cannot print: let `nftables.ts` handle it.
  const foreign = outcome.errors.includes("use 'nft' tool");
  const seen = !foreign && sawRules(first, outcome);
  const filtering: ProgramName[] = seen && rulesTurnAway(outcome.output) ? [first] : [];
  // Running the legacy program makes the kernel load its tables. Run it only if the nftables variant
  // says that legacy tables are in use, or has no tables itself.
  const legacyUsed = outcome.errors.includes("legacy tables present") || (!seen && !foreign);
  if (legacyUsed && first === nftables && findProgram(legacy) !== null) {
    const listed = await runProgram(legacy, [...WAIT, "-S", "INPUT"]);
    if (sawRules(legacy, listed) && rulesTurnAway(listed.output)) filtering.push(legacy);
  }
  return { filtering, ownsNftablesTable: seen && first === nftables };
}

/** The arguments of iptables that describe an opening. */
function iptablesWords(opening: Opening): string[] {
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

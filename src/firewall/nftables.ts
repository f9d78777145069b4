/**
 * nftables: inserts rules into the input chains that can drop or reject packets.
 *
 * An `accept` is final only for the chain that it is in: every chain on its way must accept a packet.
 * Rules in a table of our own would therefore not open a port (nft(8), "Chains").
 */

import { Failure } from "../failure.ts";
import { type Opening, openingMark } from "./openings.ts";
import type { Chain, ChainName, Firewall } from "./chain.ts";
import { chainTurnsAway, type Json, objectsOf } from "./printed_rules.ts";
import { cannotList, findProgram, mustRun, runProgram, sawRules } from "./programs.ts";

/** The firewall nftables: all input chains that can drop or reject packets. */
export const nftables: Firewall = {
  name: "nftables",
  chosen: async () => {
    if (findProgram("nft") === null) {
      throw new Failure("PACSERVE_FIREWALL is nftables, but nft is not installed");
    }
    return await filteringChains();
  },
  survey: async () => ({ filtering: await filteringChains(), keeps: [] }),
  chain: ({ family, table, chain }) =>
    isFamily(family) && table !== undefined && chain !== undefined
      ? new BaseChain({ family, table, chain })
      : null,
};

/** The families whose input chains see IP packets. */
type Family = "ip" | "ip6" | "inet";

/** The names by which nft identifies a chain. */
interface Position {
  readonly family: Family;
  readonly table: string;
  readonly chain: string;
}

/** A base chain: one that is attached to a hook of the kernel. */
class BaseChain implements Chain {
  readonly name: ChainName;
  readonly text: string;
  readonly marked = true;
  readonly #position: Position;

  constructor(position: Position) {
    const { family, table, chain } = position;
    this.name = { firewall: "nftables", family, table, chain };
    this.text = `nftables chain ${family} ${table} ${chain}`;
    this.#position = position;
  }

  concerns(opening: Opening): boolean {
    const { family } = this.#position;
    return family === "inet" || family === (opening.family === 4 ? "ip" : "ip6");
  }

  async present(openings: readonly Opening[]): Promise<readonly Opening[]> {
    if (openings.length === 0) return [];
    const marks = new Set((await markedRules(this.#position)).map(({ mark }) => mark));
    return openings.filter((opening) => marks.has(openingMark(opening)));
  }

  async add(openings: readonly Opening[]): Promise<void> {
    const position = this.#position;
    await execute(openings.map((opening) => {
      const expr = nftablesExpressions(opening, position.family);
      return { insert: { rule: { ...position, comment: openingMark(opening), expr } } };
    }));
  }

  async remove(openings: readonly Opening[]): Promise<void> {
    const position = this.#position;
    const marks = new Set(openings.map(openingMark));
    const rules = (await markedRules(position)).filter(({ mark }) => marks.has(mark));
    await execute(rules.map(({ handle }) => ({ delete: { rule: { ...position, handle } } })));
  }
}

/**
 * The input chains that can drop or reject packets; none if nftables is not in use.
 *
 * @throws {Failure} when there may be such chains but they cannot be listed.
 */
async function filteringChains(): Promise<Chain[]> {
  if (findProgram("nft") === null) return [];
  const listed = await runProgram("nft", ["-j", "list", "chains"]);
  if (listed.errors.includes("JSON support not compiled-in")) {
    throw new Failure("this nft was built without JSON, which pacserve-ports needs");
  }
  if (!sawRules("nft", listed)) return [];
  const found: Chain[] = [];
  for (const chain of objectsOf(listed.output, "chain")) {
    const { family, table, name } = chain;
    if (chain["hook"] !== "input" || chain["type"] !== "filter") continue;
    if (typeof family !== "string" || !isFamily(family)) continue;
    if (typeof table !== "string" || typeof name !== "string") continue;
    const content = await runProgram("nft", ["-j", "list", "table", family, table]);
    if (content.success && chainTurnsAway(content.output, name)) {
      found.push(new BaseChain({ family, table, chain: name }));
    }
  }
  return found;
}

/** Returns the expressions of nftables for an opening, in a chain of that family. */
function nftablesExpressions(
  { family, protocol, ports, source }: Opening,
  chainFamily: Family,
): Json[] {
  const ip = family === 4 ? "ip" : "ip6";
  const expressions: Json[] = [];
  if (source !== null) {
    const prefix = { addr: source.address, len: source.prefix };
    expressions.push(match({ payload: { protocol: ip, field: "saddr" } }, { prefix }));
  } else if (chainFamily === "inet") {
    expressions.push(match({ meta: { key: "nfproto" } }, family === 4 ? "ipv4" : "ipv6"));
  }
  if (ports === null) {
    expressions.push(match({ payload: { protocol: "ip", field: "protocol" } }, protocol));
  } else {
    const { first, last } = ports;
    const right = first === last ? first : { range: [first, last] };
    expressions.push(match({ payload: { protocol, field: "dport" } }, right));
  }
  return [...expressions, { accept: null }];
}

function match(left: Json, right: Json): Json {
  return { match: { op: "==", left, right } };
}

/** The rules of a chain that have a comment; none if the chain no longer exists. */
async function markedRules(
  { family, table, chain }: Position,
): Promise<{ readonly mark: string; readonly handle: number }[]> {
  if (findProgram("nft") === null) return [];
  const listed = await runProgram("nft", ["-j", "list", "chain", family, table, chain]);
  if (!listed.success) {
    if (listed.errors.includes("No such file or directory")) return [];
    throw cannotList("nft", listed);
  }
  return objectsOf(listed.output, "rule").flatMap(({ comment, handle }) =>
    typeof comment === "string" && typeof handle === "number" ? [{ mark: comment, handle }] : []
  );
}

/** Executes commands in one transaction: all of them, or none. */
async function execute(commands: readonly Json[]): Promise<void> {
  if (commands.length === 0) return;
  await mustRun("nft", ["-j", "-f", "-"], JSON.stringify({ nftables: commands }));
}

function isFamily(text: string | undefined): text is Family {
  return text === "ip" || text === "ip6" || text === "inet";
}

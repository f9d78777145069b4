/** Opens and closes ports: adds the openings of rules to chains, and removes them again. */

import { Failure, messageOf } from "../failure.ts";
import type { Chain } from "./chain.ts";
import { chainOf } from "./firewalls.ts";
import { type Opening, openingsOf, openingText } from "./openings.ts";
import type { Rule } from "./rules.ts";
import { type Opened, readState, withLock, writeState } from "./state.ts";

/** Which openings of a rule are missing. */
interface RuleStatus {
  readonly rule: Rule;
  /** The missing openings with their chains, `tcp 15678 from 10.0.0.0/8 (iptables)`; empty when open. */
  readonly closed: readonly string[];
}

/**
 * Opens the ports of the rules in each chain, and closes ports that were opened before but are in no
 * rule any more.
 *
 * It does not change ports that are open already. When a chain refuses a rule, it closes everything
 * that this call has opened.
 *
 * @param directory of the state file.
 * @throws {Failure} that names the refused rule.
 */
export async function openPorts(
  rules: readonly Rule[],
  chains: readonly Chain[],
  directory: string,
): Promise<void> {
  await withLock(directory, async () => {
    const before = await readState(directory);
    const wanted = chains.flatMap((chain) => rules.flatMap((rule) => openedBy(rule, chain)));
    const keys = new Set(wanted.map(openedKey));
    const failures = await closeAll(before.filter((one) => !keys.has(openedKey(one))));
    if (failures.length > 0) throw new Failure(failures.join("; "));
    let ours = before.filter((one) => keys.has(openedKey(one)));
    const added: Opened[] = [];
    try {
      for (const rule of rules) {
        for (const chain of chains) {
          const missing = await missingOf(rule, chain, ours);
          added.push(...missing.add);
          ours = merge(ours, [...missing.remember, ...missing.add]);
          // Store the openings before adding them, so that they can be closed even after a crash.
          await writeState(directory, ours);
          await addTo(chain, rule, missing.add);
        }
      }
    } catch (error) {
      const undone = await closeAll(added);
      const left = new Set(added.map(openedKey));
      if (undone.length === 0) ours = ours.filter((one) => !left.has(openedKey(one)));
      await writeState(directory, ours);
      throw new Failure([messageOf(error), ...undone].join("; "));
    }
    await writeState(directory, ours);
  });
}

/**
 * Removes the openings that were added and are still there, and nothing else.
 *
 * @returns how many openings had been added.
 * @throws {Failure} for openings that could not be removed. They stay stored; the others are removed.
 */
export async function closePorts(directory: string): Promise<number> {
  return await withLock(directory, async () => {
    const opened = await readState(directory);
    const failed: Opened[] = [];
    const failures: string[] = [];
    for (const group of byChain(opened)) {
      const messages = await closeAll(group);
      failures.push(...messages);
      if (messages.length > 0) failed.push(...group);
    }
    await writeState(directory, failed);
    if (failures.length > 0) throw new Failure(failures.join("; "));
    return opened.length;
  });
}

/** Finds for each rule the openings that are missing in the chains. */
export async function portsStatus(
  rules: readonly Rule[],
  chains: readonly Chain[],
): Promise<RuleStatus[]> {
  const result: RuleStatus[] = [];
  for (const rule of rules) {
    const closed: string[] = [];
    for (const chain of chains) {
      const wanted = openingsOf(rule).filter((opening) => chain.concerns(opening));
      const present = new Set(await chain.present(wanted));
      closed.push(
        ...wanted.filter((opening) => !present.has(opening))
          .map((opening) => `${openingText(opening)} (${chain.text})`),
      );
    }
    result.push({ rule, closed });
  }
  return result;
}

/**
 * The openings of a rule that must be added to a chain (`add`), and those that are in the chain with
 * our mark but missing from the state (`remember`).
 */
async function missingOf(
  rule: Rule,
  chain: Chain,
  ours: readonly Opened[],
): Promise<{ readonly add: readonly Opened[]; readonly remember: readonly Opened[] }> {
  const wanted = openedBy(rule, chain);
  const present = new Set(await chain.present(wanted.map(({ opening }) => opening)));
  const known = new Set(ours.map(openedKey));
  const unknown = wanted.filter((one) => present.has(one.opening) && !known.has(openedKey(one)));
  return {
    add: wanted.filter((one) => !present.has(one.opening)),
    // Without marks the rule may be the user's own: do not remove it when ours are removed.
    remember: chain.marked ? unknown : [],
  };
}

async function addTo(chain: Chain, rule: Rule, missing: readonly Opened[]): Promise<void> {
  if (missing.length === 0) return;
  try {
    await chain.add(missing.map(({ opening }) => opening));
  } catch (error) {
    const reason = messageOf(error);
    throw new Failure(`${rule.variable} was refused by ${chain.text}: ${reason}`);
  }
}

/** Removes openings that are still there. Returns the failures, a sentence for each chain. */
async function closeAll(opened: readonly Opened[]): Promise<string[]> {
  const failures: string[] = [];
  for (const group of byChain(opened)) {
    const [first] = group;
    if (first === undefined) continue;
    let text = first.chain.firewall;
    try {
      const chain = chainOf(first.chain);
      text = chain.text;
      const present = await chain.present(group.map(({ opening }) => opening));
      if (present.length > 0) await chain.remove(present);
    } catch (error) {
      failures.push(`cannot close the ports in ${text}: ${messageOf(error)}`);
    }
  }
  return failures;
}

function byChain(opened: readonly Opened[]): Opened[][] {
  return [...Map.groupBy(opened, ({ chain }) => JSON.stringify(chain)).values()];
}

function openedBy(rule: Rule, chain: Chain): Opened[] {
  return openingsOf(rule).filter((opening) => chain.concerns(opening))
    .map((opening: Opening) => ({ variable: rule.variable, chain: chain.name, opening }));
}

function merge(some: readonly Opened[], more: readonly Opened[]): Opened[] {
  return [...new Map([...some, ...more].map((one) => [openedKey(one), one])).values()];
}

/** A key by which two rules with the same opening share it. */
function openedKey({ chain, opening }: Opened): string {
  return `${JSON.stringify(chain)}: ${openingText(opening)}`;
}

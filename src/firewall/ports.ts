/** Opening and closing: from rules and chains to what is there, and back. */

import { Failure, messageOf } from "../failure.ts";
import type { Chain } from "./chain.ts";
import { chainOf } from "./firewalls.ts";
import { type Opening, openingsOf, openingText } from "./openings.ts";
import type { Rule } from "./rules.ts";
import { type Opened, readState, withLock, writeState } from "./state.ts";

/** How far a rule is open. */
interface RuleStatus {
  readonly rule: Rule;
  /** What is not let in, and where: `tcp 15678 from 10.0.0.0/8 (iptables)`. Empty: it is open. */
  readonly closed: readonly string[];
}

/**
 * Opens the rules in each chain, and closes what was opened before and is no longer among them.
 *
 * What is open already is left alone. When a chain refuses a rule, all that this call opened is
 * closed again.
 *
 * @param directory for what is remembered.
 * @throws {Failure} that names the rule which was refused.
 */
export async function openPorts(
  rules: readonly Rule[],
  chains: readonly Chain[],
  directory: string,
): Promise<void> {
  await withLock(directory, async () => {
    const before = await readState(directory);
    const wanted = chains.flatMap((chain) => rules.flatMap((rule) => openedBy(rule, chain)));
    const keys = new Set(wanted.map(keyOf));
    const failures = await closeAll(before.filter((one) => !keys.has(keyOf(one))));
    if (failures.length > 0) throw new Failure(failures.join("; "));
    let ours = before.filter((one) => keys.has(keyOf(one)));
    const added: Opened[] = [];
    try {
      for (const rule of rules) {
        for (const chain of chains) {
          const missing = await missingOf(rule, chain, ours);
          added.push(...missing.add);
          ours = merge(ours, [...missing.remember, ...missing.add]);
          // Remembered first: whatever happens next, it can be closed.
          await writeState(directory, ours);
          await addTo(chain, rule, missing.add);
        }
      }
    } catch (error) {
      const undone = await closeAll(added);
      const left = new Set(added.map(keyOf));
      if (undone.length === 0) ours = ours.filter((one) => !left.has(keyOf(one)));
      await writeState(directory, ours);
      throw new Failure([messageOf(error), ...undone].join("; "));
    }
    await writeState(directory, ours);
  });
}

/**
 * Closes what was opened and is still there, and nothing else.
 *
 * @returns how many openings there were.
 * @throws {Failure} for what could not be closed; it stays remembered, the rest is closed.
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

/** Says for each rule whether it is open in every chain. */
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

/** What has to be added for a rule, and what is there already, is ours, and was not remembered. */
async function missingOf(
  rule: Rule,
  chain: Chain,
  ours: readonly Opened[],
): Promise<{ readonly add: readonly Opened[]; readonly remember: readonly Opened[] }> {
  const wanted = openedBy(rule, chain);
  const present = new Set(await chain.present(wanted.map(({ opening }) => opening)));
  const known = new Set(ours.map(keyOf));
  const unknown = wanted.filter((one) => present.has(one.opening) && !known.has(keyOf(one)));
  return {
    add: wanted.filter((one) => !present.has(one.opening)),
    // Without a mark it is the user's own rule, and stays when ours go.
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

/** Closes these, as far as they are there. Returns what went wrong, a sentence for each chain. */
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
  return [...new Map([...some, ...more].map((one) => [keyOf(one), one])).values()];
}

/** Two rules may open the same: it is opened once. */
function keyOf({ chain, opening }: Opened): string {
  return `${JSON.stringify(chain)}: ${openingText(opening)}`;
}

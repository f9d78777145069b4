/** The checks of the doctor (`pacserve-status --check`) and their results. */

import type { CheckedHost } from "./checked_host.ts";

/** The result of a check. Each text is a sentence without its full stop. */
export type Finding =
  /** No problem was found; the text describes the state. */
  | { readonly result: "well"; readonly text: string }
  /** The text describes a problem, and the cure says how to solve it. */
  | { readonly result: "wrong"; readonly text: string; readonly cure: string }
  /** The check has no result; the text says why. */
  | { readonly result: "unknown"; readonly text: string };

/** A check of the host or the service. */
export interface Check {
  /** One or two words. They never change, because scripts select checks by name. */
  readonly name: string;
  /** Runs the check. If it throws, the result is `unknown`. */
  readonly run: (host: CheckedHost) => Promise<Finding>;
}

/** Returns a result without a problem. */
export function well(text: string): Finding {
  return { result: "well", text };
}

/** Returns a problem and its cure. */
export function wrong(text: string, cure: string): Finding {
  return { result: "wrong", text, cure };
}

/** Returns the result of a check that could not be completed. */
export function unknown(text: string): Finding {
  return { result: "unknown", text };
}

/** The result of checks that need the service, when it does not run. */
export const NOT_RUNNING: Finding = unknown("pacserve does not run");

/** Joins names: `core, extra and multilib`. */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** Like {@link listed}, but a long list is cut after `most` names. */
export function shortList(names: readonly string[], most = 3): string {
  if (names.length <= most + 1) return listed(names);
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

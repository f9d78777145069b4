/** What a check of the doctor is (`pacserve-status --check`). */

import type { CheckedHost } from "./checked_host.ts";

/** What a check found. Each text is a sentence without its full stop. */
export type Finding =
  /** All is as it should be; the text says what was seen. */
  | { readonly result: "well"; readonly text: string }
  /** Something is wrong, and this cures it. */
  | { readonly result: "wrong"; readonly text: string; readonly cure: string }
  /** It could not be told; the text says why. */
  | { readonly result: "unknown"; readonly text: string };

/** A check. */
export interface Check {
  /** A word or two, the same in every version: scripts choose by it. */
  readonly name: string;
  /** Tries. What it throws becomes an unknown. */
  readonly run: (host: CheckedHost) => Promise<Finding>;
}

/** All is well. */
export function well(text: string): Finding {
  return { result: "well", text };
}

/** Something is wrong. */
export function wrong(text: string, cure: string): Finding {
  return { result: "wrong", text, cure };
}

/** It could not be told. */
export function unknown(text: string): Finding {
  return { result: "unknown", text };
}

/** What checks find that need a service which does not run. */
export const NOT_RUNNING: Finding = unknown("pacserve does not run");

/** `core, extra and multilib` */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** As {@link listed}, but of a long list only the first ones. */
export function shortList(names: readonly string[], most = 3): string {
  if (names.length <= most + 1) return listed(names);
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

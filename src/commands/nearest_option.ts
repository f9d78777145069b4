/** Which option a mistyped one was meant to be. */

import { levenshteinDistance } from "../std.ts";

/**
 * The name that a mistyped one is nearest to; null when none is near.
 *
 * A beginning of a name stands for it. Else the fewest edits count, and among equals the longest
 * common beginning, because people rarely get the first letter wrong: `prot` is `port`, not `root`.
 */
export function nearestOption(word: string, names: readonly string[]): string | null {
  const begun = names.find((name) => word.length > 1 && name.startsWith(word));
  if (begun !== undefined) return begun;
  // With two edits any short word is like some name: `foo` is not `root`.
  const most = Math.max(1, Math.floor(word.length / 3));
  let nearest: string | null = null;
  let least = { edits: Infinity, common: 0 };
  for (const name of names) {
    const edits = isSwapped(word, name) ? 1 : levenshteinDistance(word, name);
    const common = commonBeginning(word, name);
    if (edits > most || edits >= Math.max(word.length, name.length)) continue;
    if (edits < least.edits || (edits === least.edits && common > least.common)) {
      nearest = name;
      least = { edits, common };
    }
  }
  return nearest;
}

/** True when one word is the other with two neighbouring letters swapped. */
function isSwapped(one: string, other: string): boolean {
  const at = commonBeginning(one, other);
  return one.length === other.length && one[at] !== undefined &&
    one[at] === other[at + 1] && one[at + 1] === other[at] &&
    one.slice(at + 2) === other.slice(at + 2);
}

function commonBeginning(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}

/** Finds the option that a mistyped one was probably meant to be. */

import { levenshteinDistance } from "../std.ts";

/**
 * Returns the name that is most similar to a mistyped one; null when none is similar.
 *
 * If the word is the beginning of a name, that name is returned. Otherwise it is the name with the fewest
 * edits. If several have as few, it is the one with the longest common beginning, because people rarely
 * mistype the first letter: `prot` is `port`, not `root`.
 */
export function nearestOption(word: string, names: readonly string[]): string | null {
  const begun = names.find((name) => word.length > 1 && name.startsWith(word));
  if (begun !== undefined) return begun;
  // Allow two edits only for longer words: two edits turn almost any short word into a name (`foo` into
  // `root`).
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

/** True when the words differ only in two neighbouring letters that are swapped. */
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

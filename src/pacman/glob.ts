/**
 * Expands wildcards like glob(7) and glob(3), which pacman uses for `Include`.
 *
 * Libraries for wildcards support more (braces, `**`) or less (classes, escapes), and would find other
 * files than those that pacman reads.
 */

/** The files that match a pattern now, and the directories to watch for changes. */
interface GlobResult {
  /** Paths that match, sorted as glob(3) does in the C locale. */
  readonly paths: readonly string[];
  /** Directories that were searched: a new entry there may match. */
  readonly directories: readonly string[];
}

/** True when the pattern has a wildcard of glob(7), or an escape. */
export function hasWildcard(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/**
 * Finds the paths that an absolute pattern matches. In a directory that is missing or cannot be read,
 * nothing matches.
 *
 * `await expandGlob("/etc/pacman.d/*.conf")` may be
 * `{ paths: ["/etc/pacman.d/a.conf"], directories: ["/etc/pacman.d"] }`.
 */
export async function expandGlob(pattern: string): Promise<GlobResult> {
  const segments = pattern.split("/").filter((segment) => segment !== "");
  const directories = new Set<string>();
  let paths = [""];
  for (const segment of segments) {
    const found = [];
    for (const path of paths) found.push(...await step(path, segment, directories));
    paths = found;
  }
  return { paths: paths.sort(), directories: [...directories] };
}

/** The entries of `directory` that one segment of a pattern matches. */
async function step(directory: string, segment: string, seen: Set<string>): Promise<string[]> {
  if (!hasWildcard(segment)) {
    const path = `${directory}/${segment}`;
    // Like glob(3), this also finds a symbolic link whose target does not exist.
    return await Deno.lstat(path).then(() => [path], () => []);
  }
  const expression = segmentExpression(segment);
  const searched = directory === "" ? "/" : directory;
  seen.add(searched);
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(searched)) {
      if (entry.name.startsWith(".") && !segment.startsWith(".")) continue;
      if (expression.test(entry.name)) found.push(`${directory}/${entry.name}`);
    }
  } catch {
    // Missing, not a directory, or not readable: glob(3) ignores it, too.
  }
  return found;
}

/** Returns the regular expression for the names that a segment of a pattern matches. */
function segmentExpression(segment: string): RegExp {
  let source = "";
  for (let index = 0; index < segment.length; index++) {
    const character = segment.charAt(index);
    if (character === "*") {
      // Several stars mean the same as one star; writing only one keeps the expression fast.
      if (segment.charAt(index + 1) !== "*") source += ".*";
    } else if (character === "?") {
      source += ".";
    } else if (character === "\\" && index + 1 < segment.length) {
      index += 1;
      source += escapeCharacter(segment.charAt(index));
    } else if (character === "[") {
      const end = segment.indexOf("]", index + (/^\[[!^]/.test(segment.slice(index)) ? 3 : 2));
      if (end < 0) {
        source += "\\[";
      } else {
        source += characterClass(segment.slice(index + 1, end));
        index = end;
      }
    } else {
      source += escapeCharacter(character);
    }
  }
  try {
    return new RegExp(`^${source}$`, "su");
  } catch {
    // A range that runs backwards, such as `[z-a]`, matches nothing.
    return /(?!)/;
  }
}

/** The content of the brackets of `[…]` as a character class of a regular expression. */
function characterClass(content: string): string {
  const negated = content.startsWith("!") || content.startsWith("^");
  const members = (negated ? content.slice(1) : content).replace(/[\\\]^[]/g, "\\$&");
  return `[${negated ? "^" : ""}${members}]`;
}

function escapeCharacter(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}

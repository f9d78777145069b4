/**
 * Wildcards as glob(7) and glob(3) have them, which is what pacman's `Include` uses.
 *
 * Libraries for this know more (braces, `**`) or less (classes, escapes), and then the files found
 * here would not be those that pacman reads.
 */

/** What a pattern stands for now, and where to look for changes. */
interface GlobResult {
  /** Paths that match, sorted as glob(3) does in the C locale. */
  readonly paths: readonly string[];
  /** Directories whose entries were looked through: a new entry there may match. */
  readonly directories: readonly string[];
}

/** True when the pattern has a wildcard of glob(7), or an escape. */
export function hasWildcard(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/**
 * Finds what an absolute pattern matches. A directory that is missing or cannot be read matches
 * nothing.
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
  paths.sort(byBytes);
  return { paths, directories: [...directories] };
}

/** The paths under `directory` that one segment of a pattern leads to. */
async function step(directory: string, segment: string, seen: Set<string>): Promise<string[]> {
  if (!hasWildcard(segment)) {
    const path = `${directory}/${segment}`;
    return await isPresent(path) ? [path] : [];
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
    // Missing, no directory, or not readable for this user: glob(3) passes over it, too.
  }
  return found;
}

/** Whether glob(3) finds something at a path: a link that leads nowhere counts, too. */
async function isPresent(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}

/** The regular expression that matches the names a segment of a pattern stands for. */
function segmentExpression(segment: string): RegExp {
  let source = "";
  for (let index = 0; index < segment.length; index++) {
    const character = segment.charAt(index);
    if (character === "*") {
      // Several stars mean what one means; as one they also cost what one costs.
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

/** What stands between the brackets of `[…]`, as a class of regular expressions. */
function characterClass(content: string): string {
  const negated = content.startsWith("!") || content.startsWith("^");
  const members = (negated ? content.slice(1) : content).replace(/[\\\]^[]/g, "\\$&");
  return `[${negated ? "^" : ""}${members}]`;
}

function escapeCharacter(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}

function byBytes(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0;
}

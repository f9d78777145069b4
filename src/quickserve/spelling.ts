/**
 * Checks that names are spelled as their directories list them. Filters and the rule for hidden names
 * compare spellings. A file system that ignores case, or has short names, opens a file by other spellings
 * too: `SECRET` for `secret`, `SECRET~1` for `.secret-plans`.
 */

/**
 * `sole`: the file system accepts no other spelling. `listed`: it may accept others, and the directory
 * lists this one. `other`: the directory lists another spelling.
 */
type Spelling = "sole" | "listed" | "other";

/** Matches short names of FAT and NTFS. NTFS may accept them even if it does not ignore case. */
const shortName = /~\d/;

/** A character that Linux ignores in names if it ignores their case (Default_Ignorable_Code_Point). */
const IGNORABLE = "\u00ad";

/**
 * Returns how the last names of a path are spelled. A directory is read only if its file system may accept
 * other spellings.
 *
 * @param path the absolute path of an existing file or directory.
 * @param names the last names of the path, which are checked.
 */
export function spellingOf(path: string, names: readonly string[]): Spelling {
  let spelling: Spelling = "sole";
  let end = path.length;
  for (const name of names.toReversed()) {
    end -= name.length;
    const directory = path.slice(0, end);
    end--;
    if (!mayHaveSpellings(directory, name)) continue;
    if (!isListed(directory, name)) return "other";
    spelling = "listed";
  }
  return spelling;
}

/** Tries other spellings: neither the type of a file system nor its mount options show if it accepts them. */
function mayHaveSpellings(directory: string, name: string): boolean {
  return shortName.test(name) ||
    otherSpellings(name).some((other) => other !== name && mayExist(directory + other));
}

/** One spelling for each way of comparing names; it exists if `name` does and this way is used. */
function otherSpellings(name: string): string[] {
  const normalized = [name.normalize("NFC"), name.normalize("NFD")];
  const swapped = name.replace(/[a-z]/gi, (letter) => {
    const upper = letter.toUpperCase();
    return letter === upper ? letter.toLowerCase() : upper;
  });
  // Without letters: FAT ignores dots at the end; Unicode case folding drops ignorable characters.
  return [...normalized, ...swapped === name ? [`${name}.`, name + IGNORABLE] : [swapped]];
}

/** False only if the path certainly does not exist. Other errors, such as a name too long, prove nothing. */
function mayExist(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

function isListed(directory: string, name: string): boolean {
  try {
    return Deno.readDirSync(directory).some((entry) => entry.name === name);
  } catch {
    // If a directory cannot be read, no spelling counts as listed.
    return false;
  }
}

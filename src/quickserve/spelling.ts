/**
 * Whether names are spelled as their directories list them. Filters and the rule for hidden names look
 * at the spelling; a file system that folds case, or knows short names, opens a file by other
 * spellings too: `SECRET` for `secret`, `SECRET~1` for `.secret-plans`.
 */

/**
 * `sole`: the file system knows no other spelling. `listed`: it may, and this is the one that the
 * directory lists. `other`: the directory lists another one.
 */
type Spelling = "sole" | "listed" | "other";

/** A short name that FAT and NTFS make up. NTFS may know it although it folds nothing. */
const shortName = /~\d/;

/** A character that Linux ignores in names where it folds case (Default_Ignorable_Code_Point). */
const IGNORABLE = "\u00ad";

/**
 * How the last names of a path are spelled. A directory is read only if it may know other spellings.
 *
 * @param path absolute; leads to a file or directory.
 * @param names with which it ends.
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

/** Asks the file system, since nothing else tells: neither its type nor its mount options do. */
function mayHaveSpellings(directory: string, name: string): boolean {
  return shortName.test(name) ||
    otherSpellings(name).some((other) => other !== name && isThere(directory + other));
}

/** One spelling for each way of folding names: it is there if `name` is and that way is in use. */
function otherSpellings(name: string): string[] {
  const normalized = [name.normalize("NFC"), name.normalize("NFD")];
  const swapped = name.replace(/[a-z]/gi, (letter) => {
    const upper = letter.toUpperCase();
    return letter === upper ? letter.toLowerCase() : upper;
  });
  // Without letters: FAT ignores dots at the end, and what folds Unicode ignores the ignorable.
  return [...normalized, ...swapped === name ? [`${name}.`, name + IGNORABLE] : [swapped]];
}

/** False only for what is certainly not there: that a name is too long, for example, tells nothing. */
function isThere(path: string): boolean {
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
    // A directory that cannot be read lists nothing.
    return false;
  }
}

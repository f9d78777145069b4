/** Parses pacman's command line as getopt_long(3) does, to find which configuration it names. */

/** Long options of pacman 6 and 7, and whether they take a value. Needed to complete abbreviations. */
const LONG_OPTIONS: ReadonlyMap<string, "value" | "optional" | "none"> = new Map([
  ...[
    "arch ask assume-installed cachedir color config dbpath gpgdir hookdir ignore ignoregroup",
    "logfile overwrite print-format root sysroot",
  ].flatMap((names) => names.split(" ")).map((name) => [name, "value"] as const),
  ["debug", "optional"],
  ...[
    "asdeps asexplicit cascade changelog check clean confirm database dbonly deps deptest",
    "disable-download-timeout disable-sandbox disable-sandbox-filesystem disable-sandbox-syscalls",
    "downloadonly explicit file files force foreign groups help info list machinereadable native needed",
    "noconfirm nodeps noprogressbar nosave noscriptlet print query quiet recursive refresh regex",
    "remove search sync sysupgrade unneeded unrequired upgrade upgrades verbose version",
  ].flatMap((names) => names.split(" ")).map((name) => [name, "none"] as const),
]);

/** Short options with a value, which is the rest of the word, or the next word. */
const SHORT_OPTIONS_WITH_VALUE = "br";

/** An option in the arguments. */
interface FoundOption {
  readonly name: string;
  /** Index of the argument that contains the option. */
  readonly index: number;
  /** Undefined when the option needs a value and the arguments end. */
  readonly value: string | undefined;
  /** True when the value is the argument after `index`. */
  readonly separate: boolean;
}

/** Which configuration the arguments name, and whether pacman looks for it on this system. */
interface ConfigurationChoice {
  /** The value of the last `--config`; null without one. */
  readonly path: string | null;
  /** True with `--sysroot`: pacman then looks for its configuration inside that directory. */
  readonly inSysroot: boolean;
}

/** The configuration that pacman would use with these arguments. */
export function chosenConfiguration(words: readonly string[]): ConfigurationChoice {
  const options = longOptions(words);
  const last = options.findLast(({ name }) => name === "config");
  return {
    path: last?.value ?? null,
    inSysroot: options.some(({ name }) => name === "sysroot"),
  };
}

/**
 * pacman's arguments with `path` as the configuration: it replaces the value of the user's `--config`.
 * Without one, `--config` is put in front, where no other option can take it for its value.
 *
 * The values of other options, and arguments after `--`, are not changed.
 */
export function withConfiguration(words: readonly string[], path: string): string[] {
  const result = [...words];
  const places = longOptions(words).filter(({ name }) => name === "config");
  if (places.length === 0) return ["--config", path, ...words];
  for (const { index, separate } of places) {
    if (separate) result[index + 1] = path;
    else result[index] = `--config=${path}`;
  }
  return result;
}

/** The long options among the words; their names are completed. */
function longOptions(words: readonly string[]): FoundOption[] {
  const found: FoundOption[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") break;
    if (!word.startsWith("--")) {
      if (shortTakesNext(word)) index++;
      continue;
    }
    const equals = word.indexOf("=");
    const name = completeName(equals < 0 ? word.slice(2) : word.slice(2, equals));
    if (name === null) continue;
    const separate = equals < 0 && LONG_OPTIONS.get(name) === "value";
    const value = equals < 0 ? words[index + 1] : word.slice(equals + 1);
    if (separate && value === undefined) break;
    found.push({ name, index, value, separate });
    if (separate) index++;
  }
  return found;
}

/**
 * The option that a name or an abbreviation means; null when no option, or more than one, begins with
 * it. In that case pacman itself reports the error.
 */
function completeName(name: string): string | null {
  if (LONG_OPTIONS.has(name)) return name;
  const candidates = [...LONG_OPTIONS.keys()].filter((option) => option.startsWith(name));
  return candidates.length === 1 ? candidates[0] ?? null : null;
}

/** True when a word of short options ends with an option whose value is the next word: `-Qr`. */
function shortTakesNext(word: string): boolean {
  if (!word.startsWith("-")) return false;
  for (const [index, letter] of [...word].entries()) {
    if (index > 0 && SHORT_OPTIONS_WITH_VALUE.includes(letter)) return index === word.length - 1;
  }
  return false;
}

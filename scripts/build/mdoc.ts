/** The source of man pages: what any page in mdoc(7) is written with. */

/** Columns of the source, for those who read it. */
const WIDTH = 78;

/**
 * Running text: each sentence begins a line, as mdoc(7) wants it, and no line begins with what roff
 * takes for a request.
 */
export function text(content: string): string {
  return running(escaped(content));
}

/** The same of text in which everything is escaped already. */
export function running(source: string): string {
  const sentences = source.trim().split(/(?<=[.?!]['")]*)\s+(?=\S)/);
  return sentences.flatMap(filled).map(guarded).join("\n");
}

function filled(sentence: string): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(/\s+/)) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

/**
 * Lines that are shown as they are typed.
 *
 * @param offset how far they are indented, in mdoc(7)'s words.
 */
export function display(content: string, offset: string = "indent"): string[] {
  const lines = content.split("\n").map((line) => guarded(typed(line)));
  return [`.Bd -literal -offset ${offset}`, ...lines, ".Ed"];
}

/** A line that roff does not take for a request. */
function guarded(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

/** An argument of a macro. */
export function argument(content: string): string {
  return quoted(escaped(content));
}

/** An argument of a macro, in which a reader finds what to type. */
export function typedArgument(content: string): string {
  return quoted(typed(content));
}

function quoted(source: string): string {
  return `"${source.replaceAll('"', '""')}"`;
}

/** Text in which roff finds nothing that it takes for its own. */
export function escaped(content: string): string {
  return content.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("`", "\\(ga");
}

/**
 * The same of what is typed. Some versions of groff print typographic characters for these, which a
 * shell does not understand.
 */
export function typed(content: string): string {
  return escaped(content).replaceAll("'", "\\(aq").replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha");
}

/** The section that names other pages. @param pages for example `pacman(8)`, in any order. */
export function seeAlso(pages: readonly string[]): string[] {
  const references = [...pages].sort(bySection).map((page, index, all) => {
    const [, name = "", section = ""] = /^(.*)\((\d)\)$/.exec(page) ?? [];
    return `.Xr ${argument(name)} ${section}${index < all.length - 1 ? " ," : ""}`;
  });
  return [".Sh SEE ALSO", ...references];
}

/** mandoc(1) wants pages ordered by section, then by name. */
function bySection(one: string, other: string): number {
  const key = (page: string): string => page.slice(-2) + page;
  return key(one) < key(other) ? -1 : 1;
}

/** `November 22, 2026`. */
export function mdocDate(date: Date): string {
  return date.toLocaleDateString("en-US", {
    year: "numeric",
    month: "long",
    day: "numeric",
    timeZone: "UTC",
  });
}

/** Man pages in mdoc(7), made from the same table as `--help`. */

import type { Command, Option, OptionGroup } from "../../src/commands/command.ts";
import { COMMON_OPTIONS } from "../../src/commands/command.ts";
import { optionExplanation } from "../../src/commands/help.ts";
import type { Manual } from "./manual.ts";
import type { Section, Term } from "./manual_section.ts";
import { plainMetavariable, takesMany } from "./metavariable.ts";

/** The source of a command's man page. */
export function manPage(command: Command, manual: Manual, date: Date): string {
  const { name, section, summary, positional } = command;
  const lines = [
    `.Dd ${mdocDate(date)}`,
    `.Dt ${argument(name.toUpperCase())} ${section}`,
    ".Os",
    ".Sh NAME",
    `.Nm ${argument(name)}`,
    `.Nd ${text(summary)}`,
    ".Sh SYNOPSIS",
    ".Nm",
    ...(manual.hasNoOptions ? [] : [".Op Ar option ..."]),
    ...(positional === undefined ? [] : [synopsis(positional.metavariable)]),
    ".Sh DESCRIPTION",
    ...paragraphs(command.description),
    ...(positional === undefined ? [] : argumentList(positional)),
    ...(manual.hasNoOptions ? [] : [...command.groups, COMMON_OPTIONS].flatMap(optionGroup)),
    ...(manual.sections ?? []).flatMap(({ title, content }) => [
      `.Sh ${text(title.toUpperCase())}`,
      ...contentLines(content),
    ]),
    ...environmentSection(manual),
    ...fileSection(manual),
    ".Sh EXIT STATUS",
    text(manual.exitStatus ?? "0 on success, 1 for a failure at run time, 2 for wrong usage."),
    ...exampleSection(command),
    ...seeAlsoSection(manual),
  ];
  return lines.join("\n") + "\n";
}

/** The synopsis of an argument; brackets mean that it is optional, dots that it may be repeated. */
function synopsis(syntax: string): string {
  const macro = syntax.startsWith("[") ? ".Op Ar" : ".Ar";
  return `${macro} ${metavariable(syntax)}${takesMany(syntax) ? " ..." : ""}`;
}

function argumentList(
  { metavariable: syntax, help }: NonNullable<Command["positional"]>,
): string[] {
  return [".Bl -tag -width Ds", `.It Ar ${metavariable(syntax)}`, text(help), ".El"];
}

function optionGroup(group: OptionGroup): string[] {
  return [
    `.Ss ${text(group.title)}`,
    ...(group.description === undefined ? [] : [text(group.description)]),
    ".Bl -tag -width Ds",
    ...group.options.flatMap((option) => [optionItem(option), text(optionExplanation(option))]),
    ".El",
  ];
}

function optionItem(option: Option): string {
  const short = option.short === undefined ? "" : `Fl ${option.short} , `;
  const values = (option.values ?? []).map((value) => ` Ar ${metavariable(value)}`).join("");
  const more = option.choices === undefined ? "" : " Ar ...";
  return `.It ${short}Fl \\-${option.name}${values}${more}`;
}

function environmentSection({ environment }: Manual): string[] {
  return environment === undefined ? [] : [".Sh ENVIRONMENT", ...termList("Ev", environment)];
}

function fileSection({ files }: Manual): string[] {
  if (files === undefined || files.length === 0) return [];
  return [
    ".Sh FILES",
    ...termList("Pa", files.map(({ path, meaning }) => ({ word: path, meaning }))),
  ];
}

/** @param macro of mdoc(7) for the kind of the words. */
function termList(macro: string, terms: readonly Term[]): string[] {
  const items = terms.flatMap(({ word, meaning }) => [
    `.It ${macro} ${argument(word)}`,
    text(meaning),
  ]);
  return [".Bl -tag -width Ds", ...items, ".El"];
}

function exampleSection({ examples }: Command): string[] {
  if (examples.length === 0) return [];
  return [
    ".Sh EXAMPLES",
    ...examples.flatMap(({ command, explanation }, index) => [
      ...(index === 0 ? [] : [".Pp"]),
      text(explanation),
      `.Dl ${argument(command)}`,
    ]),
  ];
}

function seeAlsoSection({ seeAlso }: Manual): string[] {
  const pages = [...seeAlso].sort(bySection).map((page, index, all) => {
    const [, name = "", section = ""] = /^(.*)\((\d)\)$/.exec(page) ?? [];
    return `.Xr ${argument(name)} ${section}${index < all.length - 1 ? " ," : ""}`;
  });
  return [".Sh SEE ALSO", ...pages];
}

/** Compares pages by section, then by name: the order that mandoc(1) requires. */
function bySection(one: string, other: string): number {
  const key = (page: string): string => page.slice(-2) + page;
  return key(one) < key(other) ? -1 : 1;
}

function paragraphs(content: readonly string[]): string[] {
  return content.flatMap((one, index) => index === 0 ? [text(one)] : [".Pp", text(one)]);
}

/** The lines for paragraphs, literal displays and lists of terms. */
function contentLines(content: Section["content"]): string[] {
  return content.flatMap((part, index) => {
    if (typeof part === "string") return index === 0 ? [text(part)] : [".Pp", text(part)];
    if ("terms" in part) return termList("Ql", part.terms);
    return [".Bd -literal -offset indent", ...part.literal.split("\n").map(literal), ".Ed"];
  });
}

/** A line of a literal display. */
function literal(line: string): string {
  return /^[.']/.test(line) ? `\\&${escaped(line)}` : escaped(line);
}

/** A metavariable such as `<port>` as an argument of a macro, without brackets and dots. */
function metavariable(value: string): string {
  return argument(plainMetavariable(value.replaceAll(/[[\]]/g, "").replace(/ \.\.\.$/, "")));
}

/** Width of the lines in the source, in columns. */
const WIDTH = 78;

/**
 * Running text. Each sentence begins on a new line, as mdoc(7) requires, and a line that roff would take
 * for a request is escaped.
 */
function text(content: string): string {
  const sentences = content.trim().split(/(?<=[.?!]['")]*)\s+(?=\S)/);
  return sentences.flatMap((sentence) => filled(escaped(sentence))).map((line) =>
    /^[.']/.test(line) ? `\\&${line}` : line
  ).join("\n");
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

/** An argument of a macro. */
function argument(content: string): string {
  return `"${escaped(content).replaceAll('"', '""')}"`;
}

function escaped(content: string): string {
  return content.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("`", "\\(ga");
}

/** The date as `November 22, 2026`. */
function mdocDate(date: Date): string {
  return date.toLocaleDateString("en-US", {
    year: "numeric",
    month: "long",
    day: "numeric",
    timeZone: "UTC",
  });
}

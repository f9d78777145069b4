/** Man pages in mdoc(7), made from the same table as `--help`. */

import type { Command, Option, OptionGroup } from "../../src/commands/command.ts";
import { COMMON_OPTIONS } from "../../src/commands/command.ts";
import { optionExplanation } from "../../src/commands/help.ts";
import type { Manual } from "./manual.ts";
import { argument, display, mdocDate, seeAlso, text, typedArgument } from "./mdoc.ts";
import type { Section, Term } from "./manual_section.ts";
import { plainMetavariable, takesMany } from "./metavariable.ts";

/** The source of a command's page. */
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
    ...seeAlso(manual.seeAlso),
  ];
  return lines.join("\n") + "\n";
}

/** `[<filepath> ...]` is optional, `[<filepath>]` once only; other arguments have to be there. */
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

/** @param macro of mdoc(7) that says what the words are. */
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
      `.Dl ${typedArgument(command)}`,
    ]),
  ];
}

function paragraphs(content: readonly string[]): string[] {
  return content.flatMap((one, index) => index === 0 ? [text(one)] : [".Pp", text(one)]);
}

/** Paragraphs, displays of what is typed, and lists of words. */
function contentLines(content: Section["content"]): string[] {
  return content.flatMap((part, index) => {
    if (typeof part === "string") return index === 0 ? [text(part)] : [".Pp", text(part)];
    if ("terms" in part) return termList("Ql", part.terms);
    return display(part.literal);
  });
}

/** `<port>` as one argument, without what only the syntax of `--help` needs. */
function metavariable(value: string): string {
  return argument(plainMetavariable(value.replaceAll(/[[\]]/g, "").replace(/ \.\.\.$/, "")));
}

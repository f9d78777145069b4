/**
 * The man pages of section 7, made from the Markdown of `doc/tasks`, which people also read where the
 * code is hosted.
 *
 * Pages may use a small part of Markdown: a title such as `# pacserve-nas(7) - use a NAS`, sections,
 * paragraphs, lists, blocks of code; code, emphasis and links in running text. All else is an error of
 * the build, so that nothing is lost on the way to the man page.
 */

import { marked, type MarkedToken, type Token, type Tokens } from "marked";
import { Failure } from "../../src/failure.ts";
import { argument, display, escaped, mdocDate, running, seeAlso, text, typed } from "./mdoc.ts";

/** A page of section 7. */
export interface TaskPage {
  /** `pacserve-nas`. */
  readonly name: string;
  /** In mdoc(7). */
  readonly source: string;
}

/** Matches the title of a page. */
const TITLE = /^(?<name>[a-z-]+)\(7\) - (?<summary>.+)$/;

/** The last section, in which each link is one to another page. */
const SEE_ALSO = "See also";

/** Another page, in running text. */
const REFERENCE = /[\w.-]+\(\d\)/g;

/**
 * Makes the man page of a task.
 *
 * @throws Failure when the page uses more of Markdown than the man page can show.
 */
export function taskPage(markdown: string, date: Date): TaskPage {
  const [title, ...blocks] = tokens(marked.lexer(markdown));
  const { name, summary } = (title?.type === "heading" && TITLE.exec(title.text)?.groups) || {};
  if (name === undefined || summary === undefined) {
    throw new Failure("a page begins with a title such as # pacserve-nas(7) - use a NAS");
  }
  const end = blocks.findIndex((block) => block.type === "heading" && block.text === SEE_ALSO);
  if (end < 0) throw new Failure(`the page ends with a section "${SEE_ALSO}"`);
  const pages = blocks.slice(end + 1).flatMap(({ raw }) => raw.match(REFERENCE) ?? []);
  const lines = [
    `.Dd ${mdocDate(date)}`,
    `.Dt ${argument(name.toUpperCase())} 7`,
    ".Os",
    ".Sh NAME",
    `.Nm ${argument(name)}`,
    `.Nd ${text(summary)}`,
    ".Sh DESCRIPTION",
    ...blockLines(blocks.slice(0, end)),
    ...seeAlso(pages),
  ];
  return { name, source: lines.join("\n") + "\n" };
}

function blockLines(blocks: readonly MarkedToken[]): string[] {
  return blocks.flatMap((block, index) => {
    const before = blocks[index - 1]?.type ?? "heading";
    switch (block.type) {
      case "heading":
        if (block.depth !== 2) break;
        return [`.Sh ${text(block.text.toUpperCase())}`];
      case "paragraph":
      case "text":
        return [...(before === "heading" ? [] : [".Pp"]), inline(block.tokens ?? [])];
      case "code":
        return display(block.text.trimEnd(), "2n");
      case "list":
        return list(block);
    }
    throw unknown(block);
  });
}

function list({ ordered, items }: Tokens.List): string[] {
  return [
    ordered ? ".Bl -enum -width 2n" : ".Bl -bullet -width 1n",
    ...items.flatMap((item) => [".It", ...blockLines(tokens(item.tokens))]),
    ".El",
  ];
}

/** Running text: code is bold, emphasis is underlined, and of a link the words are left. */
function inline(parts: readonly Token[]): string {
  return running(source(parts));
}

function source(parts: readonly Token[]): string {
  return tokens(parts).map((part) => {
    switch (part.type) {
      case "text":
        if (/&#?\w+;/.test(part.text)) break;
        return escaped(part.text);
      case "escape":
        return escaped(part.text);
      case "codespan":
        // What is typed together stays on one line, and gets no hyphens.
        return `\\fB\\%${typed(part.text).replaceAll(" ", "\\~\\%")}\\fR`;
      case "em":
      case "strong":
        return `\\fI${source(part.tokens)}\\fR`;
      case "link":
        // A page is found by its name; what has an address only is shown with it.
        if (part.text.match(REFERENCE)?.[0] !== part.text && part.text !== part.href) break;
        return escaped(part.text);
    }
    throw unknown(part);
  }).join("");
}

/** The tokens without the empty lines between them. */
function tokens(all: readonly Token[]): MarkedToken[] {
  return (all as readonly MarkedToken[]).filter(({ type }) => type !== "space");
}

function unknown({ raw }: MarkedToken): Failure {
  return new Failure(`a man page cannot show ${JSON.stringify(raw.slice(0, 60))}`);
}

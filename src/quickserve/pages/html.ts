/** HTML templates that escape their values. */

import { escapeHtml } from "../../std.ts";

/** Text that is HTML already and is not escaped again. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** A value in a template: strings and numbers are escaped, `null` adds nothing, lists are joined. */
type HtmlValue = Html | string | number | null | readonly HtmlValue[];

/**
 * Fills a template. The values are escaped, unless they are HTML of another template.
 *
 * ```ts
 * html`<b>${"a < b"}</b>`.text; // "<b>a &lt; b</b>"
 * ```
 *
 * Line breaks at the beginning and the end of a template are removed. Use values only between tags or
 * inside of quoted attributes.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = (strings[0] ?? "").replace(/^\n\s*/, "");
  for (const [index, value] of values.entries()) {
    const next = strings[index + 1] ?? "";
    text += render(value) + (index === values.length - 1 ? next.replace(/\n\s*$/, "") : next);
  }
  return new Html(text);
}

/** The attribute that marks a link to the page that contains it. */
export const currentPage: Html = new Html(' aria-current="page"');

function render(value: HtmlValue): string {
  if (value === null) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return value.map(render).join("");
}

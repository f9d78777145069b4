/** HTML that is safe by construction: whatever is put into a template is escaped. */

import { escapeHtml } from "../../std.ts";

/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What a template takes: strings and numbers are escaped, `null` is nothing, lists are joined. */
type HtmlValue = Html | string | number | null | readonly HtmlValue[];

/**
 * A template whose values are escaped, unless they are HTML of another template.
 *
 * ```ts
 * html`<b>${"a < b"}</b>`.text; // "<b>a &lt; b</b>"
 * ```
 *
 * The line breaks before and after a template that stands on lines of its own are not part of it.
 * Values belong between tags or inside of a quoted attribute.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = (strings[0] ?? "").replace(/^\n\s*/, "");
  for (const [index, value] of values.entries()) {
    const next = strings[index + 1] ?? "";
    text += render(value) + (index === values.length - 1 ? next.replace(/\n\s*$/, "") : next);
  }
  return new Html(text);
}

/** The attribute that marks the link to the very page it stands on. */
export const currentPage: Html = new Html(' aria-current="page"');

function render(value: HtmlValue): string {
  if (value === null) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return value.map(render).join("");
}

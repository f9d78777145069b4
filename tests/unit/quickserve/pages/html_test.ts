import { Html, html } from "../../../../src/quickserve/pages/html.ts";
import { assertEquals } from "../../../assert.ts";

Deno.test("html: values are escaped, templates are not", () => {
  const name = `<b>"'&`;
  const inner = html`<i title="${name}">${1}</i>`;
  assertEquals(inner.text, '<i title="&lt;b&gt;&quot;&#39;&amp;">1</i>');
  assertEquals(
    html`<p>${inner}${null}${["<", new Html("<br>"), [2]]}</p>`.text,
    [
      "<p>",
      inner.text,
      "&lt;<br>2</p>",
    ].join(""),
  );
});

Deno.test("html: removes the line breaks around a template, but not those of a value", () => {
  const text = "\n two \n";
  assertEquals(
    html`
      <pre>${text}</pre>
    `.text,
    "<pre>\n two \n</pre>",
  );
});

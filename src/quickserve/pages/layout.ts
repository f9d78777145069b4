/** The frame of all pages: head, menu and footer. */

import type { PagesConfiguration } from "../configuration.ts";
import { scriptAddress, styleAddress, themeAddress } from "./assets.ts";
import { currentPage, type Html, html } from "./html.ts";

/** The facts about the server that every page needs. */
export interface PageContext {
  readonly configuration: Pick<PagesConfiguration, "title" | "version" | "hostName">;
  /** True when uploads are on. */
  readonly canUpload: boolean;
  /** True when there is a page of peers. */
  readonly hasPeers: boolean;
  /** True when there is a page of the status, and the reader may see it. */
  readonly hasStatus: boolean;
}

/** The pages of the menu, as `?page=` names them. */
type PageName = "status" | "peers" | "upload" | "about";

/** A page without its frame. */
interface PageContent {
  /** The first part of the document's title, before the name of the program. */
  readonly title: string;
  /** The page's entry in the menu; null if it has none. */
  readonly current: PageName | null;
  /** The text of the link that skips the menu. */
  readonly skip: string;
  readonly main: Html;
}

/** Puts a page into its frame, and returns a complete document. */
export function layOutPage(context: PageContext, content: PageContent): string {
  const { title, version, hostName } = context.configuration;
  const document = html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${content.title} · ${hostName === "" ? title : hostName}</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="${styleAddress}">
        <script src="${themeAddress}"></script>
        <script src="${scriptAddress}" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">${content.skip}</a>
        <header class="top">
          <a class="brand" href="/">${title}</a>
          <nav aria-label="Pages">
            <ul>${menu(context, content.current)}</ul>
          </nav>
        </header>
        <main id="main" tabindex="-1">
    ${content.main}
        </main>
        <footer class="bottom"><a href="/?page=about">${title} ${version}</a></footer>
      </body>
    </html>
  `;
  return document.text + "\n";
}

function menu({ canUpload, hasPeers, hasStatus }: PageContext, current: PageName | null): Html[] {
  const items: [PageName, string][] = [];
  if (hasStatus) items.push(["status", "Status"]);
  if (canUpload) items.push(["upload", "Upload"]);
  if (hasPeers) items.push(["peers", "Peers"]);
  items.push(["about", "About"]);
  return items.map(([name, label]) => {
    const mark = name === current ? currentPage : null;
    return html`<li><a href="/?page=${name}"${mark}>${label}</a></li>`;
  });
}

/** Returns a table. A column whose title is empty has no heading. */
export function dataTable(
  caption: string,
  style: string,
  titles: readonly string[],
  rows: readonly Html[],
): Html {
  const heads = titles.map((title) =>
    title === "" ? html`<td></td>` : html`<th scope="col">${title}</th>`
  );
  return html`
    <table class="peers ${style}">
      <caption class="unseen">${caption}</caption>
      <thead>
        <tr>${heads}</tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>
  `;
}

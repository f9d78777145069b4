/** What all pages have in common. */

import type { PagesConfiguration } from "../configuration.ts";
import { scriptAddress, styleAddress } from "./assets.ts";
import { currentPage, html } from "./html.ts";
import type { Html } from "./html.ts";

/** What every page needs to know about the server. */
export interface PageContext {
  readonly configuration: Pick<PagesConfiguration, "title" | "version">;
  /** Uploads are on. */
  readonly canUpload: boolean;
  /** There is a page of peers. */
  readonly hasPeers: boolean;
  /** There is a page of the status, and the reader may see it. */
  readonly hasStatus: boolean;
}

/** The pages that `?page=` names. */
type PageName = "status" | "peers" | "upload" | "about";

/** A page without its frame. */
interface PageContent {
  /** Shown by the browser, before the name of the program. */
  readonly title: string;
  /** Which of the pages of the menu it is; null for all others. */
  readonly current: PageName | null;
  /** What the link that skips the menu says. */
  readonly skip: string;
  readonly main: Html;
}

/** Puts a page into its frame: a complete document. */
export function layOutPage(context: PageContext, content: PageContent): string {
  const { title, version } = context.configuration;
  const document = html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${content.title} · ${title}</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="${styleAddress}">
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

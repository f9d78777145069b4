/** The form for uploads, and the page that says what became of them. */

import type { HttpRequest, Reply } from "../../http/exchange.ts";
import type { UploadConfiguration } from "../configuration.ts";
import type { UploadOutcome } from "../uploads/outcome.ts";
import { count, humanSize, visibleName } from "./display.ts";
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import { layOutPage } from "./layout.ts";
import type { PageContext } from "./layout.ts";
import { pageReply } from "./reply.ts";
import { chooseRepresentation } from "./representation.ts";
import { serverUrl, uploadUses, usesAsText } from "./uses.ts";
import type { Login } from "./uses.ts";

/**
 * The form: a plain one, which the script takes over for drag and drop with progress.
 *
 * @param form `"compact"` below a listing, `"full"` on the page of its own.
 */
export function uploadForm(form: "compact" | "full"): Html {
  // On its own page the heading of the page says it already.
  const look = form === "full" ? "unseen" : "";
  return html`
    <section class="upload" data-upload aria-labelledby="upload">
      <h2 id="upload" class="${look}">Upload</h2>
      <form method="post" action="/?page=upload" enctype="multipart/form-data">
        <label class="unseen" for="files">Files to upload</label>
        <input id="files" type="file" name="file" multiple required>
        <button>Upload</button>
      </form>
      <p data-drop-hint hidden>Or drop files anywhere on this page.</p>
    </section>
  `;
}

/** What the upload page says about the limits. */
export type UploadLimits = Pick<UploadConfiguration, "allowOverwrite" | "maximumSize">;

/** The page of the upload form (`?page=upload`): how to upload as text for a terminal, HTML otherwise. */
export function uploadPage(
  request: Pick<HttpRequest, "method" | "headers" | "connection">,
  context: PageContext,
  search: string,
  limits: UploadLimits,
  login: Login,
): Reply {
  if (chooseRepresentation(request, new URLSearchParams(search)) === "text") {
    const uses = usesAsText(uploadUses(serverUrl(request), login));
    return pageReply(request, "text", `${describeLimits(limits)}\n\n${uses}`);
  }
  const main = html`<h1>Upload</h1>
<p>${describeLimits(limits)}</p>
${uploadForm("full")}`;
  const content = { title: "Upload", current: "upload", skip: "Skip to the form", main } as const;
  return pageReply(request, "html", layOutPage(context, content));
}

/** The limits in words. */
export function describeLimits({ allowOverwrite, maximumSize }: UploadLimits): string {
  const size = maximumSize === null ? "" : ` A file may have up to ${humanSize(maximumSize)}.`;
  const taken = allowOverwrite
    ? " A file of the same name is replaced."
    : " A file whose name is taken gets a number at its end; nothing is replaced.";
  return `A file is stored when all of it has arrived.${taken}${size}`;
}

/** What became of an upload, as a page. */
export function uploadResultPage(context: PageContext, outcome: UploadOutcome): string {
  return layOutPage(context, {
    title: outcome.failed.length === 0 ? "Uploaded" : "Not everything was uploaded",
    current: "upload",
    skip: "Skip to the result",
    main: html`<h1>${heading(outcome)}</h1>
<ul class="transfers">
${outcome.uploaded.map(storedLine)}${outcome.failed.map(failedLine)}</ul>
<p><a href="/">See the files</a></p>
${uploadForm("compact")}`,
  });
}

function heading({ uploaded, failed }: UploadOutcome): string {
  const stored = `${count(uploaded.length, "file")} uploaded`;
  return failed.length === 0 ? stored : `${stored}, ${failed.length} failed`;
}

function storedLine({ name, requested, size, replaced }: UploadOutcome["uploaded"][number]): Html {
  const note = name !== requested
    ? ` under this name, because ${visibleName(requested)} was taken`
    : replaced
    ? " in place of the one before"
    : "";
  return html`
    <li><bdi>${visibleName(name)}</bdi> <span class="quiet">${humanSize(size)}</span>
    <span class="note good">Stored${note}.</span></li>
  `;
}

function failedLine({ name, reason }: UploadOutcome["failed"][number]): Html {
  const shown = name === "" ? "(no name)" : visibleName(name);
  return html`
    <li><bdi>${shown}</bdi> <span></span><span class="note bad">Not stored: ${reason}</span></li>
  `;
}

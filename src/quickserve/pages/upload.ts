/** The form for uploads, and the page with the outcome of an upload. */

import type { HttpRequest, Reply } from "../../http/exchange.ts";
import type { UploadConfiguration } from "../configuration.ts";
import type { UploadOutcome } from "../uploads/outcome.ts";
import { count, humanSize, visibleText } from "./display.ts";
import { Html, html } from "./html.ts";
import { layOutPage, type PageContext } from "./layout.ts";
import { pageReply } from "./reply.ts";
import { chooseRepresentation } from "./representation.ts";
import { type Login, requestedUrl, uploadUses, usesAsText } from "./uses.ts";

/** The place to which a form uploads. */
export interface FormPlace {
  /** Its path on the server, encoded, with slashes at both ends; null when it is not shared. */
  readonly path: string | null;
  /** True when it is the directory whose listing contains the form. */
  readonly isHere: boolean;
}

/**
 * Returns the form. It works without script; the script adds drag and drop, whole directories and progress.
 *
 * @param form `"compact"` above a listing, `"full"` on a separate page.
 */
export function uploadForm(form: "compact" | "full", { path, isHere }: FormPlace): Html {
  // On a separate page, the heading of the page is enough.
  const look = form === "full" ? "unseen" : "";
  const shown = path === null ? null : visibleText(decodeURIComponent(path));
  const where = isHere
    ? null
    : path === null
    ? html`Uploads are stored in a directory that this server does not list.`
    : html`Uploads are stored in <a href="${path}" data-place><bdi>${shown}</bdi></a>.`;
  const here = isHere ? new Html(" data-here") : null;
  return html`
    <section class="upload" data-upload${here} aria-labelledby="upload">
      <h2 id="upload" class="${look}">Upload</h2>
      <form method="post" action="${path ?? "/"}?page=upload" enctype="multipart/form-data">
        <label class="unseen" for="files">Files to upload</label>
        <input id="files" type="file" name="file" multiple required>
        <button>Upload</button>
      </form>
      <p>${where} <span data-drop-hint hidden>Or drop files and folders anywhere on this page.</span></p>
    </section>
  `;
}

/** The limits that the upload page describes. */
export type UploadLimits = Pick<UploadConfiguration, "allowOverwrite" | "maximumSize">;

/** Returns the upload page (`?page=upload`): the form for browsers, commands as text for a terminal. */
export function uploadPage(
  request: Pick<HttpRequest, "method" | "headers" | "connection">,
  context: PageContext,
  search: string,
  limits: UploadLimits,
  login: Login,
  place: FormPlace,
): Reply {
  if (chooseRepresentation(request, new URLSearchParams(search)) === "text") {
    const uses = usesAsText(uploadUses(requestedUrl(request), login));
    return pageReply(request, "text", `${describeLimits(limits)}\n\n${uses}`);
  }
  const main = html`<h1>Upload</h1>
<p>${describeLimits(limits)}</p>
${uploadForm("full", place)}`;
  const content = { title: "Upload", current: "upload", skip: "Skip to the form", main } as const;
  return pageReply(request, "html", layOutPage(context, content));
}

/** Describes the limits of uploads. */
export function describeLimits({ allowOverwrite, maximumSize }: UploadLimits): string {
  const size = maximumSize === null ? "" : ` A file may have up to ${humanSize(maximumSize)}.`;
  const taken = allowOverwrite
    ? " An existing file of the same name is replaced."
    : " If a name is taken, a number is added to it; no file is replaced.";
  return `A file is stored when all of it has arrived.${taken}${size}`;
}

/** Returns the outcome of an upload as a page. */
export function uploadResultPage(
  context: PageContext,
  outcome: UploadOutcome,
  place: FormPlace,
): string {
  return layOutPage(context, {
    title: outcome.failed.length === 0 ? "Uploaded" : "Not everything was uploaded",
    current: "upload",
    skip: "Skip to the result",
    main: html`<h1>${heading(outcome)}</h1>
<ul class="transfers">
${outcome.uploaded.map(storedLine)}${outcome.failed.map(failedLine)}</ul>
<p><a href="${place.path ?? "/"}">${
      place.path === null ? "Go to the start page" : "See the files"
    }</a></p>
${uploadForm("compact", place)}`,
  });
}

function heading({ uploaded, failed }: UploadOutcome): string {
  const stored = `${count(uploaded.length, "file")} uploaded`;
  return failed.length === 0 ? stored : `${stored}, ${failed.length} failed`;
}

function storedLine({ name, requested, size, replaced }: UploadOutcome["uploaded"][number]): Html {
  const note = name !== requested
    ? ` under this name, because ${visibleText(requested)} was taken`
    : replaced
    ? ", replacing the file of this name"
    : "";
  return html`
    <li><bdi>${visibleText(name)}</bdi> <span class="quiet">${humanSize(size)}</span>
    <span class="note good">Stored${note}.</span></li>
  `;
}

function failedLine({ name, reason }: UploadOutcome["failed"][number]): Html {
  const shown = name === "" ? "(no name)" : visibleText(name);
  return html`
    <li><bdi>${shown}</bdi> <span></span><span class="note bad">Not stored: ${reason}</span></li>
  `;
}

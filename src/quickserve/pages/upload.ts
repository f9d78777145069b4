/** The form for uploads, and the page that says what became of them. */

import type { HttpRequest, Reply } from "../../http/exchange.ts";
import type { UploadConfiguration } from "../configuration.ts";
import type { UploadOutcome } from "../uploads/outcome.ts";
import { count, humanSize, visibleText } from "./display.ts";
import { Html, html } from "./html.ts";
import { layOutPage } from "./layout.ts";
import type { PageContext } from "./layout.ts";
import { pageReply } from "./reply.ts";
import { chooseRepresentation } from "./representation.ts";
import { serverUrl, uploadUses, usesAsText } from "./uses.ts";
import type { Login } from "./uses.ts";

/** Where the files of a form go. */
export interface FormPlace {
  /** Where that is served: encoded, with slashes at both ends; null when it is not shared. */
  readonly path: string | null;
  /** True when it is the directory whose listing the form stands in. */
  readonly isHere: boolean;
}

/**
 * The form: a plain one, which the script takes over for drag and drop, whole directories and progress.
 *
 * @param form `"compact"` above a listing, `"full"` on a page of its own.
 */
export function uploadForm(form: "compact" | "full", { path, isHere }: FormPlace): Html {
  // On its own page the heading of the page says it already.
  const look = form === "full" ? "unseen" : "";
  const shown = path === null ? null : visibleText(decodeURIComponent(path));
  const where = isHere
    ? null
    : path === null
    ? html`Files go to a directory of this server that is not listed here.`
    : html`Files go to <a href="${path}" data-place><bdi>${shown}</bdi></a>.`;
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

/** What the upload page says about the limits. */
export type UploadLimits = Pick<UploadConfiguration, "allowOverwrite" | "maximumSize">;

/** The page of the upload form (`?page=upload`): how to upload as text for a terminal, HTML otherwise. */
export function uploadPage(
  request: Pick<HttpRequest, "method" | "headers" | "connection">,
  context: PageContext,
  search: string,
  limits: UploadLimits,
  login: Login,
  place: FormPlace,
): Reply {
  if (chooseRepresentation(request, new URLSearchParams(search)) === "text") {
    const uses = usesAsText(uploadUses(serverUrl(request), login));
    return pageReply(request, "text", `${describeLimits(limits)}\n\n${uses}`);
  }
  const main = html`<h1>Upload</h1>
<p>${describeLimits(limits)}</p>
${uploadForm("full", place)}`;
  const content = { title: "Upload", current: "upload", skip: "Skip to the form", main } as const;
  return pageReply(request, "html", layOutPage(context, content));
}

/** The limits in words. */
export function describeLimits({ allowOverwrite, maximumSize }: UploadLimits): string {
  const size = maximumSize === null ? "" : ` A file may have up to ${humanSize(maximumSize)}.`;
  const taken = allowOverwrite
    ? " A file of the same name is replaced."
    : " A file whose name is taken gets a number; nothing is replaced.";
  return `A file is stored when all of it has arrived.${taken}${size}`;
}

/** What became of an upload, as a page. */
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
    ? " in place of the one before"
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

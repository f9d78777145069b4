/*
 * The script of the pages: a search box that filters while the reader types, times in the reader's time
 * zone, a choice of colours, and uploads by drag and drop with their progress. The pages work without it;
 * only these features are missing then.
 */

/**
 * Creates an element with attributes and children. Strings are added as text, never as HTML.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0");

/** Shows times in the reader's time zone, with the exact time as their title. @param {ParentNode} root */
function localizeTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.getAttribute("datetime") ?? "");
    if (Number.isNaN(date.getTime())) continue;
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    time.setAttribute("title", time.getAttribute("datetime") ?? "");
    time.textContent = `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
  }
  for (const zone of document.querySelectorAll("[data-zone]")) zone.remove();
}

/**
 * An entry of the listing: its name as the filter compares it, and its row, created when first shown.
 *
 * @typedef {{ name: string, row: () => HTMLElement }} Item
 *
 * An entry that has no row in the page yet, as the server writes it (`restAsData`).
 * @typedef {[name: string, icon: string, size: number | null, time: number | null, href?: string,
 *   peer?: string]} RestEntry
 */

/** @param {RestEntry} entry */
function makeRow([name, icon, size, time, href, peer]) {
  const slash = icon === "directory" ? "/" : "";
  const address = href ?? `./${encodeURIComponent(name)}${slash}`;
  const label = [element("bdi", {}, name), slash];
  const link = address === ""
    ? element("span", { class: icon }, ...label)
    : element("a", { class: icon, href: address }, ...label);
  const head = element("th", { scope: "row" }, link);
  if (peer !== undefined) {
    const host = peer.replace(/^https?:\/\/|\/$/gi, "");
    head.append(" ", element("span", { class: "remote" }, `on ${host}`));
  }
  const row = element("tr", {}, head, element("td", {}), element("td", {}));
  if (size !== null) {
    const title = size === 1 ? "1 byte" : `${size.toLocaleString("en")} bytes`;
    row.cells[1]?.append(element("data", { value: String(size), title }, humanSize(size)));
  }
  // A broken clock may have left a time that is not in years of four digits.
  const date = new Date((time ?? NaN) * 1000);
  if (date.getUTCFullYear() >= 0 && date.getUTCFullYear() <= 9999) {
    const datetime = date.toISOString().replace(".000", "");
    row.cells[2]?.append(element("time", { datetime }, datetime));
  }
  localizeTimes(row);
  return row;
}

/**
 * Normalizes a name as the server does (`foldName` in search.ts): neither its case nor the encoding of its accents
 * matters. A Mac writes an accent as a character of its own.
 *
 * @param {string} name
 */
const foldName = (name) => name.normalize("NFC").toLowerCase();

/** Number of rows that are drawn at a time. A browser takes seconds for tens of thousands. */
const ROWS = 500;

/** With fewer letters than this, the server is not asked. */
const MIN_SEARCH = 2;

/** Makes the search box filter the rows while the reader types, and search the directories below. */
function improveSearch() {
  const form = document.querySelector("[data-search]");
  const box = form?.querySelector("input");
  const status = document.querySelector("[data-totals]");
  if (!form || !box || status === null) return;
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLElement && event.target.matches("input, textarea");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
    event.preventDefault();
    box.focus();
    box.select();
  });
  const table = document.querySelector("[data-listing]");
  const body = table?.querySelector("tbody");
  // The results of a search are not filtered: a new search loads a new page.
  if (!body || new URLSearchParams(location.search).has("search")) return;

  const parent = body.querySelector(".parent");
  /** @type {Item[]} */
  const items = [...body.querySelectorAll("tr:not(.parent)")].map((row) => ({
    name: foldName(row.querySelector("th > :first-child")?.textContent ?? ""),
    row: () => /** @type {HTMLElement} */ (row),
  }));
  const hasDirectories = body.querySelector("a.directory") !== null;
  /** @type {RestEntry[]} */
  const rest = JSON.parse(document.querySelector("[data-rest]")?.textContent ?? "[]");
  document.querySelector("[data-parts]")?.remove();
  for (const entry of rest) {
    /** @type {HTMLElement | null} */
    let row = null;
    items.push({ name: foldName(entry[0]), row: () => row ??= makeRow(entry) });
  }
  const below = element("tbody", { class: "below", hidden: "" });
  body.after(below);
  const all = status.textContent ?? "";
  const more = element("button", { type: "button", class: "second more", hidden: "" });
  table?.after(more);

  let matches = items;
  let drawn = items.length - rest.length;
  let summary = all;

  /** Draws the next rows. */
  function draw() {
    body?.append(...matches.slice(drawn, drawn + ROWS).map(({ row }) => row()));
    drawn = Math.min(matches.length, drawn + ROWS);
    showMore();
  }

  function showMore() {
    const left = matches.length - drawn;
    more.hidden = left === 0;
    more.textContent = `Show more (${left.toLocaleString("en")} left)`;
  }

  more.addEventListener("click", draw);
  // Scrolling near the button clicks it too.
  new IntersectionObserver((seen) => {
    if (seen.some(({ isIntersecting }) => isIntersecting) && !more.hidden) draw();
  }, { rootMargin: "800px" }).observe(more);

  function apply() {
    const words = foldName(box?.value ?? "").split(/\s+/).filter((word) => word !== "");
    matches = words.length === 0
      ? items
      : items.filter(({ name }) => words.every((word) => name.includes(word)));
    drawn = 0;
    body?.replaceChildren(...(parent === null ? [] : [parent]));
    draw();
    const [shown, total] = [matches.length, items.length].map((number) =>
      number.toLocaleString("en")
    );
    summary = words.length === 0 ? all : `${shown} of ${total} shown`;
    if (status !== null) status.textContent = summary;
  }

  let waiting = 0;
  let asking = new AbortController();

  /** Asks the server to search the directories below, when the reader pauses. */
  function searchBelow() {
    clearTimeout(waiting);
    asking.abort();
    below.hidden = true;
    const text = box?.value.trim() ?? "";
    if (!hasDirectories || text.length < MIN_SEARCH) return;
    asking = new AbortController();
    const { signal } = asking;
    waiting = setTimeout(() => {
      askBelow(text, signal).catch((error) => {
        if (!signal.aborted && status !== null) {
          status.textContent = `${summary}. The search below failed: ${error.message}`;
        }
      });
    }, 250);
  }

  /** @param {string} text @param {AbortSignal} signal */
  async function askBelow(text, signal) {
    if (status !== null) status.textContent = `${summary}, searching below …`;
    const query = `?search=${encodeURIComponent(text)}`;
    const reply = await fetch(query, { signal, headers: { Accept: "text/html" } });
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    if (signal.aborted || status === null) return;
    // The entries of this directory are shown already.
    const rows = [...page.querySelectorAll("[data-listing] tbody tr")]
      .filter((row) => /.\/./.test(row.querySelector("bdi")?.textContent ?? ""));
    const found = page.querySelector("[data-totals]")?.textContent ?? "";
    const ending = /\. (.*)$/.exec(found)?.[1];
    const count = `${rows.length.toLocaleString("en")} below`;
    status.textContent = `${summary}, ${count}${ending === undefined ? "" : `. ${ending}`}`;
    const head = element("th", { colspan: "3", scope: "rowgroup" }, "In directories below");
    below.replaceChildren(element("tr", { class: "group" }, head), ...rows);
    localizeTimes(below);
    below.hidden = rows.length === 0;
  }

  let isWaiting = false;
  box.addEventListener("input", () => {
    searchBelow();
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      apply();
    });
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    box.value = "";
    searchBelow();
    apply();
  });
  showMore();
  // When the reader comes back to the page, the browser restores the text in the box.
  if (box.value !== "") {
    apply();
    searchBelow();
  }
}

/**
 * The server's reply to an upload.
 *
 * @typedef {{
 *   uploaded: { name: string }[],
 *   failed: { name: string, reason: string }[],
 * }} Outcome
 */

/** @param {string} text @returns {Outcome | null} */
function readOutcome(text) {
  try {
    const outcome = JSON.parse(text);
    return Array.isArray(outcome?.uploaded) && Array.isArray(outcome?.failed) ? outcome : null;
  } catch {
    return null;
  }
}

/** @param {number} bytes */
function humanSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let unit = "B";
  for (unit of ["KiB", "MiB", "GiB", "TiB"]) {
    value /= 1024;
    if (value < 999.5) break;
  }
  return `${value.toFixed(value < 99.95 ? 1 : 0)} ${unit}`;
}

/**
 * A file and its path: the name, preceded by directories when a whole directory is uploaded.
 *
 * @typedef {{ file: File, path: string }} NamedFile
 * @typedef {NamedFile & { row: Element }} Upload
 */

/** @param {Iterable<File>} files @returns {NamedFile[]} */
function named(files) {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/**
 * Adds a button that uploads a whole directory, if the browser supports it.
 *
 * @param {Element} form
 * @param {(files: NamedFile[]) => void} add
 */
function addFolderButton(form, add) {
  const input = /** @type {HTMLInputElement} */ (element("input", {
    type: "file",
    hidden: "",
    webkitdirectory: "",
    "aria-label": "Folder to upload",
  }));
  if (!("webkitdirectory" in input)) return;
  const button = element("button", { type: "button", class: "second" }, "Upload a folder");
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    add(named(input.files ?? []));
    input.value = "";
  });
  form.append(button, input);
}

/** The largest number of files in a dropped folder. */
const MAX_DROPPED = 100_000;

/**
 * Collects all files in a dropped directory.
 *
 * @param {FileSystemDirectoryEntry} directory
 * @param {NamedFile[]} found
 */
async function collect(directory, found) {
  const reader = directory.createReader();
  while (true) {
    // Each call returns up to a hundred entries; none at the end.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (found.length >= MAX_DROPPED) {
        throw new Error(`It has more than ${MAX_DROPPED} files: upload its subfolders one by one.`);
      }
      if (entry.isDirectory) await collect(entry, found);
      else {
        const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
        found.push({ file, path: entry.fullPath.replace(/^\//, "") });
      }
    }
  }
}

/** The key in sessionStorage of the report that the page shows after it was reloaded. */
const REPORT = "pacserve-uploaded";

/** @param {string} report */
function leaveReport(report) {
  try {
    sessionStorage.setItem(REPORT, report);
  } catch {
    // The listing itself shows the new files.
  }
}

/** @returns {string} */
function takeReport() {
  try {
    const report = sessionStorage.getItem(REPORT) ?? "";
    sessionStorage.removeItem(REPORT);
    return report;
  } catch {
    return "";
  }
}

/** Improves the upload form: it sends files one after the other, and shows the progress of each. */
function improveUpload() {
  const section = document.querySelector("[data-upload]");
  const form = section?.querySelector("form");
  const input = /** @type {HTMLInputElement | null} */ (
    form?.querySelector("input[type=file]") ?? null
  );
  if (section === null || form === null || form === undefined || input === null) return;
  const { action } = form;
  const field = input.name;
  const isHere = section.hasAttribute("data-here");
  const place = section.querySelector("[data-place]");
  addFolderButton(form, add);
  const list = element("ul", { class: "transfers", "aria-label": "Uploads" });
  const status = element("p", { role: "status" });
  section.append(list, status);
  for (const hint of section.querySelectorAll("[data-drop-hint]")) hint.removeAttribute("hidden");

  /** @type {Upload[]} */
  const queue = [];
  let isSending = false;
  let stored = 0;
  let failed = 0;
  let hasNewNames = false;
  status.textContent = takeReport();

  /** @param {Iterable<NamedFile>} files */
  function add(files) {
    for (const { file, path } of files) {
      const row = element("li", {});
      list.append(row);
      queue.push({ file, path, row });
      row.append(
        element("span", {}, path),
        element("span", { class: "quiet" }, humanSize(file.size)),
      );
    }
    if (!isSending) sendNext();
  }

  /** Shows why a path cannot be uploaded. @param {string} path @param {string} reason */
  function refuse(path, reason) {
    failed++;
    const note = element("span", { class: "note bad" }, reason);
    list.append(element("li", {}, element("span", {}, path), element("span", {}), note));
    if (!isSending) finish();
  }

  function sendNext() {
    const next = queue.shift();
    isSending = next !== undefined;
    if (next !== undefined) send(next);
    else finish();
  }

  function finish() {
    const counts = `${stored} uploaded` + (failed === 0 ? "" : `, ${failed} failed`);
    if (isHere && failed === 0 && stored > 0 && !hasNewNames) {
      // Reload to show the new files, unless the reader has to see why one failed or got another name.
      leaveReport(`${counts}.`);
      location.reload();
      return;
    }
    status.replaceChildren(`${counts}. `);
    if (stored === 0) return;
    if (isHere) status.append(element("a", { href: "" }, "Show the files"));
    else if (place !== null) {
      status.append(
        "The files are in ",
        element("a", { href: place.getAttribute("href") ?? "/" }, place.textContent ?? ""),
        ".",
      );
    }
  }

  /** @param {Upload} upload */
  function send(upload) {
    const { file, path, row } = upload;
    row.replaceChildren(element("span", {}, path));
    const progress = /** @type {HTMLProgressElement} */ (element("progress", {
      "aria-label": `Progress of ${path}`,
      max: "1",
      value: "0",
    }));
    const note = element("span", { class: "note" });
    const cancel = element("button", { type: "button", "aria-label": `Cancel ${path}` }, "Cancel");
    row.append(cancel, progress, note);
    const request = new XMLHttpRequest();
    const started = performance.now();

    /** @param {boolean} isStored @param {string} text */
    function settle(isStored, text) {
      if (isStored) stored++;
      else failed++;
      progress.remove();
      if (isStored) cancel.replaceWith(element("span", { class: "quiet" }, humanSize(file.size)));
      else {
        const again = element("button", { type: "button", "aria-label": `Retry ${path}` }, "Retry");
        again.addEventListener("click", () => {
          failed--;
          again.remove();
          queue.push(upload);
          if (!isSending) sendNext();
        });
        cancel.replaceWith(again);
        if (document.activeElement === document.body) again.focus();
      }
      note.className = isStored ? "note good" : "note bad";
      note.textContent = text;
      sendNext();
    }

    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable || event.total === 0) return;
      progress.value = event.loaded / event.total;
      const seconds = (performance.now() - started) / 1000;
      const speed = seconds > 0.5 ? `, ${humanSize(Math.round(event.loaded / seconds))}/s` : "";
      note.textContent = `${humanSize(event.loaded)} of ${humanSize(event.total)}${speed}`;
    });
    request.addEventListener("load", () => {
      const outcome = readOutcome(request.responseText);
      const [done] = outcome?.uploaded ?? [];
      const [refused] = outcome?.failed ?? [];
      if (refused !== undefined) settle(false, `Not stored: ${refused.reason}`);
      else if (done !== undefined) {
        // Compare with our path: in the request, a browser changes quotation marks.
        if (done.name !== path) hasNewNames = true;
        settle(true, done.name === path ? "Stored." : `Stored as ${done.name}.`);
      } else settle(false, request.responseText.slice(0, 300) || `Status ${request.status}`);
    });
    request.addEventListener(
      "error",
      () => settle(false, "The connection broke off: nothing was stored."),
    );
    request.addEventListener("abort", () => settle(false, "Cancelled: nothing was stored."));
    cancel.addEventListener("click", () => request.abort());
    request.open("POST", action);
    request.setRequestHeader("Accept", "application/json");
    const body = new FormData();
    // Send the path as the file's name: the server creates the directories.
    body.append(field, file, path);
    request.send(body);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.files !== null) add(named(input.files));
    form.reset();
  });
  acceptDrops(section, add, refuse);
  addEventListener("beforeunload", (event) => {
    if (isSending) event.preventDefault();
  });
}

/**
 * Accepts files that are dropped anywhere on the page.
 *
 * @param {Element} section
 * @param {(files: NamedFile[]) => void} add
 * @param {(path: string, reason: string) => void} refuse
 */
function acceptDrops(section, add, refuse) {
  // Count, because entering a child is reported before leaving its parent.
  let depth = 0;
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
  /** @param {number} value */
  function setDepth(value) {
    depth = Math.max(0, value);
    document.body.classList.toggle("dragging", depth > 0);
  }
  document.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    setDepth(depth + 1);
  });
  document.addEventListener("dragleave", () => setDepth(depth - 1));
  document.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    setDepth(0);
    section.scrollIntoView({ block: "nearest" });
    const files = [];
    const directories = [];
    for (const item of event.dataTransfer?.items ?? []) {
      const entry = item.webkitGetAsEntry?.();
      if (entry?.isDirectory) directories.push(entry);
      else {
        const file = item.getAsFile();
        if (file !== null) files.push(file);
      }
    }
    add(named(files));
    for (const directory of directories) void addDirectory(directory);
  });

  /** @param {FileSystemEntry} directory */
  async function addDirectory(directory) {
    /** @type {NamedFile[]} */
    const found = [];
    try {
      await collect(/** @type {FileSystemDirectoryEntry} */ (directory), found);
      if (found.length > 0) add(found);
      else refuse(`${directory.name}/`, "The folder has no files in it.");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      refuse(`${directory.name}/`, `The folder cannot be read. ${reason}`);
    }
  }
}

/** The key of the reader's choice in localStorage. Without storage, the choice applies to this page only. */
const THEME = "pacserve-theme";

/** @returns {string} */
function storedTheme() {
  try {
    return localStorage.getItem(THEME) ?? "system";
  } catch {
    return "system";
  }
}

/** @param {string} theme */
function applyTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Adds the switch between light and dark. The default is the system's setting. */
function addThemeSwitch() {
  const themes = { system: "System", light: "Light", dark: "Dark" };
  const options = Object.entries(themes).map(([value, label]) =>
    element("option", { value }, label)
  );
  const select = /** @type {HTMLSelectElement} */ (
    element("select", { "aria-label": "Colours" }, ...options)
  );
  select.value = storedTheme();
  select.addEventListener("change", () => {
    applyTheme(select.value);
    try {
      localStorage.setItem(THEME, select.value);
    } catch {
      // The choice applies to this page only.
    }
  });
  document.querySelector(".top")?.append(select);
}

/**
 * Updates the changing parts of a page: loads the page again and replaces the parts that differ. A part
 * that contains the focus is not replaced.
 */
function keepUpToDate() {
  const region = document.querySelector("[data-refresh]");
  if (region === null) return;
  const pause = Number(region.getAttribute("data-refresh"));
  const trouble = region.querySelector("[data-refresh-trouble]");
  /** @type {Map<string, string>} */
  const shown = new Map();
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      for (const part of region.querySelectorAll("[data-live]")) {
        const name = part.getAttribute("data-live") ?? "";
        const fresh = page.querySelector(`[data-live="${name}"]`);
        if (fresh === null || shown.get(name) === fresh.innerHTML) continue;
        if (part.contains(document.activeElement)) continue;
        shown.set(name, fresh.innerHTML);
        part.replaceChildren(...fresh.childNodes);
      }
      localizeTimes(region);
      trouble?.setAttribute("hidden", "");
    } catch {
      // The server may be restarting.
      trouble?.removeAttribute("hidden");
    }
  };
  const goOn = async () => {
    await refresh();
    setTimeout(goOn, pause);
  };
  setTimeout(goOn, pause);
  document.addEventListener("visibilitychange", refresh);
}

addThemeSwitch();
localizeTimes(document);
improveSearch();
improveUpload();
keepUpToDate();

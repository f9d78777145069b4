/*
 * What makes the pages better where script runs: a filter box, times of the reader's own zone, and
 * uploads by drag and drop with their progress. Without it everything else works all the same.
 */

/**
 * An element with attributes and children; texts become text, never HTML.
 *
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0");

/** Shows times in the reader's zone, and the exact time as their title. */
function localizeTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const date = new Date(time.getAttribute("datetime") ?? "");
    if (Number.isNaN(date.getTime())) continue;
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    time.setAttribute("title", time.getAttribute("datetime") ?? "");
    time.textContent = `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
  }
  for (const zone of document.querySelectorAll("[data-zone]")) zone.remove();
}

/** Puts a box above the listing that leaves only rows with all its words in their name. */
function addFilterBox() {
  const table = document.querySelector("[data-listing]");
  const tools = document.querySelector("[data-tools]");
  const totals = document.querySelector("[data-totals]");
  if (table === null || tools === null || totals === null) return;
  const rows = [...table.querySelectorAll("tbody tr:not(.parent)")].map((row) => ({
    row,
    name: (row.querySelector("th > :first-child")?.textContent ?? "").toLowerCase(),
  }));
  if (rows.length < 2) return;
  const status = totals;
  const all = status.textContent ?? "";
  const box = /** @type {HTMLInputElement} */ (element("input", {
    type: "search",
    placeholder: "Filter by name",
    "aria-label": "Filter by name",
    autocomplete: "off",
    spellcheck: "false",
    "aria-keyshortcuts": "/",
  }));

  function apply() {
    const words = box.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    let shown = 0;
    for (const { row, name } of rows) {
      const matches = words.every((word) => name.includes(word));
      if (matches) shown++;
      row.toggleAttribute("hidden", !matches);
    }
    status.textContent = words.length === 0 ? all : `${shown} of ${rows.length} shown`;
  }

  let isWaiting = false;
  box.addEventListener("input", () => {
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
    apply();
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLElement && event.target.matches("input, textarea");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
    event.preventDefault();
    box.focus();
  });
  const label = element("label", {}, box);
  tools.prepend(label);
  // The browser fills the box again when the reader comes back to the page.
  if (box.value !== "") apply();
}

/**
 * What the server says about an upload.
 *
 * @typedef {{
 *   uploaded: { name: string, requested: string }[],
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
 * A file and its path: its name, with the directories before it when a whole directory is uploaded.
 *
 * @typedef {{ file: File, path: string }} NamedFile
 * @typedef {NamedFile & { row: Element }} Upload
 */

/** @param {Iterable<File>} files @returns {NamedFile[]} */
function named(files) {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/**
 * A button that uploads a whole directory, where the browser can choose one.
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

/** How many files of a dropped folder are taken at the most. */
const MAX_DROPPED = 100_000;

/**
 * All files in a directory that was dropped.
 *
 * @param {FileSystemDirectoryEntry} directory
 * @param {NamedFile[]} found
 */
async function collect(directory, found) {
  const reader = directory.createReader();
  while (true) {
    // It gives a hundred at a time, and none at the end.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (found.length >= MAX_DROPPED) throw new Error(`It has more than ${MAX_DROPPED} files.`);
      if (entry.isDirectory) await collect(entry, found);
      else {
        const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
        found.push({ file, path: entry.fullPath.replace(/^\//, "") });
      }
    }
  }
}

/** Takes over the upload form: files go one after the other, each with its own progress. */
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

  /** Says of what cannot be uploaded why. @param {string} path @param {string} reason */
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
    if (isHere && failed === 0 && stored > 0) {
      // Shows the new files; where something failed, the reader wants to see why first.
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
    const cancel = element("button", { type: "button" }, "Cancel");
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
        const again = element("button", { type: "button" }, "Retry");
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
        settle(true, done.name === done.requested ? "Stored." : `Stored as ${done.name}.`);
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
    // The path as its name: the server makes the directories.
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
 * Takes files that are dropped anywhere on the page.
 *
 * @param {Element} section
 * @param {(files: NamedFile[]) => void} add
 * @param {(path: string, reason: string) => void} refuse
 */
function acceptDrops(section, add, refuse) {
  // Entering a child of an element is told before leaving the element itself: so count.
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

/** Where the reader's choice is kept; where it may not be kept, it holds for the page. */
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

/** Lets the reader choose between light and dark; the system's choice is where it begins. */
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
      // It holds for this page.
    }
  });
  document.querySelector(".top")?.append(select);
}

/**
 * Keeps the parts of a page that change up to date: asks for the page again, and puts in what differs.
 * A part in which the reader is stays as it is.
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
      localizeTimes();
      trouble?.setAttribute("hidden", "");
    } catch {
      // It may be restarted just now.
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

applyTheme(storedTheme());
addThemeSwitch();
localizeTimes();
addFilterBox();
improveUpload();
keepUpToDate();

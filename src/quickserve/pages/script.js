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
  const list = element("ul", { class: "transfers", "aria-label": "Uploads" });
  const status = element("p", { role: "status" });
  section.append(list, status);
  for (const hint of section.querySelectorAll("[data-drop-hint]")) hint.removeAttribute("hidden");

  /** @type {{ file: File, row: Element }[]} */
  const queue = [];
  let isSending = false;
  let stored = 0;
  let failed = 0;

  /** @param {Iterable<File>} files */
  function add(files) {
    for (const file of files) {
      const row = element(
        "li",
        {},
        element("span", {}, file.name),
        element("span", {
          class: "quiet",
        }, humanSize(file.size)),
      );
      list.append(row);
      queue.push({ file, row });
    }
    if (!isSending) sendNext();
  }

  function sendNext() {
    const next = queue.shift();
    isSending = next !== undefined;
    if (next !== undefined) send(next.file, next.row);
    else finish();
  }

  function finish() {
    status.textContent = `${stored} uploaded` + (failed === 0 ? "." : `, ${failed} failed.`);
    // Shows the new files; where something failed, the reader wants to see why first.
    if (failed === 0 && document.querySelector("[data-listing], .empty") !== null) {
      location.reload();
    }
  }

  /** @param {File} file @param {Element} row */
  function send(file, row) {
    const progress = /** @type {HTMLProgressElement} */ (element("progress", {
      "aria-label": `Progress of ${file.name}`,
      max: "1",
      value: "0",
    }));
    const note = element("span", { class: "note" });
    const cancel = element("button", { type: "button" }, "Cancel");
    const size = row.lastElementChild;
    size?.replaceWith(cancel);
    row.append(progress, note);
    const request = new XMLHttpRequest();
    const started = performance.now();

    /** @param {boolean} isStored @param {string} text */
    function settle(isStored, text) {
      if (isStored) stored++;
      else failed++;
      progress.remove();
      cancel.remove();
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
    request.addEventListener("error", () => settle(false, "The connection broke off."));
    request.addEventListener("abort", () => settle(false, "Cancelled: nothing was stored."));
    cancel.addEventListener("click", () => request.abort());
    request.open("POST", action);
    request.setRequestHeader("Accept", "application/json");
    const body = new FormData();
    body.append(field, file);
    request.send(body);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.files !== null) add(input.files);
    form.reset();
  });
  acceptDrops(section, add);
  addEventListener("beforeunload", (event) => {
    if (isSending) event.preventDefault();
  });
}

/**
 * Takes files that are dropped anywhere on the page.
 *
 * @param {Element} section
 * @param {(files: File[]) => void} add
 */
function acceptDrops(section, add) {
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
    for (const item of event.dataTransfer?.items ?? []) {
      // A directory looks like a file that cannot be read.
      if (item.webkitGetAsEntry?.()?.isDirectory) continue;
      const file = item.getAsFile();
      if (file !== null) files.push(file);
    }
    add(files);
  });
}

localizeTimes();
addFilterBox();
improveUpload();

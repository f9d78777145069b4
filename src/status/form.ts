/**
 * Checks that data has the form of a status. Another program may answer on pacserve's port and call itself
 * pacserve, because every user of the machine can start one.
 */

import type { Snapshot } from "./snapshot.ts";
import { field } from "../json.ts";
import { DIRECTIONS, FILE_SOURCES } from "./traffic.ts";

/**
 * The form that data must have: a type (a question mark also allows null), a text that matches an
 * expression, a list of items of one form, or an object with at least these fields.
 */
type Form =
  | "text"
  | "text?"
  | "number"
  | "number?"
  | "boolean"
  | RegExp
  | readonly [item: Form]
  | { readonly [name: string]: Form };

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]{5,12}Z$/;

const AMOUNT: Form = { files: "number", bytes: "number" };

const FLOWS: Form = all(DIRECTIONS, all(FILE_SOURCES, AMOUNT));

const PERIOD: Form = { ...FLOWS, saved: { here: AMOUNT, others: AMOUNT } };

/** The form of the parts of a {@link Snapshot} that the commands read. */
const SNAPSHOT: Form = {
  program: { name: "text", version: "text" },
  running: { since: TIME, seconds: "number" },
  addresses: ["text"],
  peers: [{
    url: "text",
    state: /^(?:candidate|alive|backoff)$/,
    foundBy: ["text"],
    roundTrip: "number?",
    rate: "number?",
    received: AMOUNT,
    failures: "number",
    trouble: "text?",
  }],
  discovery: { means: ["text"], interfaces: ["text"] },
  mirrors: [{
    origin: "text",
    state: /^(?:answers|fails|not asked)$/,
    rate: "number?",
    received: AMOUNT,
    failures: "number",
  }],
  transfers: [{
    direction: /^(?:receiving|sending)$/,
    file: "text",
    size: "number?",
    done: "number",
    rate: "number",
    from: "text?",
    to: "text?",
  }],
  counters: {
    kept: "boolean",
    installed: TIME,
    sinceStart: PERIOD,
    today: PERIOD,
    sinceInstallation: PERIOD,
  },
  problems: ["text"],
};

/** True for data with all fields that this program's commands read, in a status of its version. */
export function isSnapshot(data: unknown): data is Snapshot {
  return hasForm(data, SNAPSHOT);
}

function hasForm(data: unknown, form: Form): boolean {
  if (form === "text" || form === "text?") {
    return typeof data === "string" || (data === null && form === "text?");
  }
  if (form === "number" || form === "number?") {
    const isAmount = typeof data === "number" && data >= 0 && data <= Number.MAX_SAFE_INTEGER;
    return isAmount || (data === null && form === "number?");
  }
  if (form === "boolean") return typeof data === "boolean";
  if (form instanceof RegExp) return typeof data === "string" && form.test(data);
  if (isList(form)) return Array.isArray(data) && data.every((item) => hasForm(item, form[0]));
  return Object.entries(form).every(([name, part]) => hasForm(field(data, name), part));
}

function isList(form: object): form is readonly [Form] {
  return Array.isArray(form);
}

/** Returns an object with the same form for each of these names. */
function all(names: readonly string[], form: Form): { readonly [name: string]: Form } {
  return Object.fromEntries(names.map((name) => [name, form]));
}

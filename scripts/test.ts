/**
 * `deno task test`: runs every check and every test, one after the other. The last line of the output
 * says how many passed and how many failed.
 *
 * Arguments select what runs: directories of `tests/` (`deno task test lan peers`), `fuzz`, `soak`, or
 * single files (`deno task test lan/relay_test.ts`).
 *
 * Tests that use pacman, makepkg or systemd run with the versions that Arch has: see {@link ArchRoot}.
 */

import { existsSync } from "node:fs";
import { Failure } from "../src/failure.ts";
import { killAll, must, removeTree } from "../tests/lan/process.ts";
import { environmentFor } from "../tests/lan/repository.ts";
import { ArchRoot } from "./arch_root.ts";
import { add, afterSecondRun, type Count, countReport, type FailedTest, NOTHING } from "./junit.ts";
import { fetchLibraries } from "./program.ts";
import { provideTools } from "./tools.ts";

const top = new URL("..", import.meta.url).pathname;

/** Checks that are not tests; each counts as one test. */
const checks: Readonly<Record<string, readonly string[]>> = {
  "formatting": ["fmt", "--check", "--quiet"],
  "lint": ["lint", "--quiet"],
  "types": ["check", "--frozen", "--quiet"],
  // It runs in browsers: other globals, so another configuration.
  "types of the pages' scripts": [
    ...["check", "--quiet", "--config", "src/quickserve/pages/script_check.json"],
    "src/quickserve/pages/script.js",
    "src/quickserve/pages/theme.js",
  ],
};

/** Programs that print a count of passed and failed as their last line. Their time is bounded. */
const programs: Readonly<Record<string, readonly string[]>> = {
  fuzz: ["run", "--frozen", "-A", "fuzz/main.ts", "--seconds", "60"],
  soak: ["run", "--frozen", "-A", "soak/main.ts", "--minutes", "2"],
};

/** The system whose programs the tests of a directory use. */
type System = "Arch's programs" | "this machine's programs";

/** The systems of directories that use pacman, makepkg or systemd. All others use this machine's. */
const systems: Readonly<Record<string, readonly System[]>> = {
  doctor: ["Arch's programs"],
  lan: ["Arch's programs", "this machine's programs"],
  once: ["Arch's programs"],
  package: ["Arch's programs"],
  pacsrv: ["Arch's programs"],
  systemd: ["Arch's programs"],
};

/** The directories whose tests use the packages of `tests/lan/repository.ts`. */
const scenes: readonly string[] = ["lan", "rescan", "systemd", "wire"];

/**
 * The directories whose files run side by side, and how many of them at once (null: as many as there are
 * processors). The tests of all others measure time, or use the whole machine.
 */
const parallel: Readonly<Record<string, number | null>> = {
  // These wait for the next look at the interfaces most of the time.
  rescan: 6,
  unit: null,
};

/** The directory whose tests start a program that itself enters the system with Arch's programs. */
const demonstration = "demo";

/** Tests that run in one process of `deno test`. */
interface Group {
  readonly directory: string;
  /** Paths below `tests/`: the directory itself, or files in it. */
  readonly paths: readonly string[];
  readonly system: System;
}

/** After how many minutes the tests of a directory are killed. Each test also has its own deadline. */
const longest = 40;

/** Paths to remove when the run ends, also when it is interrupted. */
const temporary: string[] = [];

/** The running child processes. */
const running = new Set<Deno.ChildProcess>();

function say(line: string): void {
  console.log(line);
}

/**
 * Runs `deno`, which inherits our standard output; returns true when it succeeded.
 *
 * @param wrapper words before the command that make it run in another system.
 */
async function deno(
  words: readonly string[],
  environment = {},
  wrapper: readonly string[] = [],
): Promise<boolean> {
  const [program, ...rest] = [...wrapper, Deno.execPath(), ...words];
  const child = new Deno.Command(program ?? "", {
    args: rest,
    cwd: top,
    env: environment,
    stdin: "null",
  }).spawn();
  running.add(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), longest * 60_000);
  try {
    return (await child.status).success;
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}

/** The count of something that failed without a report. */
function failure(file: string, number = 1): Count {
  const failed = Array.from({ length: number }, () => ({ file, name: "", error: "see above" }));
  return { ...NOTHING, failed };
}

async function check(name: string, words: readonly string[]): Promise<Count> {
  const good = await deno(words);
  say(`${good ? "ok    " : "FAILED"}  ${name}`);
  return good ? { ...NOTHING, passed: 1 } : failure(name);
}

/** If more files than this have failures, something is broken, and no second run helps. */
const MOST_AGAIN = 3;

/** Runs groups of tests, and keeps what they share. */
class Tests {
  readonly #root: ArchRoot | null;
  /** Environment variables with the repositories that {@link scenes} use, by system. */
  readonly #repositories = new Map<System, Record<string, string>>();

  /** @param root the system with Arch's programs; may be null when no group needs it. */
  constructor(root: ArchRoot | null) {
    this.#root = root;
  }

  /**
   * Runs a group, and once more its files with tests that failed, unless many did. These tests use real
   * networks and time limits, and another program may take the processor for a moment. What passes only the
   * second time is reported apart, because it can also be a fault that appears now and then.
   */
  async run(group: Group): Promise<Count> {
    const first = await this.#runOnce(group);
    const files = [...new Set(first.failed.map(({ file }) => file.replace(/^tests\//, "")))];
    if (files.length === 0 || files.length > MOST_AGAIN || !files.every(isTestFile)) return first;
    say(`\n── Once more: ${files.join(", ")}`);
    return afterSecondRun(first, await this.#runOnce({ ...group, paths: files }));
  }

  /** If a module cannot be loaded, that counts as one failed test. */
  async #runOnce({ directory, paths, system }: Group): Promise<Count> {
    const title = systems[directory] === undefined ? directory : `${directory} with ${system}`;
    say(`\n── tests/${title} ${"─".repeat(Math.max(0, 70 - title.length))}`);
    const report = await Deno.makeTempFile({ prefix: "pacserve-report-" });
    temporary.push(report);
    const jobs = parallel[directory];
    const good = await deno(
      [
        ...["test", "--frozen", "-A", ...jobs === undefined ? [] : ["--parallel"]],
        `--junit-path=${report}`,
        ...paths.map((path) => `tests/${path}`),
      ],
      {
        ...scenes.includes(directory) ? await this.#repository(system) : {},
        PACSERVE_ARCH_ROOT: this.#root?.directory ?? "",
        ...typeof jobs === "number" ? { DENO_JOBS: `${jobs}` } : {},
      },
      await this.#wrapper(system),
    );
    const count = countReport(await Deno.readTextFile(report));
    return good || count.failed.length > 0 ? count : add(count, failure(`tests/${title}`));
  }

  async #repository(system: System): Promise<Record<string, string>> {
    const made = this.#repositories.get(system);
    if (made !== undefined) return made;
    const wrapper = await this.#wrapper(system);
    const [, version] = /v([\d.]+)/.exec(await must([...wrapper, "pacman", "--version"])) ?? [];
    say(`Building the packages that the tests install, with pacman ${version} …`);
    const place = await Deno.makeTempDir({ prefix: "pacserve-repository-" });
    temporary.push(place);
    const words = ["run", "--frozen", "-A", "tests/lan/repository.ts", place];
    if (!await deno(words, {}, wrapper)) {
      throw new Failure("The packages that the tests install could not be built.");
    }
    const environment = environmentFor(place);
    this.#repositories.set(system, environment);
    return environment;
  }

  async #wrapper(system: System): Promise<string[]> {
    return system === "Arch's programs" && this.#root !== null ? await this.#root.enter() : [];
  }
}

/** The users of tools (see {@link provideTools}) among the groups and programs. */
function usersOf(groups: readonly Group[], programs: readonly string[]): string[] {
  const users = groups.map(({ directory, system }) => {
    if (system === "Arch's programs" || directory === demonstration) return "arch";
    return scenes.includes(directory) ? "scenes" : directory;
  });
  return [...users, ...programs];
}

/** Runs one of the {@link programs}. If it ends without a count, that counts as one failed test. */
async function runProgram(name: string, words: readonly string[]): Promise<Count> {
  say(`\n── ${name} ${"─".repeat(Math.max(0, 76 - name.length))}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: [...words],
    cwd: top,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  running.add(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), longest * 60_000);
  let last = "";
  try {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      await Deno.stdout.write(new TextEncoder().encode(text));
      last = (last + text).slice(-200);
    }
    const { success } = await child.status;
    const count = /(\d+) passed, (\d+) failed\n$/.exec(last);
    const [passed, failed] = [Number(count?.[1] ?? 0), Number(count?.[2] ?? 0)];
    const least = success ? failed : Math.max(failed, 1);
    return { ...failure(name, least), passed };
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}

/** The directories of `tests/` that contain tests, quick ones first. */
async function directories(): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(`${top}tests`)) {
    if (entry.isDirectory && await hasTests(`${top}tests/${entry.name}`)) found.push(entry.name);
  }
  const order = (name: string): number => ["unit", "peers", "clients"].indexOf(name) >>> 0;
  return found.sort((one, other) => order(one) - order(other) || one.localeCompare(other));
}

function isTestFile(path: string): boolean {
  return path.endsWith("_test.ts") && existsSync(`${top}tests/${path}`);
}

/** Prints tests with their errors, below a title. */
function list(title: string, tests: readonly FailedTest[]): void {
  if (tests.length === 0) return;
  say(`\n${title}`);
  for (const { file, name, error } of tests) {
    say(`  ${file}: ${name === "" ? "" : `${name}: `}${error}`);
  }
}

async function hasTests(directory: string): Promise<boolean> {
  for await (const entry of Deno.readDir(directory)) {
    if (entry.isFile && entry.name.endsWith("_test.ts")) return true;
    if (entry.isDirectory && await hasTests(`${directory}/${entry.name}`)) return true;
  }
  return false;
}

async function removeTemporary(): Promise<void> {
  for (const path of temporary.splice(0)) await removeTree(path);
}

async function main(wanted: readonly string[]): Promise<Count> {
  if (Deno.uid() !== 0) {
    throw new Failure(
      "The tests create network namespaces: run them as root (deno task test:unit needs no root).",
    );
  }
  const all = await directories();
  const known = [...all, ...Object.keys(programs)];
  const isFile = (word: string): boolean =>
    all.some((name) => word.startsWith(`${name}/`)) && existsSync(`${top}tests/${word}`);
  const unknown = wanted.find((word) => !known.includes(word) && !isFile(word));
  if (unknown !== undefined) {
    throw new Failure(
      `${unknown} is unknown: give any of ${known.join(", ")}, or a file such as unit/x_test.ts.`,
    );
  }
  const files = (name: string): string[] => wanted.filter((word) => word.startsWith(`${name}/`));
  const chosen = known.filter((name) =>
    wanted.length === 0 || wanted.includes(name) || files(name).length > 0
  );
  const groups = all.filter((name) => chosen.includes(name)).flatMap((directory) =>
    (systems[directory] ?? ["this machine's programs"] as const).map((system) => ({
      directory,
      paths: wanted.length === 0 || wanted.includes(directory) ? [directory] : files(directory),
      system,
    }))
  );
  const users = usersOf(groups, chosen.filter((name) => name in programs));
  await provideTools(users, say);
  await fetchLibraries();
  const root = users.includes("arch") ? await ArchRoot.provide(say) : null;
  if (root !== null) say(`Arch's programs are those of ${root.description}.`);
  let count = NOTHING;
  if (wanted.length === 0) {
    for (const [name, words] of Object.entries(checks)) {
      count = add(count, await check(name, words));
    }
  }
  const tests = new Tests(root);
  for (const group of groups) count = add(count, await tests.run(group));
  for (const [name, words] of Object.entries(programs)) {
    if (!chosen.includes(name)) continue;
    count = add(count, await runProgram(name, words));
  }
  return count;
}

let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    // The signal of Ctrl-C arrives twice: from the terminal, and passed on by `deno task`.
    if (interrupted) return;
    interrupted = true;
    for (const child of running) child.kill("SIGTERM");
    killAll();
    void removeTemporary().then(() => Deno.exit(signal === "SIGINT" ? 130 : 143));
  });
}

let status = 1;
try {
  const { passed, failed, unstable } = await main(Deno.args);
  status = failed.length === 0 && passed > 0 ? 0 : 1;
  list("Passed only when it ran again:", unstable);
  list("Failed:", failed);
  say(`\n${passed} passed, ${failed.length} failed`);
} catch (thrown) {
  if (!(thrown instanceof Failure)) throw thrown;
  console.error(thrown.message);
} finally {
  await removeTemporary();
}
Deno.exit(status);

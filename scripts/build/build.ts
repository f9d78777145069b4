/**
 * Builds everything that the package installs into `dist/root`, laid out as it will be under `/`.
 *
 * The environment variable `PACSERVE_FORM` selects the form: `bundled` (the default, which runs on the
 * system's deno) or `compiled` (one executable that includes the runtime). `--output <directory>` names
 * another directory than `dist`.
 */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Failure, messageOf, UsageError } from "../../src/failure.ts";
import { bundle } from "./bundle.ts";
import { DENO_OPTIONS, installedCommands, launchedCommands } from "./commands.ts";
import { compile } from "./compile.ts";
import {
  bashCompletion,
  fishCompletion,
  PACSRV_COMPLETIONS,
  zshCompletion,
} from "./completions.ts";
import { copy, emptyDirectory, write } from "./files.ts";
import { writeLicences } from "./licences.ts";
import { manPage } from "./man_page.ts";
import { MANUALS } from "./manual.ts";
import { taskPage } from "./task_page.ts";

/** The directory in which the program is installed. */
const PROGRAM_DIRECTORY = "/usr/lib/pacserve";

/** The directory for the licence notices of this program and of its libraries. */
const LICENCES = "/usr/share/licenses/pacserve";

/** The form in which the program is installed. */
type Form = "compiled" | "bundled";

/** The beginning of the command line of the bundled form; the command's permissions follow it. */
const DENO_RUN = `/usr/bin/deno ${DENO_OPTIONS.join(" ")}`;

const checkout = fileURLToPath(import.meta.resolve("../../"));

/** Files that are installed unchanged. */
const PLAIN_FILES: Readonly<Record<string, string>> = {
  "conf.d/pacserve": "/etc/conf.d/pacserve",
  "pacman.d/pacserve": "/etc/pacman.d/pacserve",
  "man/pacserve.conf.5": "/usr/share/man/man5/pacserve.conf.5",
  "libalpm/pacserve.hook": "/usr/share/libalpm/hooks/pacserve.hook",
  "LICENSE": `${LICENCES}/LICENSE`,
};

/** Scripts that others than users run. */
const SCRIPTS = ["make-root", "transaction-report"] as const;

/** Directories of which every file of that ending is installed. */
const PLAIN_DIRECTORIES: Readonly<Record<string, { to: string; ending: RegExp }>> = {
  "systemd": { to: "/usr/lib/systemd/system", ending: /\.(?:service|path)$/ },
  ".": { to: "/usr/share/doc/pacserve", ending: /\.md$/ },
  // The README's links lead there.
  "doc": { to: "/usr/share/doc/pacserve/doc", ending: /\.(?:md|png|svg|json)$/ },
  "doc/tasks": { to: "/usr/share/doc/pacserve/doc/tasks", ending: /\.md$/ },
};

/** The date of the build; SOURCE_DATE_EPOCH fixes it for reproducible builds (reproducible-builds.org). */
function buildDate(): Date {
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  return epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
}

function chosenForm(): Form {
  const form = Deno.env.get("PACSERVE_FORM") || "bundled";
  if (form === "bundled" || form === "compiled") return form;
  throw new UsageError(`PACSERVE_FORM must be bundled or compiled, not "${form}"`);
}

async function program(form: Form, output: string, root: string): Promise<void> {
  const bundles = `${output}/bundle`;
  const files = await bundle(checkout, `${output}/sources`, bundles);
  await writeLicences(files, checkout, `${root}${LICENCES}`);
  await Deno.remove(`${output}/sources`, { recursive: true });
  await Deno.mkdir(`${root}${PROGRAM_DIRECTORY}`, { recursive: true });
  if (form === "compiled") {
    return await compile(bundles, `${output}/runtime`, `${root}${PROGRAM_DIRECTORY}/pacserve`);
  }
  for await (const { name } of Deno.readDir(bundles)) {
    await copy(`${bundles}/${name}`, `${root}${PROGRAM_DIRECTORY}/${name}`);
  }
}

/**
 * The beginning of a launcher of the bundled form. It sets the directory of Deno's cache: for root, one
 * that is removed with the package, instead of root's home; for users without a home, none.
 */
const DENO_CACHE = `# The runtime shall not look for updates of itself.
export DENO_NO_UPDATE_CHECK=1
if ((EUID == 0)); then
  export DENO_DIR=/var/cache/pacserve/deno
elif [[ -z \${HOME-} ]]; then
  export DENO_DIR=\${DENO_DIR-/dev/null}
fi
`;

/** The certificates of the system, which pacman trusts, too, are good for an address with https://. */
const SYSTEM_CERTIFICATES = "export DENO_TLS_CA_STORE=system\n";

/** In a directory that was deleted the runtime does not even begin, and its message is about itself. */
const needsDirectory = (name: string): string =>
  `if ! pwd -P >/dev/null 2>&1; then
  echo '${name}: the directory in which you are does not exist any more: go to another (cd)' >&2
  exit 1
fi
`;

async function launchers(form: Form, root: string): Promise<void> {
  const pacsrv = await Deno.readTextFile(`${checkout}launchers/pacsrv`);
  for (const { name, permissions } of launchedCommands()) {
    const program = form === "compiled"
      ? `${PROGRAM_DIRECTORY}/pacserve`
      : `${DENO_RUN} ${permissions.join(" ")} ${PROGRAM_DIRECTORY}/main.js`;
    const cache = form === "compiled" ? { all: "", pacsrv: "" } : {
      all: DENO_CACHE,
      // Not exported, because pacman must not inherit these variables.
      pacsrv: 'env DENO_NO_UPDATE_CHECK=1 "DENO_DIR=$cache/pacserve/deno" ',
    };
    const text = name === "pacsrv"
      ? pacsrv.replaceAll("@PROGRAM@", () => cache.pacsrv + program)
      : `#!/bin/bash\n${needsDirectory(name)}${cache.all}${
        name === "pacserve-status" ? SYSTEM_CERTIFICATES : ""
      }exec ${program} ${name} "$@"\n`;
    await write(`${root}/usr/bin/${name}`, text, 0o755);
  }
}

async function documentation(root: string): Promise<void> {
  const date = buildDate();
  for (const command of installedCommands()) {
    const manual = MANUALS[command.name];
    if (manual === undefined) throw new Failure(`the command ${command.name} has no manual`);
    const page = `${command.name}.${command.section}`;
    await write(
      `${root}/usr/share/man/man${command.section}/${page}`,
      manPage(command, manual, date),
    );
    const pacsrv = command.name === "pacsrv" ? PACSRV_COMPLETIONS : null;
    const share = `${root}/usr/share`;
    await write(
      `${share}/bash-completion/completions/${command.name}`,
      pacsrv?.bash ?? bashCompletion(command),
    );
    await write(
      `${share}/zsh/site-functions/_${command.name}`,
      pacsrv?.zsh ?? zshCompletion(command),
    );
    await write(
      `${share}/fish/vendor_completions.d/${command.name}.fish`,
      pacsrv?.fish ?? fishCompletion(command),
    );
  }
}

/** The man pages of section 7. */
async function taskPages(root: string): Promise<void> {
  const date = buildDate();
  for await (const { name: file } of Deno.readDir(`${checkout}doc/tasks`)) {
    const { name, source } = taskPage(
      await Deno.readTextFile(`${checkout}doc/tasks/${file}`),
      date,
    );
    await write(`${root}/usr/share/man/man7/${name}.7`, source);
  }
}

async function plainFiles(root: string): Promise<void> {
  for (const [from, to] of Object.entries(PLAIN_FILES)) await copy(checkout + from, root + to);
  for (const [from, { to, ending }] of Object.entries(PLAIN_DIRECTORIES)) {
    for await (const { name } of Deno.readDir(checkout + from)) {
      if (ending.test(name)) await copy(`${checkout}${from}/${name}`, `${root}${to}/${name}`);
    }
  }
  for (const name of SCRIPTS) {
    await copy(`${checkout}launchers/${name}`, `${root}${PROGRAM_DIRECTORY}/${name}`, 0o755);
  }
}

/** Builds everything; `output` is emptied first. */
async function build(form: Form, output: string): Promise<void> {
  await emptyDirectory(output);
  const root = `${output}/root`;
  await program(form, output, root);
  await launchers(form, root);
  await documentation(root);
  await taskPages(root);
  await plainFiles(root);
}

function outputDirectory(words: string[]): string {
  try {
    const { values } = parseArgs({ args: words, options: { output: { type: "string" } } });
    return resolve(values.output ?? `${checkout}dist`);
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

try {
  const output = outputDirectory(Deno.args);
  const form = chosenForm();
  await build(form, output);
  console.log(`Built the ${form} form in ${output}/root.`);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`build: ${error.message}`);
  Deno.exit(error instanceof UsageError ? 2 : 1);
}

/**
 * Builds everything that the package installs into `dist/root`, laid out as it will be under `/`.
 *
 * The environment variable `PACSERVE_FORM` chooses the form: `bundled` (the default, which runs on the
 * system's deno) or `compiled` (one executable with the runtime in it). With `--output <directory>` it
 * is there instead of in `dist`.
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

/** Where the program lies when it is installed. */
const PROGRAM_DIRECTORY = "/usr/lib/pacserve";

/** Where notices of ours and of the libraries are installed. */
const LICENCES = "/usr/share/licenses/pacserve";

/** What the program is installed as. */
type Form = "compiled" | "bundled";

/** How the bundled form is run, before the permissions of the command. */
const DENO_RUN = `/usr/bin/deno ${DENO_OPTIONS.join(" ")}`;

const checkout = fileURLToPath(import.meta.resolve("../../"));

/** Files that are installed as they are. */
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
};

/** The time that a reproducible build takes for now (reproducible-builds.org). */
function buildDate(): Date {
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  return epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
}

function chosenForm(): Form {
  const form = Deno.env.get("PACSERVE_FORM") || "bundled";
  if (form === "bundled" || form === "compiled") return form;
  throw new UsageError(`PACSERVE_FORM is bundled or compiled, not "${form}"`);
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
 * How a launcher begins in the bundled form. What Deno keeps to start faster next time lies, for root,
 * where it goes with the package, and not in root's home; who has no home keeps nothing.
 */
const DENO_CACHE = `# The runtime shall not ask its makers for news.
export DENO_NO_UPDATE_CHECK=1
if ((EUID == 0)); then
  export DENO_DIR=/var/cache/pacserve/deno
elif [[ -z \${HOME-} ]]; then
  export DENO_DIR=\${DENO_DIR-/dev/null}
fi
`;

/** The certificates of the system, which pacman trusts, too, are good for an address with https://. */
const SYSTEM_CERTIFICATES = "export DENO_TLS_CA_STORE=system\n";

async function launchers(form: Form, root: string): Promise<void> {
  const pacsrv = await Deno.readTextFile(`${checkout}launchers/pacsrv`);
  for (const { name, permissions } of launchedCommands()) {
    const program = form === "compiled"
      ? `${PROGRAM_DIRECTORY}/pacserve`
      : `${DENO_RUN} ${permissions.join(" ")} ${PROGRAM_DIRECTORY}/main.js`;
    const cache = form === "compiled" ? { all: "", pacsrv: "" } : {
      all: DENO_CACHE,
      // Not exported: it is not pacman's.
      pacsrv: 'env DENO_NO_UPDATE_CHECK=1 "DENO_DIR=$cache/pacserve/deno" ',
    };
    const text = name === "pacsrv"
      ? pacsrv.replaceAll("@PROGRAM@", () => cache.pacsrv + program)
      : `#!/bin/bash\n${cache.all}${
        name === "pacserve-status" ? SYSTEM_CERTIFICATES : ""
      }exec ${program} ${name} "$@"\n`;
    await write(`${root}/usr/bin/${name}`, text, 0o755);
  }
}

async function documentation(root: string): Promise<void> {
  const date = buildDate();
  for (const command of installedCommands()) {
    const manual = MANUALS[command.name];
    if (manual === undefined) throw new Failure(`no manual for ${command.name}`);
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

/** Builds all of it; `output` is emptied first. */
async function build(form: Form, output: string): Promise<void> {
  await emptyDirectory(output);
  const root = `${output}/root`;
  await program(form, output, root);
  await launchers(form, root);
  await documentation(root);
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

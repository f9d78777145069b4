/**
 * Makes signed repositories with the real tools: `gpg` makes the packager's key, `makepkg` (as an ordinary
 * user, because it refuses root) builds and signs the packages, and `repo-add` makes and signs the databases.
 *
 * There are two releases, yesterday's and today's, in the layout of a mirror:
 * `<directory>/today/core/os/x86_64/core.db`. Making them takes some seconds, therefore a run of all tests makes
 * them only once ({@link sharedRepository}).
 */

import { lastingScratch } from "../scratch.ts";
import { fileNames, type Package, pkgbuild, type Recipe, recipes } from "./packages.ts";
import { must } from "./process.ts";

/** Yesterday's release and today's, which has newer versions of most packages. */
export const releases = ["yesterday", "today"] as const;

/** Name of a release. */
export type Release = typeof releases[number];

/** The user nobody. Any user except root would do. */
const ordinaryUser = 65534;

/** The time limit of a build in milliseconds, for the largest packages on a busy machine. */
const BUILD_DEADLINE = 5 * 60_000;

const packager = "Packager <packager@lan.test>";

/** Repositories on disk. */
export class Repository {
  /** Contains a directory for each release, and `keyring`, pacman's GnuPG home. */
  readonly directory: string;
  readonly packages: Readonly<Record<Release, readonly Package[]>>;

  constructor(directory: string, packages: Readonly<Record<Release, readonly Package[]>>) {
    this.directory = directory;
    this.packages = packages;
  }

  /** Returns the package of that name in a release. */
  package(name: string, release: Release = "today"): Package {
    const found = this.packages[release].find((each) => each.name === name);
    if (found === undefined) throw new Error(`no package ${name}`);
    return found;
  }

  /** Returns the path of a package file. Its signature is next to it. */
  file(each: Package): string {
    return `${this.directory}/pool/${each.fileName}`;
  }
}

/** A repository that exists while the test module runs. */
let shared: Promise<Repository> | null = null;

/**
 * Returns the repository of this test run: the one that was made before ({@link environmentFor}), else a new one
 * that is removed when this process ends.
 */
export function sharedRepository(): Promise<Repository> {
  shared ??= findOrMake();
  return shared;
}

const variable = "PACSERVE_TEST_REPOSITORY";

/**
 * Returns the environment in which test processes find a repository that was made for all of them, by running
 * this module as a program with the directory.
 */
export function environmentFor(directory: string): Record<string, string> {
  return { [variable]: directory };
}

async function findOrMake(): Promise<Repository> {
  const made = Deno.env.get(variable);
  if (made !== undefined) return await openRepository(made);
  return await makeRepository(lastingScratch());
}

/**
 * Creates the repositories.
 *
 * @param directory an existing directory, which the repository then owns.
 * @param wanted the recipes, if not all are needed.
 */
export async function makeRepository(
  directory: string,
  wanted: readonly Recipe[] = recipes,
): Promise<Repository> {
  for (const name of ["build", "gnupg", "keyring", "pool", ...releases]) {
    await Deno.mkdir(`${directory}/${name}`, { mode: name === "gnupg" ? 0o700 : 0o755 });
    await Deno.chown(`${directory}/${name}`, ordinaryUser, ordinaryUser);
  }
  await Deno.chmod(directory, 0o755);
  await asPackager(directory, `${directory}/build`, [
    ...["gpg", "--quiet", "--batch", "--passphrase", ""],
    ...["--quick-generate-key", packager, "ed25519", "sign", "never"],
  ]);
  await makeKeyring(directory);
  const builds = wanted.flatMap((recipe) =>
    recipe.versions.map((version) => ({ recipe, version }))
  );
  await inParallel(builds, ({ recipe, version }) => build(directory, recipe, version));
  for (const release of releases) await makeDatabases(directory, release, wanted);
  return await openRepository(directory, wanted);
}

/** Reads a repository that {@link makeRepository} made. */
export async function openRepository(
  directory: string,
  wanted: readonly Recipe[] = recipes,
): Promise<Repository> {
  const list = async (release: Release): Promise<Package[]> => {
    const packages = wanted.map(async (recipe) => {
      const version = versionIn(recipe, release);
      return await Promise.all(
        fileNames(recipe, version).map(async (fileName, index) => ({
          name: recipe.names[index] ?? "",
          version: `${version}-1`,
          repository: recipe.repository,
          fileName,
          size: (await Deno.stat(`${directory}/pool/${fileName}`)).size,
        })),
      );
    });
    return (await Promise.all(packages)).flat();
  };
  return new Repository(directory, {
    yesterday: await list("yesterday"),
    today: await list("today"),
  });
}

function versionIn(recipe: Recipe, release: Release): string {
  return recipe.versions[release === "today" ? 1 : 0] ?? recipe.versions[0];
}

async function build(directory: string, recipe: Recipe, version: string): Promise<void> {
  // The socket of GnuPG's agent cannot be in a directory with a colon in its name.
  const place = `${directory}/build/${recipe.names[0]}-${version.replace(":", "_")}`;
  await Deno.mkdir(place);
  await Deno.chown(place, ordinaryUser, ordinaryUser);
  await Deno.writeTextFile(`${place}/PKGBUILD`, pkgbuild(recipe, version));
  // Builds run in parallel, and the agent that signs lives only as long as the build that started it.
  const script = `cp -a '${directory}/gnupg' gnupg && export GNUPGHOME=$PWD/gnupg
    exec makepkg --nodeps --nocheck --sign --key '${packager}'`;
  await asPackager(directory, place, ["bash", "-c", script]);
  await Deno.remove(place, { recursive: true });
}

async function makeDatabases(
  directory: string,
  release: Release,
  wanted: readonly Recipe[],
): Promise<void> {
  for (const name of new Set(wanted.map((recipe) => recipe.repository))) {
    const place = `${directory}/${release}/${name}/os/x86_64`;
    const files = wanted.filter((recipe) => recipe.repository === name)
      .flatMap((recipe) => fileNames(recipe, versionIn(recipe, release)));
    const script = `set -e
      mkdir -p "$1"; cd "$1"; database=$2; shift 2
      for file; do ln "${directory}/pool/$file" "${directory}/pool/$file.sig" .; done
      repo-add --quiet --sign --key '${packager}' "$database" "$@"
      touch -d '${release}' -- *.db* *.files*`;
    const words = [place, `${name}.db.tar.gz`, ...files];
    await asPackager(directory, `${directory}/build`, ["bash", "-c", script, "bash", ...words]);
  }
}

/** Makes the keyring that `pacman-key --init` and `--add` make on a machine that trusts the packager. */
async function makeKeyring(directory: string): Promise<void> {
  const script = `set -e
    gpg --quiet --batch --export > '${directory}/build/key'
    fingerprint=$(gpg --batch --with-colons --list-keys | awk -F: '$1 == "fpr" { print $10; exit }')
    chmod 700 '${directory}/keyring'
    export GNUPGHOME='${directory}/keyring'
    touch "$GNUPGHOME/pubring.gpg" # pacman looks for this older form and warns without it
    gpg --quiet --batch --import '${directory}/build/key'
    echo "$fingerprint:6:" | gpg --quiet --batch --import-ownertrust
    gpg --quiet --batch --check-trustdb
    chmod -R go+rX '${directory}/keyring'`;
  await asPackager(directory, `${directory}/build`, ["bash", "-c", script]);
}

/**
 * Runs a program as the packager in a separate process namespace, so that the programs that it starts
 * (fakeroot's daemon, GnuPG's agent) end with it, even if it is killed.
 */
async function asPackager(
  directory: string,
  place: string,
  command: readonly string[],
): Promise<void> {
  const die = ["setpriv", "--pdeathsig", "KILL"];
  const apart = ["unshare", "--pid", "--fork", "--kill-child"];
  const user = [`--reuid=${ordinaryUser}`, `--regid=${ordinaryUser}`, "--clear-groups"];
  await must([...die, ...apart, ...die, ...user, ...command], {
    directory: place,
    deadline: BUILD_DEADLINE,
    environment: {
      HOME: `${directory}/build`,
      GNUPGHOME: `${directory}/gnupg`,
      PKGDEST: `${directory}/pool`,
      // If repo-add cannot make a temporary directory, it packs the files in the current one.
      TMPDIR: `${directory}/build`,
      PKGEXT: ".pkg.tar.zst",
      // The content is random, so compression would have no effect.
      COMPRESSZST: "zstd -c -q -1 -",
      LC_ALL: "C.UTF-8",
    },
  });
}

/** Does work for each item in parallel, at most one item for each processor. */
async function inParallel<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, worker));
}

if (import.meta.main) await makeRepository(Deno.args[0] ?? "");

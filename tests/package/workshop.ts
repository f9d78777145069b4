/**
 * Builds the package for tests: with fresh clones of the checkout, as an ordinary user with Deno and its cache of
 * npm packages, and without network.
 */

import { must, type Outcome, run } from "../lan/process.ts";
import { Scratch } from "../scratch.ts";

/** The user nobody. Any user except root would do. */
const ORDINARY_USER = "65534";

const checkout = new URL("../../", import.meta.url).pathname;

/** The time that reproducible builds use as the present. */
const EPOCH = "1700000000";

/** A directory to build packages in, which is removed at the end. */
export class Workshop implements Disposable {
  readonly #scratch = new Scratch();
  readonly directory: string = this.#scratch.directory;

  private constructor() {}

  /** Makes the user's home directory, with a copy of Deno's cache for this checkout. */
  static async create(): Promise<Workshop> {
    const workshop = new Workshop();
    const { directory } = workshop;
    await Deno.chmod(directory, 0o755);
    await Deno.mkdir(`${directory}/bin`);
    await Deno.copyFile(Deno.execPath(), `${directory}/bin/deno`);
    // Fetch all packages of the lock file that are not in the cache yet.
    await must([Deno.execPath(), "install", "--quiet", "--frozen"], { directory: checkout });
    const { denoDir } = JSON.parse(await must([Deno.execPath(), "info", "--json"])) as {
      denoDir: string;
    };
    await Deno.mkdir(`${directory}/home/.cache/deno`, { recursive: true });
    await must(["cp", "-r", `${denoDir}/npm`, `${directory}/home/.cache/deno`]);
    await must(["chown", "-R", ORDINARY_USER, directory]);
    return workshop;
  }

  /** Makes a fresh clone of the checkout, with uncommitted changes as one more commit. */
  async clone(name: string): Promise<string> {
    const place = `${this.directory}/${name}`;
    await must(["git", "clone", "--quiet", "--no-hardlinks", checkout, place]);
    const script = `set -e
      cd "$1"
      git ls-files -z --deleted | (cd "$2" && xargs -0r rm --)
      git ls-files -z --modified --others --exclude-standard |
        tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$2"
      cd "$2"
      git add --all
      git -c user.name=test -c user.email=test@localhost commit --quiet --allow-empty -m now`;
    await must(["bash", "-c", script, "bash", checkout, place]);
    await must(["chown", "-R", ORDINARY_USER, place]);
    return place;
  }

  /**
   * Runs a command as the ordinary user, without network except loopback.
   *
   * @param binds directories and where they are seen at.
   */
  async run(
    command: readonly string[],
    directory: string,
    binds: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    const mounts = Object.entries(binds).map(([from, to]) => `mount --bind ${from} ${to}`);
    const script = ["set -e", "ip link set lo up", ...mounts, 'cd "$1"; shift', 'exec "$@"'];
    const user = ["setpriv", `--reuid=${ORDINARY_USER}`, `--regid=${ORDINARY_USER}`];
    return await run([
      ...["unshare", "--net", "--mount", "bash", "-c", script.join("\n"), "bash", directory],
      ...[...user, "--clear-groups", "env", "-i", `HOME=${this.directory}/home`, "LC_ALL=C.UTF-8"],
      ...[`PATH=${this.directory}/bin:/usr/bin:/bin`, `SOURCE_DATE_EPOCH=${EPOCH}`, "NO_COLOR=1"],
      // Compress only little, to save time, and in the same way on every version of makepkg.
      ...["PKGEXT=.pkg.tar", ...command],
    ], { deadline: 600_000 });
  }

  /**
   * Builds a package with makepkg. It does not check that the dependencies are installed, because
   * the system may not be Arch.
   *
   * @returns the path of the package.
   * @throws Error with makepkg's output when it fails.
   */
  async makepkg(
    directory: string,
    options: readonly string[] = ["--nocheck"],
    binds: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const command = ["makepkg", "--nodeps", "--force", "--clean", "--cleanbuild", ...options];
    const { code, stdout, stderr } = await this.run(command, directory, binds);
    if (code !== 0) throw new Error(`makepkg: exit status ${code}\n${stdout}${stderr}`);
    const place = Object.entries(binds).find(([, to]) => to === directory)?.[0] ?? directory;
    for await (const { name } of Deno.readDir(place)) {
      if (/\.pkg\.tar/.test(name)) return `${place}/${name}`;
    }
    throw new Error(`makepkg made no package\n${stdout}${stderr}`);
  }

  /** Makes a package that replaces the system's deno: the binary from npm, under its usual name. */
  async standInForDeno(): Promise<string> {
    const place = `${this.directory}/deno`;
    await Deno.mkdir(place);
    await Deno.writeTextFile(
      `${place}/PKGBUILD`,
      `pkgname=deno
pkgver=${Deno.version.deno}
pkgrel=1
arch=(any)
# An empty root has neither of them, and the tests need none of theirs in it.
provides=(bash coreutils curl pacman)
options=(!strip !debug)
package() {
  install -D "${this.directory}/bin/deno" "$pkgdir/usr/bin/deno"
}
`,
    );
    await must(["chown", "-R", ORDINARY_USER, place]);
    return await this.makepkg(place);
  }

  [Symbol.dispose](): void {
    this.#scratch[Symbol.dispose]();
  }
}

/** Returns the text of a file in a package. */
export async function fileInPackage(file: string, name: string): Promise<string> {
  return await must(["bsdtar", "-xOf", file, name]);
}

/** Returns the sorted names of a package's files; directories end with a slash. */
export async function namesInPackage(file: string): Promise<string[]> {
  return (await must(["bsdtar", "-tf", file])).trim().split("\n").sort();
}

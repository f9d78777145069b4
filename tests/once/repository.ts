/**
 * Creates a signed repository of many packages with bsdtar, gpg and repo-add. makepkg would take seconds
 * for each package, and these tests do not need what it adds.
 */

import { must } from "../lan/process.ts";
import type { Package } from "../lan/packages.ts";
import { makeRepository, Repository } from "../lan/repository.ts";

/** The KiB of random bytes in each package, by its name. */
export type Contents = Readonly<Record<string, number>>;

/**
 * Creates the repository `core`; its packages have the version 2.0-1.
 *
 * @param before names of the packages in its older database.
 */
export async function makeLargeRepository(
  directory: string,
  contents: Contents,
  before: readonly string[],
): Promise<Repository> {
  // Create the key and the keyring.
  await makeRepository(directory, []);
  const sizes = Object.entries(contents).map(([name, size]) => `${name} ${size}`).join("\n");
  const script = `set -e
    directory=$1
    place=$directory/today/core/os/x86_64
    export GNUPGHOME=$directory/gnupg HOME=$directory/build TMPDIR=$directory/build LC_ALL=C.UTF-8
    mkdir -p "$place" "$directory/build/work/opt"
    cd "$directory/build/work"
    while read -r name size; do
      head -c "$size"K /dev/urandom > "opt/$name"
      printf '%s\\n' "pkgname = $name" "pkgbase = $name" "pkgver = 2.0-1" "pkgdesc = $name" \\
        "builddate = 1" "packager = Packager <packager@lan.test>" "size = $((size * 1024))" \\
        "arch = x86_64" "license = MIT" > .PKGINFO
      file=$directory/pool/$name-2.0-1-x86_64.pkg.tar.zst
      bsdtar -cf - --uid 0 --gid 0 .PKGINFO "opt/$name" | zstd -q -1 -c > "$file"
      gpg --quiet --batch --detach-sign "$file"
      ln "$file" "$file.sig" "$place"
      rm "opt/$name"
    done <<< "$2"
    index() {
      cd "$1"
      repo-add --quiet --sign --key 'Packager <packager@lan.test>' core.db.tar.gz *.zst
    }
    index "$place"
    older=$directory/yesterday/core/os/x86_64
    mkdir -p "$older"
    for name in $3; do ln "$place/$name-2.0-1-x86_64.pkg.tar.zst"* "$older"; done
    index "$older"`;
  const user = 65534;
  const apart = ["unshare", "--pid", "--fork", "--kill-child", "setpriv", "--pdeathsig", "KILL"];
  const asUser = ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
  await must([
    ...apart,
    ...asUser,
    "bash",
    "-c",
    script,
    "bash",
    directory,
    sizes,
    before.join(" "),
  ]);
  const made = async (names: readonly string[]): Promise<Package[]> =>
    await Promise.all(names.map(async (name): Promise<Package> => {
      const fileName = `${name}-2.0-1-x86_64.pkg.tar.zst`;
      const { size } = await Deno.stat(`${directory}/pool/${fileName}`);
      return { name, version: "2.0-1", repository: "core", fileName, size };
    }));
  return new Repository(directory, {
    today: await made(Object.keys(contents)),
    yesterday: await made(before),
  });
}

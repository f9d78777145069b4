/** The packages in the repositories of the tests, with their names, sizes and purposes. */

/** The description of a package, from which its PKGBUILD is written. */
export interface Recipe {
  readonly repository: "core" | "extra";
  /** One name, or the names of a split package: the first is the base. */
  readonly names: readonly string[];
  /** `[epoch:]pkgver` of each release with a different version. */
  readonly versions: readonly [string] | readonly [string, string];
  readonly architecture: "x86_64" | "any";
  /** KiB of random bytes in the first package. The other packages of a split package have a tenth. */
  readonly kibibytes: number;
  readonly description: string;
}

/** Small packages, with all special characters that names of real packages have. */
export const recipes: readonly Recipe[] = [
  {
    repository: "core",
    names: ["glacier"],
    versions: ["2.0", "2.1"],
    architecture: "x86_64",
    kibibytes: 20 * 1024,
    description: "A large package",
  },
  {
    repository: "core",
    names: ["harbour"],
    versions: ["1:3.0", "1:3.1"],
    architecture: "x86_64",
    kibibytes: 6 * 1024,
    description: "A package with an epoch",
  },
  {
    repository: "core",
    names: ["pebble"],
    versions: ["5.4"],
    architecture: "any",
    kibibytes: 40,
    description: "A small package for any architecture",
  },
  {
    repository: "extra",
    names: ["lantern"],
    versions: ["0.9+r12", "0.9+r15"],
    architecture: "x86_64",
    kibibytes: 1024,
    description: "A package with a plus in its version",
  },
  {
    repository: "extra",
    names: ["kelp", "kelp-docs"],
    versions: ["7.0", "7.1"],
    architecture: "x86_64",
    kibibytes: 3 * 1024,
    description: "A split package",
  },
  {
    repository: "extra",
    names: ["meadow@home"],
    versions: ["1.0"],
    architecture: "any",
    kibibytes: 2 * 1024,
    description: "A package with an at sign in its name",
  },
];

/** A package file. */
export interface Package {
  readonly name: string;
  /** `[epoch:]pkgver-pkgrel`. */
  readonly version: string;
  readonly repository: string;
  /** `harbour-1:3.0-1-x86_64.pkg.tar.zst`. */
  readonly fileName: string;
  /** Size of the package file in bytes. */
  readonly size: number;
}

/** Returns the package files of one version of a recipe, in the order of its names. */
export function fileNames(recipe: Recipe, version: string): string[] {
  return recipe.names.map((name) => `${name}-${version}-1-${recipe.architecture}.pkg.tar.zst`);
}

/** Returns the PKGBUILD of one version of a recipe. */
export function pkgbuild(recipe: Recipe, version: string): string {
  const [epoch, pkgver] = version.includes(":") ? version.split(":") : ["", version];
  const [base = ""] = recipe.names;
  const split = recipe.names.length > 1;
  const functions = recipe.names.map((name, index) => {
    const size = index === 0 ? recipe.kibibytes : Math.ceil(recipe.kibibytes / 10);
    return `package${split ? `_${name}` : ""}() {
  install -d "$pkgdir/opt/${name}"
  head -c ${size}K /dev/urandom > "$pkgdir/opt/${name}/data"
  echo ${version} > "$pkgdir/opt/${name}/version"
}`;
  });
  return `pkgbase=${base}
pkgname=(${recipe.names.join(" ")})
${epoch === "" ? "" : `epoch=${epoch}\n`}pkgver=${pkgver}
pkgrel=1
pkgdesc='${recipe.description}'
arch=(${recipe.architecture})
license=(MIT)
options=(!strip !debug !zipman)
${functions.join("\n")}
`;
}

import { assertEquals } from "../../assert.ts";
import { parseTarget } from "../../../src/http/target.ts";
import {
  hidePackageName,
  isDatabaseOf,
  isOptional,
  isPackageOrItsSignature,
  type PacmanAddress,
  parsePacmanAddress,
} from "../../../src/pacserve/address.ts";

function parse(text: string): PacmanAddress | null {
  const target = parseTarget(text);
  return target === null ? null : parsePacmanAddress(target);
}

const core = { repository: "core", architecture: "x86_64" };
const unknown = { repository: null, architecture: null };

const addresses: readonly [string, PacmanAddress | null][] = [
  ["/pacman/core/x86_64/core.db", { ...core, file: "core.db" }],
  ["/pacman/core/os/x86_64/core.db", { ...core, file: "core.db" }],
  ["/pacman/os/x86_64/a", { repository: "os", architecture: "x86_64", file: "a" }],
  ["/pacman/core/os/a", { repository: "core", architecture: "os", file: "a" }],
  ["/request/core/x86_64/core.db.sig", { ...core, file: "core.db.sig" }],
  ["/pkg/?repo=core&arch=x86_64&file=/core.db", { ...core, file: "core.db" }],
  ["/pkg?file=/core.db&arch=x86_64&repo=core", { ...core, file: "core.db" }],
  ["/pkg/?file=core.db", { ...unknown, file: "core.db" }],
  ["/pkg/?repo=&arch=&file=//core.db", { ...unknown, file: "core.db" }],
  ["/pkg/?repo=core&arch=x86_64&file=%2Fa.db", { ...core, file: "a.db" }],
  ["/pkg/?repo=core&repo=extra&arch=x86_64&file=a&file=b", { ...core, file: "a" }],
  ["/pkg/foo-1-1-any.pkg.tar.zst", { ...unknown, file: "foo-1-1-any.pkg.tar.zst" }],
  ["/pkg/foo-1-1-any%2Epkg.tar.zst", { ...unknown, file: "foo-1-1-any.pkg.tar.zst" }],
  [
    "/pacman/core/x86_64/gtk+-1:2.0~a@b-1-any.pkg.tar.zst",
    { ...core, file: "gtk+-1:2.0~a@b-1-any.pkg.tar.zst" },
  ],
  [
    "/pacman/core/x86_64/gtk%2B-1%3A2.0%7Ea%40b-1-any.pkg.tar.zst",
    { ...core, file: "gtk+-1:2.0~a@b-1-any.pkg.tar.zst" },
  ],
  [
    "/pkg/?repo=core&arch=x86_64&file=/libstdc++-1%3A2.0-1-any.pkg.tar.zst",
    { ...core, file: "libstdc++-1:2.0-1-any.pkg.tar.zst" },
  ],
  ["/pacman/a%20b/x86_64/x", { repository: "a b", architecture: "x86_64", file: "x" }],
  ["/", null],
  ["/pkg/", null],
  ["/pkg/?mimetype=application/json", null],
  ["/pkg/?file=", null],
  ["/pkg/?file=/", null],
  ["/pkg/?file=/a/b", null],
  ["/pkg/?file=..", null],
  ["/pkg/?file=/..%2F..%2Fetc%2Fpasswd", null],
  ["/pkg/?file=%00", null],
  ["/pkg/?file=%zz", null],
  ["/pkg/?repo=..&arch=x86_64&file=a", null],
  ["/pkg/?repo=%ff&arch=x86_64&file=a", null],
  ["/pkg/a/b", null],
  ["/pkg/a/", null],
  ["/pacman/core/x86_64", null],
  ["/pacman/core/x86_64/", null],
  ["/pacman/core/x86_64/a/", null],
  ["/pacman/core/x86_64/a/b", null],
  ["/pacman/core/os/x86_64/a/b", null],
  ["/pacman/core/os/x86_64/a/", null],
  ["/pacman/core/os/x86_64/..", null],
  ["/pacman//x86_64/a", null],
  ["/pacman/core/x86_64/..", null],
  ["/pacman/core/x86_64/..%2f..%2fetc", null],
  [`/pacman/core/x86_64/${"a".repeat(256)}`, null],
  ["/Pacman/core/x86_64/a", null],
  ["/other/core/x86_64/a", null],
];

for (const [text, expected] of addresses) {
  Deno.test(`parsePacmanAddress: ${text.slice(0, 80)}`, () => assertEquals(parse(text), expected));
}

Deno.test("isPackageOrItsSignature, isOptional, isDatabaseOf: decide by the name of the file", () => {
  assertEquals(isPackageOrItsSignature("foo-1-1-any.pkg.tar.zst"), true);
  assertEquals(isPackageOrItsSignature("foo-1-1-any.pkg.tar"), true);
  assertEquals(isPackageOrItsSignature("foo-1-1-any.pkg.tar.zst.sig"), true);
  assertEquals(isPackageOrItsSignature("core.db"), false);
  assertEquals(isOptional("core.db.sig"), true);
  assertEquals(isOptional("core.db"), false);
  assertEquals(isOptional("foo-1-1-any.pkg.tar.zst.sig"), false);
  for (const file of ["core.db", "core.files", "core.db.sig", "core.db.tar.gz", "core.db.tar"]) {
    assertEquals(isDatabaseOf("core", file), true, file);
  }
  for (
    const file of ["extra.db", "core.dbx", "core", "core.txt", "xcore.db", "core.db.tar.gz.old"]
  ) {
    assertEquals(isDatabaseOf("core", file), false, file);
  }
});

Deno.test("hidePackageName: encodes .pkg in the file name only", () => {
  assertEquals(
    hidePackageName("http://a.pkg.example:1/pkg/foo-1-1-any.pkg.tar.zst"),
    "http://a.pkg.example:1/pkg/foo-1-1-any%2Epkg.tar.zst",
  );
  assertEquals(
    hidePackageName("http://a:1/pkg/x.pkg.y.pkg.tar.zst.sig"),
    "http://a:1/pkg/x%2Epkg.y%2Epkg.tar.zst.sig",
  );
});

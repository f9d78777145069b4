import { ReceivedPackages } from "../../../src/pacserve/received_packages.ts";
import { assertEquals } from "../../assert.ts";

const nothing = { lan: 0, total: 0 };

Deno.test("ReceivedPackages.take: returns the bytes of a transaction's packages once", () => {
  const received = new ReceivedPackages();
  received.add("foo-bar-1:2.0-1-x86_64.pkg.tar.zst", { lan: 30, total: 40 }, false);
  received.add("baz-1-1-any.pkg.tar", { lan: 0, total: 2 }, false);
  received.add("other-1-1-any.pkg.tar.xz", { lan: 7, total: 7 }, false);
  assertEquals(received.take(["foo-bar", "baz", "not-downloaded", ""]), { lan: 30, total: 42 });
  assertEquals(received.take(["foo-bar", "baz"]), nothing);
  assertEquals(received.take(["other"]), { lan: 7, total: 7 });
});

Deno.test("ReceivedPackages.add: ignores signatures, databases and other files", () => {
  const received = new ReceivedPackages();
  for (const file of ["foo-1-1-any.pkg.tar.zst.sig", "core.db", "foo.pkg.tar.zst", "foo"]) {
    received.add(file, { lan: 1, total: 1 }, false);
  }
  assertEquals(received.take(["foo", "core", "core.db", ""]), nothing);
});

Deno.test("ReceivedPackages.add: a second download of a package replaces the first one", () => {
  const received = new ReceivedPackages();
  received.add("foo-1-1-any.pkg.tar.zst", { lan: 0, total: 10 }, false);
  received.add("foo-1-1-any.pkg.tar.zst", { lan: 10, total: 10 }, false);
  assertEquals(received.take(["foo"]), { lan: 10, total: 10 });
  received.add("foo-1-1-any.pkg.tar.zst", { lan: 0, total: 10 }, false);
  received.add("foo-2-1-any.pkg.tar.zst", { lan: 5, total: 12 }, false);
  assertEquals(received.take(["foo"]), { lan: 5, total: 12 });
});

Deno.test("ReceivedPackages.add: the rest of a file is added to its beginning, and not to another file", () => {
  const received = new ReceivedPackages();
  received.add("foo-1-1-any.pkg.tar.zst", { lan: 6, total: 6 }, false);
  received.add("foo-1-1-any.pkg.tar.zst", { lan: 0, total: 4 }, true);
  assertEquals(received.take(["foo"]), { lan: 6, total: 10 });
  received.add("foo-1-1-any.pkg.tar.zst", { lan: 6, total: 6 }, false);
  received.add("foo-2-1-any.pkg.tar.zst", { lan: 0, total: 4 }, true);
  assertEquals(received.take(["foo"]), { lan: 0, total: 4 });
});

Deno.test("ReceivedPackages: `import` restores the state that `export` returned", () => {
  const [before, after] = [new ReceivedPackages(), new ReceivedPackages()];
  before.add("foo-1-1-any.pkg.tar.zst", { lan: 6, total: 8 }, false);
  before.add("bar-1-1-any.pkg.tar.zst", { lan: 0, total: 3 }, false);
  after.import(before.export());
  assertEquals(after.take(["foo", "bar"]), { lan: 6, total: 11 });
});

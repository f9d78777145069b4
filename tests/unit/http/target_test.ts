import { encodePath, parseTarget } from "../../../src/http/target.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("parseTarget: the segment `.` is left out and `..` is refused, in any encoding", () => {
  for (
    const [target, segments, trailingSlash] of [
      ["/pkg/./gtk-1:2.0", ["pkg", "gtk-1:2.0"], false],
      ["/./a", ["a"], false],
      ["/a/%2e/b/", ["a", "b"], true],
      ["/a/.", ["a"], true],
      ["/a/%2E", ["a"], true],
      ["/.", [], true],
      ["/a/...", ["a", "..."], false],
      ["/a/.b", ["a", ".b"], false],
      ["/a.", ["a."], false],
    ] as const
  ) {
    const parsed = parseTarget(target);
    assertEquals([target, parsed?.segments, parsed?.trailingSlash], [
      target,
      [...segments],
      trailingSlash,
    ]);
  }
  for (const target of ["/..", "/a/../b", "/a/./..", "/%2e%2e/a", "/.%2e", "/a/%2E./"]) {
    assertEquals([target, parseTarget(target)], [target, null]);
  }
});

Deno.test("encodePath: single and double quotation marks are encoded", () => {
  assertEquals(encodePath(["it's", '"a"', "gtk-1:2.0+r1"]), "/it%27s/%22a%22/gtk-1:2.0+r1");
});

import { runtimeWarning } from "../../src/version.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";

/** The tested version of Deno, which the warning about any newer one names. */
const [, TESTED = ""] = /\((\d+\.\d+\.\d+)\)/.exec(runtimeWarning("9999.0.0") ?? "") ?? [];

Deno.test("a newer minor version of Deno than the tested one is warned of", () => {
  const [major = 0, minor = 0, patch = 0] = TESTED.split(".").map(Number);
  for (const known of [TESTED, `${major}.${minor}.${patch + 1}`, `${major}.${minor - 1}.0`]) {
    assertEquals(runtimeWarning(known), null);
  }
  for (const newer of [`${major}.${minor + 1}.0`, `${major + 1}.0.0-rc.1`]) {
    const warning = runtimeWarning(newer) ?? "";
    assertStringIncludes(warning, TESTED);
    assertStringIncludes(warning, newer);
  }
  assertEquals(runtimeWarning(`${major - 1}.99.0`), null);
});

Deno.test("README.md and CONTRIBUTING.md name the tested version of Deno", async () => {
  for (const file of ["README.md", "CONTRIBUTING.md"]) {
    const text = await Deno.readTextFile(new URL(`../../${file}`, import.meta.url));
    assertEquals([...new Set(text.match(/(?<=npx -y deno@)[\d.]+/g))], [TESTED], file);
  }
});

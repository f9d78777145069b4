import { assert, assertEquals, assertNotEquals } from "../../../assert.ts";
import { isUploadTemporary, temporaryName } from "../../../../src/quickserve/uploads/temporary.ts";

Deno.test("isUploadTemporary: recognizes temporary names, which are hidden and unique", () => {
  const name = temporaryName();
  assert(isUploadTemporary(name));
  assert(name.startsWith("."));
  assertNotEquals(name, temporaryName());
});

Deno.test("isUploadTemporary: false for names that are only similar", () => {
  for (
    const name of [
      "",
      "foo.part",
      ".pacserve-upload-.part",
      ".pacserve-upload-0123456789abcdef01234567.part.1",
      "x.pacserve-upload-0123456789abcdef01234567.part",
      ".pacserve-upload-0123456789ABCDEF01234567.part",
    ]
  ) {
    assertEquals(isUploadTemporary(name), false, name);
  }
});

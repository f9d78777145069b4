import { leaveReceived, takeReceived } from "../../../src/server/received_file.ts";
import { assertEquals } from "../../assert.ts";
import { shell, withFiles } from "../../scratch.ts";

const packages = [{ file: "foo-1-1-any.pkg.tar.zst", lan: 6, total: 8 }];

Deno.test("leaveReceived: what is left is taken once", async () => {
  await withFiles({}, async (directory) => {
    await leaveReceived(directory, packages);
    assertEquals(await takeReceived(directory), packages);
    assertEquals(await takeReceived(directory), []);
  });
});

Deno.test("takeReceived: a file that is damaged or has another form is forgotten and removed", async () => {
  for (const text of ["", "{", "{}", "null", '[{"file":1}]', '[{"file":"a","lan":-1,"total":1}]']) {
    await withFiles({ "received.json": text }, async (directory) => {
      assertEquals(await takeReceived(directory), [], text);
      assertEquals([...Deno.readDirSync(directory)], [], text);
    });
  }
});

Deno.test("takeReceived, leaveReceived: nobody waits for a pipe in the place of the file", async () => {
  await withFiles({}, async (directory) => {
    shell(directory, "mkfifo received.json");
    await leaveReceived(directory, packages);
    assertEquals(await takeReceived(directory), packages);
    shell(directory, "mkfifo received.json");
    assertEquals(await takeReceived(directory), []);
  });
});

Deno.test("leaveReceived: a directory that is not there is no reason to fail", async () => {
  await leaveReceived("/no/such/directory", packages);
  assertEquals(await takeReceived("/no/such/directory"), []);
});

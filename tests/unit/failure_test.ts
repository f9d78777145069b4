import { messageOf } from "../../src/failure.ts";
import { assertEquals } from "../assert.ts";

Deno.test("messageOf: an error of the runtime's permissions has no advice about its options", async () => {
  const code = `try { Deno.readDirSync("/proc"); } catch (error) { console.log(error.message); }`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", `Deno.permissions.revokeSync({ name: "read" });${code}`],
  }).output();
  const message = new TextDecoder().decode(stdout).trim();
  assertEquals(/--allow/.test(message), true, message);
  assertEquals(messageOf(new Error(message)), 'Requires read access to "/proc"');
});

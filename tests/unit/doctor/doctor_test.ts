import { type AddressInfo, createServer } from "node:net";
import { CheckedHost } from "../../../src/doctor/checked_host.ts";
import { examine } from "../../../src/doctor/doctor.ts";
import { assert, assertEquals } from "../../assert.ts";
import { withFiles } from "../../scratch.ts";

Deno.test("examine: with a hanging server and unreadable files, all checks end in time as unknown", async () => {
  // This server accepts connections and never replies.
  const server = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await withFiles({ "address": `Server = http://127.0.0.1:${port}/\n` }, async (directory) => {
    const host = new CheckedHost({
      configuration: `${directory}/no.conf`,
      addressFile: `${directory}/address`,
      settings: `${directory}/none`,
    });
    const waited: (readonly string[])[] = [];
    const listener = {
      progressed: (waiting: readonly string[]): void => void waited.push(waiting),
    };
    const begun = performance.now();
    const { checks } = await examine(host, listener, 300);
    assert(performance.now() - begun < 2_000);
    assertEquals(checks.map(({ name }) => name), waited.at(0));
    const service = checks.find(({ name }) => name === "service");
    assertEquals(service?.text, "the check takes longer than 0.3 s");
    assertEquals([waited.at(0)?.length, waited.at(-1)], [16, []]);
    // The pending request ends at its time limit.
    await host.service();
  });
  await new Promise((resolve) => server.close(resolve));
});

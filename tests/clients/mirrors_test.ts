/** Programs that download directories get all files, whatever their names. */

import { connect } from "node:net";
import { assertEquals } from "../assert.ts";
import { must } from "../lan/process.ts";
import { Served } from "../program.ts";
import { inScratch, UTF8 as environment } from "../scratch.ts";
import { manyOddNames } from "./odd_names.ts";

/** Commands that mirror the URL `$0` into the working directory. */
const mirrors: Readonly<Record<string, string>> = {
  rclone: `HOME=$PWD rclone copy --http-url "$0" :http: out --config /dev/null`,
  wget:
    `wget -q -r -np -nH --cut-dirs=1 -R 'index.html*' --restrict-file-names=nocontrol -P out "$0"`,
  lftp: `HOME=$PWD lftp -c "open '$0'; mirror . out"`,
};

for (const [program, command] of Object.entries(mirrors)) {
  Deno.test(`listing: ${program} downloads a directory of 1,000 unusual names completely`, () =>
    inScratch(async (directory) => {
      Deno.mkdirSync(`${directory}/files/sub`, { recursive: true });
      // wget shortens the longest names, and decodes some names twice when it saves files.
      const canBeSaved = (name: string): boolean =>
        program !== "wget" ||
        new TextEncoder().encode(name).length <= 200 && !/%[0-9a-f]{2}/i.test(name);
      const names = manyOddNames(1100).filter(canBeSaved);
      for (const name of names) Deno.writeTextFileSync(`${directory}/files/${name}`, name);
      Deno.writeTextFileSync(`${directory}/files/sub/below`, "below");
      await using server = await Served.start("quickserve", [`${directory}/files`]);
      const address = `${server.address}/files/`;
      await must(["bash", "-c", command, address], { directory, environment, deadline: 240_000 });
      const got = [...Deno.readDirSync(`${directory}/out`)].map(({ name }) => name).sort();
      assertEquals(got, [...names, "sub"].sort());
      for (const name of names) {
        assertEquals(Deno.readTextFileSync(`${directory}/out/${name}`), name);
      }
      assertEquals(Deno.readTextFileSync(`${directory}/out/sub/below`), "below");
    }));
}

Deno.test("pipelining: 3,000 requests that a client sends in advance are all answered", () =>
  inScratch(async (directory) => {
    await using server = await Served.start("quickserve", [directory]);
    const socket = connect(server.port, "127.0.0.1");
    const count = 3000;
    let requests = "";
    for (let number = 0; number < count; number++) {
      requests += `HEAD /${number}?${"x".repeat(100)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    }
    socket.write(`${requests}GET /?page=about HTTP/1.0\r\nConnection: close\r\n\r\n`);
    let text = "";
    socket.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
    await new Promise((resolve) => socket.once("close", resolve));
    assertEquals(text.match(/^HTTP\/1\.1 404 /gm)?.length, count);
    assertEquals(text.match(/^HTTP\/1\.1 200 /gm)?.length, 1);
  }));

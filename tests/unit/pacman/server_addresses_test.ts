import { serverAddresses } from "../../../src/pacman/server_addresses.ts";
import { assertEquals } from "../../assert.ts";

function addresses(text: string): string[] {
  return serverAddresses(text).map(({ origin }) => origin);
}

Deno.test("the address of each server, without its path, once", () => {
  assertEquals(
    addresses(
      "# Server = http://commented/\n" +
        "Server = http://localhost:15678/pacman/$repo/$arch\r\n" +
        "CacheServer=http://localhost:15678/pacman/$repo/$arch\n" +
        "  Server = https://user:pass@[fe80::1]:8443/pkg/?repo=$repo&arch=$arch&file=",
    ),
    ["http://localhost:15678", "https://[fe80::1]:8443"],
  );
});

Deno.test("what is no HTTP address is passed over", () => {
  assertEquals(addresses("Server = file:///srv/repo\nServer = \nServer\nInclude = /x\n\0\n"), []);
});

Deno.test("the file that the package installs names pacserve's port on this host", async () => {
  const shipped = new URL("../../../pacman.d/pacserve", import.meta.url);
  assertEquals(addresses(await Deno.readTextFile(shipped)), ["http://localhost:15678"]);
});

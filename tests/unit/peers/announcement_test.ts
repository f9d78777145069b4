import fc from "fast-check";
import {
  formatAnnouncement,
  ownUri,
  parseAnnouncement,
  serverHeader,
} from "../../../src/peers/announcement.ts";
import { assertEquals } from "../../assert.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (datagram: Uint8Array): ReturnType<typeof parseAnnouncement> =>
  parseAnnouncement(datagram, "pacserve", "10.0.0.7", 15678);

Deno.test("formatAnnouncement: the bytes are the same as the original's", () => {
  assertEquals(
    formatAnnouncement("pacserve", ownUri("http", 15678)),
    bytes("ThreadedServers.Pacserve/2013.05.12 http://ungabunga:15678/"),
  );
  assertEquals(
    formatAnnouncement("quickserve", ownUri("https", 8000)),
    bytes("ThreadedServers.PeeredQuickserve/2013.05.12 https://ungabunga:8000/"),
  );
  assertEquals(serverHeader("pacserve"), "ThreadedServers.Pacserve/2013.05.12");
});

Deno.test("parseAnnouncement: the host is the source address", () => {
  assertEquals(parse(bytes("ThreadedServers.Pacserve/2013.05.12 http://ungabunga:1234/")), {
    scheme: "http",
    host: "10.0.0.7",
    port: 1234,
    path: "/",
  });
  assertEquals(
    parse(bytes("ThreadedServers.Pacserve/2099.1 https://127.0.0.1/"))?.host,
    "10.0.0.7",
  );
  assertEquals(parse(bytes("ThreadedServers.Pacserve/1 //x/"))?.port, 15678);
  assertEquals(parse(bytes("ThreadedServers.Pacserve/1 x:99/"))?.scheme, "http");
});

Deno.test("parseAnnouncement: other datagrams are ignored", () => {
  const datagrams = [
    new Uint8Array(0),
    new Uint8Array(65507).fill(0x41),
    Uint8Array.of(0xff, 0xfe, 0x20, 0x80),
    bytes("ThreadedServers.Pacserve/2013.05.12"),
    bytes("ThreadedServers.Pacserve/2013.05.12 "),
    bytes("ThreadedServers.Pacserve/ http://x:1/"),
    bytes("ThreadedServers.PeeredQuickserve/2013.05.12 http://x:1/"),
    bytes("Pacserve http://x:1/"),
    bytes("ThreadedServers.Pacserve/1 http://user:password@x:1/"),
    bytes("ThreadedServers.Pacserve/1 http://x:1/ http://y:2/"),
    bytes("ThreadedServers.Pacserve/1 ftp://x:1/"),
    bytes("ThreadedServers.Pacserve/1 http://x:70000/"),
    bytes(`ThreadedServers.Pacserve/${"9".repeat(500)} http://x:1/`),
  ];
  for (const datagram of datagrams) {
    assertEquals(parse(datagram), null, new TextDecoder().decode(datagram.slice(0, 60)));
  }
});

Deno.test("parseAnnouncement: no datagram causes an error or determines the host", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (datagram) => {
    parse(datagram);
  }));
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
    const address = parse(bytes("ThreadedServers.Pacserve/1 http://" + text));
    assertEquals(address === null || address.host === "10.0.0.7", true);
  }));
});

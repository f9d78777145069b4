import { formatPeerUrl, parsePeerUrl } from "../../../src/peers/peer_url.ts";
import { assertEquals } from "../../assert.ts";

function whole(text: string): string | null {
  const url = parsePeerUrl(text, 15678);
  return url === null ? null : formatPeerUrl(url);
}

Deno.test("parsePeerUrl: adds a missing scheme, port and slash", () => {
  assertEquals(whole("http://10.0.0.2:8000/"), "http://10.0.0.2:8000/");
  assertEquals(whole("https://Desktop.local"), "https://desktop.local:15678/");
  assertEquals(whole("HTTP://a:1/x/y"), "http://a:1/x/y/");
  assertEquals(whole("//ungabunga:15678/"), "http://ungabunga:15678/");
  assertEquals(whole("ungabunga:15678/"), "http://ungabunga:15678/");
  assertEquals(whole("http://[fd00::1]:15678/"), "http://[fd00::1]:15678/");
});

Deno.test("parsePeerUrl: refuses everything else", () => {
  const texts = [
    "",
    "ftp://a:1/",
    "file:///etc/passwd",
    "http://user:secret@a:1/",
    "http://a:0/",
    "http://a:65536/",
    "http://a:99999999/",
    "http://a:-1/",
    "http://a:1/?q",
    "http://a:1/#f",
    "http://a:1/../x",
    "http://a:1/./",
    "http://a:1//",
    "http://a:1/x//y/",
    "http://a b/",
    "http://a:1/\r\nX: y",
    "http://a:1/" + "x".repeat(5000),
    "http://" + "a".repeat(500),
    "http://-a/",
    "http://[::1/",
    "http://[zz]/",
    "javascript:alert(1)",
  ];
  for (const text of texts) assertEquals(whole(text), null, text.slice(0, 60));
});

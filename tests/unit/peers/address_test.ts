import { baseOf, isLoopback, parsePeerAddress } from "../../../src/peers/address.ts";
import { assertEquals } from "../../assert.ts";

function base(text: string): string | null {
  const address = parsePeerAddress(text, 15678);
  return address === null ? null : baseOf(address);
}

Deno.test("an address is completed with scheme, port and slash", () => {
  assertEquals(base("http://10.0.0.2:8000/"), "http://10.0.0.2:8000/");
  assertEquals(base("https://Desktop.local"), "https://desktop.local:15678/");
  assertEquals(base("HTTP://a:1/x/y"), "http://a:1/x/y/");
  assertEquals(base("//ungabunga:15678/"), "http://ungabunga:15678/");
  assertEquals(base("ungabunga:15678/"), "http://ungabunga:15678/");
  assertEquals(base("http://[fd00::1]:15678/"), "http://[fd00::1]:15678/");
});

Deno.test("what is no address of a peer is refused", () => {
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
  for (const text of texts) assertEquals(base(text), null, text.slice(0, 60));
});

Deno.test("loopback addresses are known", () => {
  for (const host of ["127.0.0.1", "127.9.8.7", "::1", "localhost"]) {
    assertEquals(isLoopback(host), true, host);
  }
  for (const host of ["10.0.0.1", "128.0.0.1", "127.0.0.1.example", "fe80::1"]) {
    assertEquals(isLoopback(host), false, host);
  }
});

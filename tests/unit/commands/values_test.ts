import {
  listenAddressValue,
  multicastGroupValue,
  networkValue,
  peerValue,
  sizeValue,
} from "../../../src/commands/serve/values.ts";
import { UsageError } from "../../../src/failure.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";

Deno.test("sizeValue: a size is a number, optionally with a letter for a power of 1024", () => {
  assertEquals(sizeValue("--x", "1500"), 1500);
  assertEquals(sizeValue("--x", "2k"), 2048);
  assertEquals(sizeValue("--x", "4GiB"), 4 * 1024 ** 3);
  for (const wrong of ["", "-1", "1.5G", "4X", "G", "1e3"]) {
    assertThrows(() => sizeValue("--max-upload-size", wrong), UsageError, "--max-upload-size");
  }
});

Deno.test("peerValue: adds a missing scheme, port and slash to the URL of a peer", () => {
  assertEquals(peerValue("--peer", "10.0.0.2", 15678), "http://10.0.0.2:15678/");
  assertEquals(peerValue("--peer", "http://host:80", 15678), "http://host/");
  assertEquals(peerValue("--peer", "https://[fd00::1]", 8000), "https://[fd00::1]:8000/");
  assertEquals(peerValue("--peer", "http://host/share", 8000), "http://host:8000/share/");
  for (const wrong of ["ftp://host/", "http://", "http://host:99999/", "::"]) {
    assertThrows(() => peerValue("--peer", wrong, 8000), UsageError, "--peer");
  }
  for (const login of ["http://me:secret@host/", "me@host", "ftp://me:secret@host:99999"]) {
    const error = assertThrows(() => peerValue("--peer", login, 8000), UsageError, "--peer");
    assert(!/secret|me@/.test(error.message), error.message);
  }
});

Deno.test("networkValue: accepts a network with its prefix, and a single address", () => {
  assertEquals(networkValue("--x", "10.0.0.0/8"), "10.0.0.0/8");
  assertEquals(networkValue("--x", "10.1.2.3"), "10.1.2.3/32");
  assertEquals(networkValue("--x", "fd00::1"), "fd00::1/128");
  assertEquals(networkValue("--x", "::ffff:10.0.0.0/104"), "10.0.0.0/8");
  assertEquals(networkValue("--x", "::ffff:10.1.2.3"), "10.1.2.3/32");
  assertEquals(networkValue("--x", "::ffff:0:0/90"), "::ffff:0:0/90");
  for (const wrong of ["10.0.0.0/40", "10.0.0.0/", "lan", ""]) {
    assertThrows(() => networkValue("--allow-network", wrong), UsageError, "--allow-network");
  }
});

Deno.test("multicastGroupValue: accepts only an IPv4 address in 224.0.0.0/4", () => {
  assertEquals(multicastGroupValue("--x", "224.3.45.67"), "224.3.45.67");
  for (const wrong of ["10.0.0.1", "ff02::1", "224.1", "x"]) {
    assertThrows(() => multicastGroupValue("--multicast-group", wrong), UsageError);
  }
});

Deno.test("listenAddressValue: accepts an address of this machine and the name of an interface", () => {
  assertEquals(listenAddressValue("--address", "lo", false), "127.0.0.1");
  assertEquals(listenAddressValue("--address", "localhost", false), "127.0.0.1");
  assertEquals(listenAddressValue("--address", "LocalHost", false), "127.0.0.1");
  assertThrows(
    () => listenAddressValue("--address", "fe80::1:2:3:4%lo", true),
    UsageError,
    "fe80::1:2:3:4 is not an address of this machine",
  );
  assertThrows(() => listenAddressValue("--address", "::1%lo", true), UsageError, "fe80::/10");
  assertThrows(() => listenAddressValue("--address", "no-such0", false), UsageError, "no-such0");
});

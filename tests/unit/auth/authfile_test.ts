import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { parseAuthFile } from "../../../src/auth/authfile.ts";
import { Failure } from "../../../src/failure.ts";

Deno.test("parseAuthFile: lines with names and passwords alternate", () => {
  assertEquals(parseAuthFile('alice\nsecret\nbob\np:a"s\\s wörd \n', "users"), [
    { name: "alice", password: "secret" },
    { name: "bob", password: 'p:a"s\\s wörd ' },
  ]);
  assertEquals(parseAuthFile("alice\r\n-1\r\n", "users"), [{ name: "alice", password: "-1" }]);
  assertEquals(parseAuthFile("\uFEFF7\n007\n\n\n", "users"), [{ name: "7", password: "007" }]);
});

Deno.test("parseAuthFile: errors name file and line, and never contain a password", () => {
  const wrong: [string, string][] = [
    ["", "users:1: there is no user in this file"],
    ["alice", 'users:2: the password of "alice" is missing'],
    ["alice\nsecret\nbob\n", 'users:4: the password of "bob" is missing'],
    ["alice\n\nbob\nsecret\n", 'users:2: the password of "alice" is missing'],
    ["\nsecret\n", "users:1: a user name is empty"],
    ["alice\nsecret\nb:b\nsecret\n", 'users:3: the user name "b:b" has a colon in it'],
    ["alice\nsecret\nalice\nother\n", 'users:3: the user "alice" is already defined in line 1'],
    ["ali\tce\nsecret\n", "users:1: a user name has a control character in it"],
  ];
  for (const [text, message] of wrong) {
    const failure = assertThrows(() => parseAuthFile(text, "users"), Failure);
    assertEquals(failure.message, message);
    assert(!failure.message.includes("secret"));
  }
});

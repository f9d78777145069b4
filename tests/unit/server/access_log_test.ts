import { logSection } from "../../../scripts/build/server_manual.ts";
import type { HttpRequest } from "../../../src/http/exchange.ts";
import { accessLogLine } from "../../../src/server/access_log.ts";

import { assert, assertEquals, assertMatch } from "../../assert.ts";

const MAX_LINE = 4096;

function request(target: string, userAgent: string): HttpRequest {
  return {
    method: "GET",
    target,
    headers: { "user-agent": userAgent },
    body: emptyBody(),
    connection: {
      remoteAddress: "10.0.0.2",
      remotePort: 4000,
      localAddress: "10.0.0.1",
      localPort: 15678,
      secure: false,
      clientCertificate: null,
    },
    signal: new AbortController().signal,
  };
}

Deno.test("a line is in the combined format, with duration, source and a mark on what broke off", () => {
  const line = accessLogLine({
    request: request("/pkg/a-1-1-any.pkg.tar.zst", "pacman/6"),
    reply: { status: 200, headers: {}, body: null, source: "cache", user: "alice" },
    bytesSent: 1234,
    durationMs: 3.2,
    aborted: true,
  });
  assertMatch(
    line,
    /^10\.0\.0\.2 - alice \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \/pkg\/a-1-1-any\.pkg\.tar\.zst HTTP\/1\.1" 200 1234 "-" "pacman\/6" 0\.003s cache aborted$/,
  );
});

Deno.test("a line has the fields of the manual's example", () => {
  const [example] = logSection("quickserve").content.flatMap((part) =>
    typeof part === "object" && "literal" in part ? [part.literal.replace(/\n */g, " ")] : []
  );
  const line = accessLogLine({
    request: request("/music/one.flac", "curl/8.17.0"),
    reply: { status: 200, headers: {}, body: null, source: "file", user: "alice" },
    bytesSent: 28312077,
    durationMs: 2520,
    aborted: false,
  });
  const withoutTime = (text: string | undefined): string | undefined =>
    text?.replace(/\[.*?\]/, "[]");
  assertEquals(withoutTime(line), withoutTime(example));
});

Deno.test("what a client sends cannot forge a line or a field", () => {
  const line = accessLogLine({
    request: request('/x"\n10.0.0.9', 'agent" \x1b[31m'),
    reply: { status: 404, headers: {}, body: null, user: "a b\n" },
    bytesSent: 0,
    durationMs: 0,
    aborted: false,
  });
  assertEquals(line.includes("\n") || line.includes("\x1b"), false);
  assertEquals(line.split('"').length, 7);
});

Deno.test("a line is bounded, whatever a client sends, and all its fields are there", () => {
  for (const character of ["a", '"', "\n", "\\", " "]) {
    const long = character.repeat(16_000);
    const line = accessLogLine({
      request: {
        ...request(`/${long}`, long),
        headers: { "user-agent": long, "referer": long },
      },
      reply: { status: 404, headers: {}, body: null, user: long, source: "mirror" },
      bytesSent: 7,
      durationMs: 0,
      aborted: true,
    });
    assert(line.length <= MAX_LINE, `${line.length} characters`);
    assertMatch(line, /" 404 7 ".*\.\.\." ".*\.\.\." 0\.000s mirror aborted$/);
  }
});

Deno.test("a path as long as file systems allow is written whole", () => {
  const target = `/${"directory/".repeat(100)}${"a".repeat(255)}`;
  const line = accessLogLine({
    request: request(target, "curl"),
    reply: { status: 200, headers: {}, body: null },
    bytesSent: 0,
    durationMs: 0,
    aborted: false,
  });
  assert(line.includes(`"GET ${target} HTTP/1.1"`));
});

async function* emptyBody(): AsyncGenerator<Uint8Array> {}

/** Request targets: handled by servers with a secret file next to their shares. */

import fc from "fast-check";
import { encodePath, parseTarget } from "../../src/http/target.ts";
import { parsePacmanAddress, placeOf } from "../../src/pacserve/address.ts";
import { isFileName } from "../../src/quickserve/visibility.ts";
import type { Handlers } from "../../src/server/handlers.ts";
import type { ServerConfiguration } from "../../src/server/configuration.ts";
import { assert, assertEquals } from "../../tests/assert.ts";
import { readText } from "../../tests/reply.ts";
import { makeRequest } from "../../tests/request.ts";
import { configurationOf, handlersOf } from "../../tests/server_configuration.ts";
import { hostilePaths } from "../../tests/unit/quickserve/hostile_paths.ts";
import { share, treeOf } from "../../tests/unit/quickserve/trees.ts";
import { shell, writeFiles } from "../../tests/scratch.ts";
import { wordText } from "../bytes.ts";
import { target, targetWith } from "../target.ts";

const SECRET = "what nobody may read";

const requestTarget = fc.oneof(
  wordText([
    "/",
    "/s",
    "/s/",
    "..",
    "%2e",
    "%2f",
    "%5c",
    "%00",
    "%252e",
    "secret",
    "open",
    "link",
    "below",
    "fifo",
    ".hidden",
    "?page=",
    "peers",
    "upload",
    "?tar=",
    "none",
    "zip",
    "?mimetype=",
    "application/json",
    "&",
    "#",
    "\\",
    "é",
    "%c3%a9",
  ], 14).map((text) => `/${text}`),
  fc.constantFrom(...hostilePaths),
);

/** Targets in the forms that pacman uses, mixed with hostile parts. */
const pacmanTarget = wordText([
  "/pacman/",
  "/request/",
  "/pkg/",
  "core/",
  "local/",
  "x86_64/",
  "..",
  "%2e%2e",
  "%2f",
  "/",
  "secret",
  "open",
  "link",
  "core.db",
  ".sig",
  ".pkg.tar.zst",
  "?repo=",
  "local",
  "&arch=x86_64",
  "&file=/",
  "%00",
], 9).map((text) => text.startsWith("/") ? text : `/pacman/local/x86_64/${text}`);

interface Server {
  readonly directory: string;
  readonly servers: readonly Handlers[];
}

const server = {
  async open(): Promise<Server> {
    const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "pacserve-fuzz-" }));
    writeFiles(directory, { "secret": SECRET, "s/open": "open", "s/below/open": "open too" });
    writeFiles(directory, { "s/.hidden": SECRET, "other/secret": SECRET });
    shell(directory, "mkfifo s/fifo; ln -s ../secret s/link; ln -s ../other s/below/link");
    const quickserve = configurationOf({ tree: treeOf([share("s", `${directory}/s`)]) });
    const servers = [await handlersOf(quickserve), await handlersOf(pacserveOf(directory))];
    return { directory, servers };
  },
  async close({ directory, servers }: Server): Promise<void> {
    for (const handlers of servers) handlers.close();
    await Deno.remove(directory, { recursive: true });
  },
};

/** A pacserve with a cache and a `file:` repository, both of which contain links to the secret. */
function pacserveOf(directory: string): ServerConfiguration {
  const required = { packageSignatureRequired: true };
  return configurationOf({
    program: "pacserve",
    tree: treeOf([{ path: "pkg", sources: [`${directory}/s`], packageCache: true }]),
    pacserve: {
      pacman: {
        cacheDirectories: [`${directory}/s`],
        databasePath: `${directory}/db`,
        architectures: ["x86_64"],
        repositories: [
          { name: "core", servers: [], ...required },
          { name: "local", servers: [`file://${directory}/s/below`], ...required },
        ],
      },
      trustPeers: false,
      port: 15678,
      hostNames: [],
      redirect: false,
      spool: null,
      authorities: [],
      proxies: null,
    },
  });
}

/** No target with any method reads the secret or makes the handlers throw. */
export const paths = targetWith(
  "paths",
  server,
  fc.record({
    requestTarget: fc.oneof(requestTarget, pacmanTarget),
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "PROPFIND"),
    accept: fc.constantFrom("*/*", "text/html", "application/json", "text/plain", "\x80"),
  }),
  async ({ requestTarget, method, accept }, { servers }) => {
    const parsed = parseTarget(requestTarget);
    if (parsed !== null) {
      for (const segment of parsed.segments) {
        assert(isFileName(segment.slice(0, 200)), `no name: ${segment}`);
      }
      const again = parseTarget(encodePath(parsed.segments.map((one) => one.toWellFormed())));
      assertEquals(again?.segments, parsed.segments.map((one) => one.toWellFormed()));
    }
    for (const handlers of servers) {
      const headers = { host: "127.0.0.1", accept };
      const connection = { remoteAddress: "127.0.0.1" };
      const request = makeRequest({ method, target: requestTarget, headers, connection });
      const reply = await handlers.answer(request);
      const text = await readText(reply);
      assert(!text.includes(SECRET), "the secret is in the reply");
      assert(reply.status !== 500, `status ${reply.status}`);
      const location = reply.headers["Location"];
      if (typeof location === "string") {
        assert(/^\/(?!\/)/.test(location) && !/[\r\n]/.test(location), `elsewhere: ${location}`);
      }
    }
  },
);

const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9][a-z0-9@_+.:-]{0,20}$/),
  fc.constantFrom("__proto__", "core.db", "é", "a b", "%"),
).filter((name) => name !== "." && name !== "..");

/** All forms of a pacman URL mean the same path in the tree. */
export const pacmanAddresses = target(
  "pacman-addresses",
  fc.record({ repository: name, architecture: name, file: name, requestTarget }),
  ({ repository, architecture, file, requestTarget }) => {
    const forms = [
      encodePath(["pacman", repository, architecture, file]),
      encodePath(["request", repository, architecture, file]),
      `/pkg/?repo=${encodeURIComponent(repository)}&arch=${encodeURIComponent(architecture)}` +
      `&file=/${encodeURIComponent(file)}`,
      encodePath(["pkg", file]),
    ];
    for (const [index, form] of forms.entries()) {
      const parsed = parseTarget(form);
      const address = parsed === null ? null : parsePacmanAddress(parsed);
      assert(address !== null, form);
      assertEquals(placeOf(address), ["pkg", file]);
      const known = index === 3 ? [null, null] : [repository, architecture];
      assertEquals([address.repository, address.architecture], known);
    }
    const parsed = parseTarget(requestTarget);
    const address = parsed === null ? null : parsePacmanAddress(parsed);
    if (address !== null) assert(isFileName(address.file), `no name: ${address.file}`);
  },
);

/** Tests that pacman gets the correct signature if a mirror or a peer sends something else. */

import { createHash } from "node:crypto";
import { createPacserveMemory } from "../../../src/pacserve/memory.ts";
import { MAX_SIGNATURE_SIZE } from "../../../src/pacserve/signature.ts";
import { assertEquals } from "../../assert.ts";
import { KeptLog } from "../../log.ts";
import { readText } from "../../reply.ts";
import { Scratch } from "../../scratch.ts";
import { type HostParts, makeHost, repositoryWith } from "./host.ts";
import { startMirror, type TestMirror } from "./mirror.ts";

const PACKAGE = "foo-1:2.0+r1-1-x86_64.pkg.tar.zst";
const ADDRESS = `/pacman/core/x86_64/${PACKAGE}`;
const CONTENT = "the bytes of a package";

/** Returns a signature packet of version 4 (Ed25519, SHA-512) that passes the check for `content`. */
function signatureOf(content: string): Uint8Array<ArrayBuffer> {
  const head = [4, 0, 27, 10, 0, 0];
  const trailer = Uint8Array.from([...head, 4, 255, 0, 0, 0, head.length]);
  const hash = createHash("sha512").update(content).update(trailer).digest();
  return Uint8Array.from([0xc2, 74, ...head, 0, 0, hash[0]!, hash[1]!, ...new Array(64).fill(0)]);
}

/** Returns an answer with a length, which the relay requires. */
function answer(body: Uint8Array<ArrayBuffer> | string, headers: HeadersInit = {}): Response {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const all = new Headers(headers);
  all.set("Content-Length", String(bytes.length));
  return new Response(bytes, { headers: all });
}

const right = signatureOf(CONTENT);

const faults: Readonly<Record<string, () => Response | Promise<Response>>> = {
  "nothing": () => answer(""),
  "garbage": () => answer("g".repeat(right.length)),
  "another package's signature": () => answer(signatureOf("another package")),
  "half of it": () => answer(right.slice(0, right.length / 2)),
  "it twice": () => answer(Uint8Array.from([...right, ...right])),
  "a page": () => answer("<html>not found</html>", { "Content-Type": "text/html" }),
  "more than a signature can have": () => answer("x".repeat(MAX_SIGNATURE_SIZE + 1)),
  "no length": () => new Response(new Blob([right]).stream()),
  "404": () => new Response("no", { status: 404 }),
  "500": () => new Response("no", { status: 500 }),
  "no answer": () => new Promise<Response>(() => {}),
};

/** Starts a server with the package that sends this as its signature. */
function serverThatGives(signature: () => Response | Promise<Response>): TestMirror {
  return startMirror(({ url, method }) => {
    if (method === "HEAD") return new Response(null, { headers: { "Content-Length": "5" } });
    return url.endsWith(".sig") ? signature() : answer(CONTENT);
  });
}

function onPeer({ origin }: TestMirror): NonNullable<HostParts["findPeer"]> {
  return (place) => Promise.resolve({ peer: `${origin}/`, url: `${origin}/${place}`, size: null });
}

const places: Readonly<
  Record<string, (wrong: TestMirror, good: TestMirror) => Partial<HostParts>>
> = {
  "the first mirror": (wrong, good) => ({
    repositories: [repositoryWith([wrong.server, good.server])],
  }),
  "the only mirror, with a correct peer,": (wrong, good) => ({
    repositories: [repositoryWith([wrong.server])],
    findPeer: onPeer(good),
  }),
  "a peer, with a correct mirror,": (wrong, good) => ({
    repositories: [repositoryWith([good.server])],
    findPeer: onPeer(wrong),
  }),
};

for (const [place, parts] of Object.entries(places)) {
  Deno.test({
    name: `Signatures.find: pacman gets the correct signature when ${place} sends something else`,
    // The test does not wait for the server that never answers.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async (t) => {
      for (const [fault, signature] of Object.entries(faults)) {
        await t.step(fault, async () => {
          const wrong = serverThatGives(signature);
          const good = serverThatGives(() => answer(right));
          const sha256 = createHash("sha256").update(CONTENT).digest();
          using scratch = new Scratch();
          const spool = { directory: scratch.directory, size: 1e6 };
          await using host = makeHost({
            redirect: false,
            memory: createPacserveMemory({ log: new KeptLog(), spool }),
            expected: new Map([[PACKAGE, { size: CONTENT.length, sha256 }]]),
            ...parts(wrong, good),
          });
          const reply = await host.get(ADDRESS);
          assertEquals(reply?.status, 200);
          assertEquals(await readText(reply!), CONTENT);
          const begun = performance.now();
          const found = await host.get(`${ADDRESS}.sig`);
          assertEquals([found?.status, found?.body], [200, right]);
          assertEquals(performance.now() - begun < 5_000, true, "pacman had to wait too long");
        });
      }
    },
  });
}

/** Tests that a peer which reads a download has no influence on it. */

import type { Download } from "../../../src/pacserve/relay/download.ts";
import { InFlightReader } from "../../../src/pacserve/relay/in_flight_reader.ts";
import { OwnReaders } from "../../../src/pacserve/relay/own_readers.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { makeDownload } from "./downloads.ts";

const size = 1024 * 1024;

function make(
  own = new OwnReaders(),
): { readonly download: Download; readonly reader: InFlightReader; ended: number } {
  const download = makeDownload({ size, sha256: new Uint8Array(32) });
  const source = { kind: "mirror", name: "m", key: "m", open: () => Promise.reject() } as const;
  download.append(new Uint8Array(size / 2), source);
  const made = { download, ended: 0 };
  const reader = new InFlightReader(
    download,
    download.store!,
    0,
    size,
    own,
    () => true,
    () => made.ended++,
  );
  return Object.assign(made, { reader });
}

Deno.test("InFlightReader: a reader that reads nothing is closed after six seconds", async () => {
  const made = make();
  const { reader, download } = made;
  assertEquals((await reader.next()).value?.length, 0);
  assertEquals((await reader.next()).value?.length, 256 * 1024);
  const begun = performance.now();
  while (made.ended === 0 && performance.now() - begun < 10_000) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assertEquals(made.ended, 1);
  assert(performance.now() - begun > 5_000);
  await assertRejects(() => reader.next());
  download.close();
});

Deno.test("InFlightReader: a reader ends when the download starts again, and when it is closed", async () => {
  for (const end of ["restart", "close"] as const) {
    const made = make();
    const { reader, download } = made;
    await reader.next();
    await reader.next();
    await reader.next();
    download[end]();
    await assertRejects(() => reader.next());
    assertEquals(made.ended, 1);
    download.close();
  }
});

Deno.test("InFlightReader: a reader waits for this host's pacman, but at most 50 ms for each piece", async () => {
  const own = new OwnReaders();
  const { reader, download } = make(own);
  await reader.next();
  own.begin();
  const begun = performance.now();
  const waited = await Promise.race([reader.next().then(() => performance.now() - begun), never]);
  assert(waited >= 45 && waited < 1_000, `${waited} ms`);
  const next = reader.next();
  assertEquals(await Promise.race([next, Promise.resolve("waits")]), "waits");
  const ended = performance.now();
  own.end();
  assertEquals((await next).value?.length, 256 * 1024);
  assert(
    performance.now() - ended < 45,
    "the reader waited after this host's pacman had its bytes",
  );
  await reader.return();
  download.close();
});

const never = new Promise<never>(() => {});

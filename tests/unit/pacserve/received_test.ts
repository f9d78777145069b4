/** Tests the counters of received bytes: those of mirrors count at once, those of peers when verified. */

import { createHash } from "node:crypto";
import type { Download } from "../../../src/pacserve/relay/download.ts";
import { Received } from "../../../src/pacserve/relay/received.ts";
import type { Source, SourceKind } from "../../../src/pacserve/relay/source.ts";
import { assertEquals } from "../../assert.ts";
import { makeDownload, streamOf } from "./downloads.ts";

const CONTENT = new TextEncoder().encode("0123456789");

function source(kind: SourceKind, name: string = kind): Source {
  const open = (): Promise<never> => Promise.reject(new Error("this source is never opened"));
  return { kind, name, key: name, open };
}

function download(options: Partial<Parameters<typeof makeDownload>[0]> = {}): Download {
  return makeDownload({
    size: CONTENT.length,
    sha256: new Uint8Array(createHash("sha256").update(CONTENT).digest()),
    ...options,
  });
}

/** Returns the counter under test, and its results by source. */
function counting(): {
  received: Received;
  counts: Record<string, [bytes: number, files: number]>;
} {
  const counts: Record<string, [number, number]> = {};
  const received = new Received({
    count: (direction, from, bytes, files) => {
      assertEquals(direction, "received");
      const [before, filesBefore] = counts[from] ?? [0, 0];
      counts[from] = [before + bytes, filesBefore + files];
    },
  });
  return { received, counts };
}

/** Appends the bytes `from` to `until` of the correct content, or wrong bytes, to a download. */
function give(to: Download, by: Source, from: number, until: number, isRight = true): void {
  to.begin(streamOf(CONTENT.length), by);
  const bytes = CONTENT.slice(from, until);
  to.append(isRight ? bytes : bytes.fill(120), by);
}

Deno.test("Received: a file counts for the source of most of its bytes, and the bytes for each source", () => {
  const { received, counts } = counting();
  const file = download();
  received.begun(file);
  give(file, source("copy"), 0, 6);
  give(file, source("in-flight"), 6, 8);
  give(file, source("mirror"), 8, 10);
  received.ended(file);
  assertEquals(counts, { peer: [6, 1], inFlight: [2, 0], mirror: [2, 0] });
  assertEquals(received.of("copy"), { files: 1, bytes: 6, rate: 0 });
  assertEquals(received.of("nobody"), null);
  file.close();
});

Deno.test("Received: does not count signatures", () => {
  const { received, counts } = counting();
  const file = download({ name: "core.db.sig" });
  received.begun(file);
  give(file, source("mirror"), 0, 5);
  received.settle(file);
  give(file, source("mirror"), 5, 10);
  received.ended(file);
  assertEquals(counts, {});
  file.close();
});

Deno.test("Received.settle: during a download, a mirror's bytes are counted once, and a peer's are not", () => {
  const { received, counts } = counting();
  const file = download();
  received.begun(file);
  give(file, source("mirror"), 0, 4);
  give(file, source("copy"), 4, 6);
  received.settle(file);
  received.settle(file);
  assertEquals(counts, { mirror: [4, 0] });
  give(file, source("copy"), 6, 10);
  received.ended(file);
  assertEquals(counts, { mirror: [4, 0], peer: [6, 1] });
  file.close();
});

Deno.test("Received: a peer's bytes are not counted if they are wrong, or the download fails", () => {
  const { received, counts } = counting();
  const file = download();
  received.begun(file);
  give(file, source("copy"), 0, 10, false);
  file.restart()?.close();
  received.settle(file);
  give(file, source("copy", "other"), 0, 3);
  file.close();
  received.ended(file);
  assertEquals(counts, {});
  assertEquals(received.of("copy"), null);
});

Deno.test("Received: a part without the end of the file is not counted as a file", () => {
  for (const [end, files] of [[7, 0], [null, 1]] as const) {
    const { received, counts } = counting();
    const part = download({ isWhole: false, sha256: null, start: 2, end });
    received.begun(part);
    give(part, source("mirror"), 2, end ?? 10);
    received.ended(part);
    assertEquals(counts, { mirror: [(end ?? 10) - 2, files] });
    part.close();
  }
});

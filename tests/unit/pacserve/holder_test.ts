/** Tests which neighbours get an in-flight file, and how many. */

import type { Reply } from "../../../src/http/exchange.ts";
import type { FileClient } from "../../../src/pacserve/relay/http_client.ts";
import { InFlightFile } from "../../../src/pacserve/relay/in_flight_file.ts";
import { Relay, type WantedFile } from "../../../src/pacserve/relay/relay.ts";
import type { Source } from "../../../src/pacserve/relay/source.ts";
import { SourceMemory } from "../../../src/pacserve/relay/source_memory.ts";
import { SpoolDirectory } from "../../../src/pacserve/relay/spool.ts";
import { RELAY_TIMES } from "../../../src/pacserve/relay/times.ts";
import { assert, assertEquals } from "../../assert.ts";
import { until } from "../../listening.ts";
import { makeRequest } from "../../request.ts";
import { Scratch } from "../../scratch.ts";

const SIZE = 512 * 1024;
const digest = new Uint8Array(32);

/** Returns a source that sends half of a file and then nothing. */
function half(kind: "copy" | "mirror"): Source {
  return {
    kind,
    name: kind,
    key: kind,
    open: (from) => {
      const { promise, resolve } = Promise.withResolvers<null>();
      let left = SIZE / 2 - from;
      return Promise.resolve({
        from,
        size: SIZE,
        lastModified: null,
        read: (buffer) => {
          const count = Math.min(buffer.length, left);
          left -= count;
          return count === 0 ? promise : Promise.resolve(count);
        },
        close: () => resolve(null),
      });
    },
  };
}

/** A relay that has half of each of some files. */
class Downloading implements AsyncDisposable {
  readonly #scratch = new Scratch();
  readonly #relay: Relay;
  readonly #own = new AbortController();
  readonly #replies: Promise<unknown>[] = [];

  private constructor() {
    const log = { info: () => {}, debug: () => {} };
    const times = { ...RELAY_TIMES, silence: 60_000, crawl: 60_000, raceAfter: 60_000 };
    const memory = new SourceMemory(times);
    const spools = new SpoolDirectory(this.#scratch.directory, 1e9);
    this.#relay = new Relay({ spools, memory, log, times });
  }

  static async of(files: readonly string[], kind: "copy" | "mirror"): Promise<Downloading> {
    const downloading = new Downloading();
    for (const file of files) downloading.#start(file, half(kind));
    // The relay has half of a file when it does not refuse a reader that begins there.
    for (const file of files) {
      await until(() => downloading.#hasHalf(file), "half of the file is here");
    }
    return downloading;
  }

  /** Sends a request like a relay at this address. A reader that gets the file keeps its place. */
  ask(file: string, address: string, more: Readonly<Record<string, string>> = {}): number {
    return this.#answer(file, address, more)?.status ?? 404;
  }

  #answer(file: string, address: string, more: Readonly<Record<string, string>>): Reply | null {
    const headers = {
      "pacserve-instance": `instance-at-${address.replaceAll(".", "-")}`,
      "pacserve-digest": `sha256=${digest.toHex()}`,
      ...more,
    };
    const request = makeRequest({ headers, connection: { remoteAddress: address } });
    return this.#relay.holder.answer(request, file, "instance-of-the-holder");
  }

  #hasHalf(file: string): boolean {
    const reply = this.#answer(file, "10.9.9.9", { range: `bytes=${SIZE / 2}-` });
    const body = reply?.body as AsyncIterableIterator<Uint8Array> | null | undefined;
    void body?.return?.();
    return reply?.status === 206;
  }

  #start(file: string, source: Source): void {
    const isMirror = source.kind === "mirror";
    const copy = { peer: "http://10.9.9.8:15678/", source };
    const wanted: WantedFile = {
      name: file,
      repository: "core",
      expected: { size: SIZE, sha256: digest },
      isPackage: true,
      peers: { find: () => Promise.resolve(isMirror ? null : copy) },
      inFlight: new InFlightFile({
        wants: {
          instance: "instance-of-the-holder",
          peerOf: () => null,
          ask: () => ({
            soon: () => Promise.resolve(null),
            late: Promise.resolve(null),
            confirm: () => {},
          }),
        },
        // No request is sent.
        client: null as unknown as FileClient,
        file,
        digest: digest.toHex(),
        authorities: [],
      }),
      mirrors: {
        find: () => Promise.resolve(isMirror ? source : null),
        size: () => Promise.resolve(SIZE),
        failed: () => {},
      },
      tree: { lookup: () => null },
    };
    this.#replies.push(this.#relay.reply(makeRequest({ signal: this.#own.signal }), wanted));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own.abort();
    this.#relay.close();
    await Promise.all(this.#replies);
    this.#scratch[Symbol.dispose]();
  }
}

const files = Array.from({ length: 14 }, (_, i) => `file-${i}-1-1-any.pkg.tar.zst`);

Deno.test("Holder: an address may have eight readers, and the ninth gets 503; other addresses still find a place", async () => {
  await using downloading = await Downloading.of(files, "mirror");
  const statuses = files.slice(0, 9).map((file) => downloading.ask(file, "10.0.0.2"));
  assertEquals(statuses, [...Array(8).fill(200), 503]);
  assertEquals(downloading.ask(files[8]!, "10.0.0.3"), 200);
});

Deno.test("Holder: twelve readers get in-flight files, one reader each, and the thirteenth gets 503", async () => {
  await using downloading = await Downloading.of(files, "mirror");
  const statuses = files.map((file, i) => downloading.ask(file, `10.0.1.${i}`));
  assertEquals(statuses, [...Array(12).fill(200), 503, 503]);
});

Deno.test("Holder: the readers of one file leave places for the first readers of other files", async () => {
  await using downloading = await Downloading.of(files, "mirror");
  const [first, ...others] = files as [string, ...string[]];
  const statuses = Array.from({ length: 6 }, (_, i) => downloading.ask(first, `10.0.2.${i}`));
  assertEquals(statuses, [...Array(4).fill(200), 503, 503]);
  const rest = others.slice(0, 9).map((file, i) => downloading.ask(file, `10.0.3.${i}`));
  assertEquals(rest, [...Array(8).fill(200), 503]);
});

Deno.test("Holder: a holder that reads from a peer refuses a reader that has more of the file", async () => {
  const ahead = { range: `bytes=${SIZE / 2 + 1}-` };
  const [file] = files as [string, ...string[]];
  await using reading = await Downloading.of([file], "copy");
  assertEquals(reading.ask(file, "10.0.0.2", ahead), 503);
  assertEquals(reading.ask(file, "10.0.0.2", { range: "bytes=1000-" }), 206);
  // A download from a mirror continues in any case, so the reader need not download the rest again.
  await using mirrored = await Downloading.of([file], "mirror");
  assertEquals(mirrored.ask(file, "10.0.0.2", ahead), 206);
});

Deno.test("Holder: a range after the end, or one that relays do not request, gets 404", async () => {
  const [file] = files as [string, ...string[]];
  await using downloading = await Downloading.of([file], "mirror");
  for (const range of [`bytes=${SIZE}-`, "bytes=-5", "bytes=0-5", "bytes=1-,3-", "pages=1-"]) {
    assertEquals(downloading.ask(file, "10.0.0.2", { range }), 404, range);
  }
  assert(downloading.ask(file, "10.0.0.2") === 200);
});

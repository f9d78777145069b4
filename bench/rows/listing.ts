/** Measures how long the page of a large directory takes, compared to nginx's. */

import { startNginx, startQuickserve } from "../candidates.ts";
import { load, type Program } from "../program.ts";
import { type Bench, type Measurement, type Row, short } from "../row.ts";
import { median, ratios } from "../statistics.ts";

const PAGE = "the page of 50,000 files";
const FILES = 50_000;

/** The promise is less than a second. nginx took a seventh of a second where this bound was set. */
const MOST = 5;

/** The measurement of this file. */
export const listing: Measurement = {
  names: [PAGE],
  measure: async (bench) => [await page(bench)],
};

/** Both servers stat each file and sort the names; our page shows more about each file. */
async function page(bench: Bench): Promise<Row> {
  const directory = `${bench.scratch}/packages`;
  await Deno.mkdir(directory);
  for (let file = 0; file < FILES; file++) {
    const version = `${file % 17}.${file % 7}-1`;
    Deno.writeTextFileSync(`${directory}/package-${file}-${version}-x86_64.pkg.tar.zst`, "");
  }
  const samples: [number[], number[]] = [[], []];
  {
    await using ours = await startQuickserve(bench, directory);
    await using theirs = await startNginx(bench, directory);
    // The first round only fills the kernel's cache and lets V8 compile.
    for (let round = -1; round < bench.rounds; round++) {
      for (const [index, candidate] of [ours, theirs].entries()) {
        const seconds = await secondsOf(candidate);
        if (round >= 0) samples[index]?.push(seconds);
      }
    }
  }
  await Deno.remove(directory, { recursive: true });
  const [ours, theirs] = samples;
  return {
    name: PAGE,
    measured: `${short(median(ours))} against ${short(median(theirs))} s (autoindex)`,
    figure: ratios(ours, theirs),
    reach: { bound: "at most", value: MOST },
    unit: "× nginx",
  };
}

/** Time from the request to the last byte, in seconds. */
async function secondsOf({ port }: Program): Promise<number> {
  const format = "%{http_code} %{size_download} %{time_total}";
  const words = ["curl", "-s", "-o", "/dev/null", "-w", format, "-H", "Accept: text/html"];
  const printed = await load([...words, `http://127.0.0.1:${port}/`]);
  const [status, size = 0, seconds = NaN] = printed.split(" ").map(Number);
  // Each name has at least 30 bytes.
  if (status !== 200 || size < 30 * FILES) throw new Error(`curl got ${printed}`);
  return seconds;
}

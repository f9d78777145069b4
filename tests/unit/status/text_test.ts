/** The status in a terminal: aligned, in colours or without, and never wider than the terminal. */

import { problemsOf } from "../../../src/status/snapshot.ts";
import { statusText, TransferRates } from "../../../src/status/text.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { sampleSnapshot } from "./samples.ts";

// deno-lint-ignore no-control-regex -- the expression matches escape sequences of colours
const COLOURS = /\x1b\[[\d;]*m/g;

Deno.test("statusText shows all parts, and the table of counters fits into 80 columns", () => {
  const text = statusText(sampleSnapshot(), { width: 80, isColoured: false });
  for (
    const part of [
      "pacserve 2026.11.0  running since 2026-11-26",
      "http://192.168.1.5:15678/",
      "[#######-------------]  35 %  12.0 MiB/s  49.0 MiB of 140 MiB\n     from peer http://",
      "<- gcc-15-1-x86_64.pkg.tar.zst",
      "to 192.168.1.9",
      "32.0 MiB did not come over the internet, and others got 700 MiB from here.",
      "2.5 MiB/s",
    ]
  ) assertStringIncludes(text, part);
  assertMatch(text, /^ {2}since start +- +29\.0 MiB +3\.0 MiB +1\.5 MiB +32\.0 MiB +700 MiB$/m);
  assertMatch(text, /^ {4}files +- +12 +2 +1 +14 +80$/m);
  // Numbers are aligned with the end of their title.
  const lines = text.split("\n");
  const title = lines.find((line) => line.startsWith("Files and bytes")) ?? "";
  for (const line of lines.filter((line) => /^ {2}(since start|today| {2}files)/.test(line))) {
    assertEquals(line.length, title.length, line);
    assertMatch(line.slice(0, title.indexOf("mirrors") + 7), /\d( MiB)?$/);
  }
});

Deno.test("statusText shows the source of a transfer on one line with the numbers if there is room", () => {
  const wide = statusText(sampleSnapshot(), { width: 132, isColoured: false });
  assertMatch(wide, /12\.0 MiB\/s {2}49\.0 MiB of 140 MiB {2}from peer http:\S+/);
});

Deno.test("statusText mentions only what the LAN has saved so far", () => {
  const { counters } = sampleSnapshot();
  const none = { files: 0, bytes: 0 };
  const one = { files: 1, bytes: 20 * 1024 * 1024 };
  const sentence = (here: typeof one, others: typeof one): string | undefined => {
    const sinceInstallation = { ...counters.sinceInstallation, saved: { here, others } };
    const snapshot = sampleSnapshot({ counters: { ...counters, sinceInstallation } });
    const text = statusText(snapshot, { width: 80, isColoured: false });
    return text.split("\n").find((line) => line.endsWith("."));
  };
  assertEquals(sentence(one, none), "20.0 MiB did not come over the internet.");
  assertEquals(sentence(none, one), "Others got 20.0 MiB from here.");
  assertEquals(sentence(none, none), undefined);
});

Deno.test("statusText shows peers as a table; on a narrow terminal, one field per line", () => {
  const wide = statusText(sampleSnapshot(), { width: 100, isColoured: false });
  assertMatch(wide, /^ {2}192\.168\.1\.7:15678 {2}answers {2}multicast, mDNS {2}0\.8 ms/m);
  const narrow = statusText(sampleSnapshot(), { width: 40, isColoured: false });
  assertMatch(narrow, /^ {2}192\.168\.1\.7:15678\n {4}state {5}answers$/m);
});

Deno.test("statusText fits every terminal", () => {
  for (const width of [30, 40, 60, 80, 100, 132]) {
    for (const isColoured of [true, false]) {
      const text = statusText(sampleSnapshot({ problems: ["x ".repeat(100)] }), {
        width,
        isColoured,
      });
      for (const line of text.replace(COLOURS, "").split("\n")) {
        assert([...line].length <= width, `${width} columns: ${line}`);
      }
    }
  }
});

Deno.test("statusText has colours only with isColoured, and no control characters from peers", () => {
  const problems = ["A peer says \x1b[31mred."];
  const coloured = statusText(sampleSnapshot({ problems }), { width: 100, isColoured: true });
  const plain = statusText(sampleSnapshot({ problems }), { width: 100, isColoured: false });
  assert(COLOURS.test(coloured));
  assertEquals(coloured.replace(COLOURS, ""), plain);
  assert(!plain.includes("\x1b"));
  assertStringIncludes(plain, 'it says "no"\\x1b[31m\\');
});

Deno.test("TransferRates: the rate is the one between the last two snapshots", () => {
  const rates = new TransferRates();
  const [transfer] = sampleSnapshot().transfers;
  const at = (time: string, done: number): void =>
    rates.add({ time: `2026-11-26T14:30:${time}Z`, transfers: [{ ...transfer!, done }] });
  at("00", 1000);
  assertEquals(rates.recent.size, 0);
  at("02", 5000);
  assertEquals([...rates.recent.values()], [2000]);
  // The download was restarted, and a clock was set back.
  at("03", 10);
  assertEquals(rates.recent.size, 0);
  at("01", 20);
  assertEquals(rates.recent.size, 0);
});

Deno.test("problemsOf: reports failing --peer peers, failing mirrors and a missing interface only", () => {
  const { peers, mirrors, discovery } = sampleSnapshot();
  const [mirror] = mirrors;
  const broken = { ...mirror!, state: "fails" as const };
  assertMatch(problemsOf({ peers, mirrors, discovery }).join(), /^The peer http.*8:15678.*answer/);
  const found = peers.map((peer) => ({ ...peer, foundBy: ["multicast"] }));
  assertEquals(problemsOf({ peers: found, mirrors: [mirror!, broken], discovery }), []);
  assertEquals(problemsOf({ peers: [], mirrors: [broken, broken], discovery }), [
    "All 2 mirrors of pacman.conf fail.",
  ]);
  const nowhere = { means: ["multicast"], interfaces: [] };
  assertMatch(problemsOf({ peers: [], mirrors: [], discovery: nowhere }).join(), /no network/);
});

/** Checks the metrics against the rules of the format and the conventions for names. */

import { metricsText } from "../../../src/status/metrics.ts";
import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { sampleSnapshot } from "./samples.ts";

/** A parsed metric. */
interface Metric {
  readonly type: string;
  readonly help: string;
  readonly samples: Map<string, number>;
}

const SAMPLE =
  /^(?<name>[a-z_]+)(?:\{(?<labels>(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (?<value>\S+)$/;

/**
 * Parses the text format strictly: HELP, TYPE and the samples of a metric are adjacent and occur once.
 *
 * @throws when promtool would refuse the text.
 */
function parse(text: string): Map<string, Metric> {
  assert(text.endsWith("\n"), "the last line has no end");
  const metrics = new Map<string, Metric>();
  const lines = text.trimEnd().split("\n");
  for (let at = 0; at < lines.length;) {
    const [, name = "", help = ""] = /^# HELP (\S+) (.+)$/.exec(lines[at++] ?? "") ?? [];
    assert(name !== "" && !metrics.has(name), `no HELP, or a second one: ${lines[at - 1]}`);
    const [, typed, type = ""] = /^# TYPE (\S+) (counter|gauge)$/.exec(lines[at++] ?? "") ?? [];
    assertEquals(typed, name);
    const samples = new Map<string, number>();
    while (at < lines.length && !lines[at]!.startsWith("#")) {
      const { name: sample, labels = "", value } = SAMPLE.exec(lines[at]!)?.groups ?? {};
      assertEquals(sample, name, lines[at]);
      assert(!samples.has(labels), `twice: ${lines[at]}`);
      samples.set(labels, Number(value));
      at++;
    }
    assert(samples.size > 0, `${name} has no samples`);
    metrics.set(name, { type, help, samples });
  }
  return metrics;
}

Deno.test("metricsText follows the format and Prometheus' conventions for names", () => {
  const metrics = parse(metricsText(sampleSnapshot()));
  for (const [name, { type, help, samples }] of metrics) {
    assertMatch(name, /^pacserve_[a-z_]+$/);
    assertEquals(name.endsWith("_total"), type === "counter", name);
    // Allow base units only.
    assert(!/_(ms|milliseconds|minutes|hours|kib|mib|kilobytes)(_|$)/.test(name), name);
    assertMatch(help, /\.$/);
    assert([...samples.values()].every((value) => Number.isFinite(value)), name);
  }
});

Deno.test("metricsText contains the numbers of the snapshot, in base units", () => {
  const metrics = parse(metricsText(sampleSnapshot({ problems: ["One."] })));
  const value = (name: string, labels = ""): number | undefined =>
    metrics.get(`pacserve_${name}`)?.samples.get(labels);
  assertEquals(value("received_bytes_total", 'source="peer"'), 29 * 1024 * 1024);
  assertEquals(value("received_files_total", 'source="in_flight"'), 2);
  assertEquals(value("served_bytes_total", 'source="cache"'), 700 * 1024 * 1024);
  assertEquals(value("peer_round_trip_seconds", 'peer="http://192.168.1.7:15678/"'), 0.00084);
  assertEquals(value("peer_up", 'peer="http://192.168.1.8:15678/"'), 0);
  assertEquals(value("mirror_up", 'mirror="https://geo.mirror.example.org"'), 1);
  assertEquals(value("transfers", 'direction="sending"'), 1);
  assertEquals(value("problems"), 1);
  assertEquals(value("start_time_seconds"), Date.parse("2026-11-26T12:30:00Z") / 1000);
});

Deno.test("metricsText is valid for a host without peers and mirrors", () => {
  const metrics = parse(metricsText(sampleSnapshot({ peers: [], mirrors: [], transfers: [] })));
  assertEquals(metrics.has("pacserve_peer_up"), false);
  assertEquals(metrics.get("pacserve_peers")?.samples.get('state="alive"'), 0);
});

Deno.test("metricsText escapes the values of labels", () => {
  const [peer] = sampleSnapshot().peers;
  const peers = [{ ...peer!, url: 'http://a"b\\c\nd/' }];
  const metrics = parse(metricsText(sampleSnapshot({ peers })));
  const labels = [...metrics.get("pacserve_peer_up")?.samples.keys() ?? []];
  assertEquals(labels, ['peer="http://a\\"b\\\\c\\nd/"']);
});

Deno.test("metricsText: the dashboard and doc/status.md name all metrics, and no others", async () => {
  const there = new Set(parse(metricsText(sampleSnapshot())).keys());
  for (const document of ["grafana-dashboard.json", "status.md"]) {
    const text = await Deno.readTextFile(new URL(`../../../doc/${document}`, import.meta.url));
    const named = new Set([...text.matchAll(/\bpacserve_[a-z_]+/g)].map(([name]) => name));
    assertEquals(named, there, document);
  }
});

/**
 * The status in the text format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */

import type { Snapshot } from "./snapshot.ts";
import { FILE_SOURCES, type Flows } from "./traffic.ts";

/** The media type. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** One value, and the labels that tell it from others of its metric. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** All metrics of a server. */
export function metricsText(snapshot: Snapshot): string {
  const { program, running, counters, peers, mirrors, transfers, problems } = snapshot;
  const { received, served } = counters.sinceInstallation;
  const started = Math.round(Date.parse(running.since) / 1000);
  const states = ["alive", "backoff"] as const;
  const directions = ["receiving", "sending"] as const;
  return [
    metric("info", "gauge", "The version of pacserve.", [[{ version: program.version }, 1]]),
    metric("start_time_seconds", "gauge", "When pacserve was started, in seconds since 1970.", [
      [{}, started],
    ]),
    metric("problems", "gauge", "Things that are wrong, as pacserve-status names them.", [
      [{}, problems.length],
    ]),
    ...traffic("received", "this host's pacman got, by source", received),
    ...traffic("served", "other machines got from here, by source", served),
    metric(
      "transfers",
      "gauge",
      "Files on their way now.",
      directions.map((direction) => [
        { direction },
        transfers.filter((transfer) => transfer.direction === direction).length,
      ]),
    ),
    metric(
      "peers",
      "gauge",
      "Peers that are known, by state.",
      states.map((state) => [{ state }, peers.filter((peer) => peer.state === state).length]),
    ),
    metric(
      "peer_up",
      "gauge",
      "Whether the peer answered last.",
      peers.map(({ url, state }) => [{ peer: url }, state === "alive" ? 1 : 0]),
    ),
    metric(
      "peer_round_trip_seconds",
      "gauge",
      "How long the peer takes to answer.",
      peers.flatMap(({ url, roundTrip }): Sample[] =>
        roundTrip === null ? [] : [[{ peer: url }, Number((roundTrip / 1000).toFixed(6))]]
      ),
    ),
    metric(
      "peer_failures",
      "gauge",
      "Failures of the peer, in a row.",
      peers.map(({ url, failures }) => [{ peer: url }, failures]),
    ),
    metric(
      "peer_received_bytes_total",
      "counter",
      "Bytes that the peer gave, since the start.",
      peers.map(({ url, received }) => [{ peer: url }, received.bytes]),
    ),
    metric(
      "mirror_up",
      "gauge",
      "Whether the mirror answered last; one that was not asked yet is missing.",
      mirrors.flatMap(({ origin, state }): Sample[] =>
        state === "not asked" ? [] : [[{ mirror: origin }, state === "answers" ? 1 : 0]]
      ),
    ),
    metric(
      "mirror_failures",
      "gauge",
      "Failures of the mirror, in a row.",
      mirrors.map(({ origin, failures }) => [{ mirror: origin }, failures]),
    ),
    metric(
      "mirror_received_bytes_total",
      "counter",
      "Bytes that the mirror gave, since the start.",
      mirrors.map(({ origin, received }) => [{ mirror: origin }, received.bytes]),
    ),
  ].join("");
}

/** The words of the sources in labels. */
const SOURCES = { cache: "cache", peer: "peer", inFlight: "in_flight", mirror: "mirror" } as const;

function traffic(name: string, what: string, flows: Flows["received"]): string[] {
  const samples = (field: "bytes" | "files"): Sample[] =>
    FILE_SOURCES.map((source) => [{ source: SOURCES[source] }, flows[source][field]]);
  return [
    metric(`${name}_bytes_total`, "counter", `Bytes that ${what}.`, samples("bytes")),
    metric(`${name}_files_total`, "counter", `Files that ${what}.`, samples("files")),
  ];
}

/** A metric with its samples; nothing where there are none. */
function metric(
  name: string,
  type: "counter" | "gauge",
  help: string,
  samples: readonly Sample[],
): string {
  if (samples.length === 0) return "";
  const full = `pacserve_${name}`;
  const lines = samples.map(([labels, value]) => `${full}${labelText(labels)} ${value}`);
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines].join("\n") + "\n";
}

function labelText(labels: Sample[0]): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

/** A backslash, a quotation mark and a line feed are written with a backslash. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

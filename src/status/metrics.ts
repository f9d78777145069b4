/**
 * The status in the text format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */

import type { Snapshot } from "./snapshot.ts";
import { FILE_SOURCES, type Flows } from "./traffic.ts";

/** The media type of the metrics. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A value, with the labels that identify it within its metric. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Returns all metrics of a server. */
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
    metric("problems", "gauge", "Number of problems that pacserve-status lists.", [
      [{}, problems.length],
    ]),
    ...traffic("received", "pacman on this host received, by source", received),
    ...traffic("served", "other machines received from this server, by source", served),
    metric(
      "transfers",
      "gauge",
      "Number of transfers under way.",
      directions.map((direction) => [
        { direction },
        transfers.filter((transfer) => transfer.direction === direction).length,
      ]),
    ),
    metric(
      "peers",
      "gauge",
      "Number of known peers, by state.",
      states.map((state) => [{ state }, peers.filter((peer) => peer.state === state).length]),
    ),
    metric(
      "peer_up",
      "gauge",
      "1 if the peer answered the last request, else 0.",
      peers.map(({ url, state }) => [{ peer: url }, state === "alive" ? 1 : 0]),
    ),
    metric(
      "peer_round_trip_seconds",
      "gauge",
      "Round-trip time to the peer.",
      peers.flatMap(({ url, roundTrip }): Sample[] =>
        roundTrip === null ? [] : [[{ peer: url }, Number((roundTrip / 1000).toFixed(6))]]
      ),
    ),
    metric(
      "peer_failures",
      "gauge",
      "Consecutive failures of the peer.",
      peers.map(({ url, failures }) => [{ peer: url }, failures]),
    ),
    metric(
      "peer_received_bytes_total",
      "counter",
      "Bytes received from the peer since the start.",
      peers.map(({ url, received }) => [{ peer: url }, received.bytes]),
    ),
    metric(
      "mirror_up",
      "gauge",
      "1 if the mirror answered the last request, else 0; unused mirrors are not listed.",
      mirrors.flatMap(({ origin, state }): Sample[] =>
        state === "not asked" ? [] : [[{ mirror: origin }, state === "answers" ? 1 : 0]]
      ),
    ),
    metric(
      "mirror_failures",
      "gauge",
      "Consecutive failures of the mirror.",
      mirrors.map(({ origin, failures }) => [{ mirror: origin }, failures]),
    ),
    metric(
      "mirror_received_bytes_total",
      "counter",
      "Bytes received from the mirror since the start.",
      mirrors.map(({ origin, received }) => [{ mirror: origin }, received.bytes]),
    ),
  ].join("");
}

/** The values of the label `source`. */
const SOURCES = { cache: "cache", peer: "peer", inFlight: "in_flight", mirror: "mirror" } as const;

function traffic(name: string, what: string, flows: Flows["received"]): string[] {
  const samples = (field: "bytes" | "files"): Sample[] =>
    FILE_SOURCES.map((source) => [{ source: SOURCES[source] }, flows[source][field]]);
  return [
    metric(`${name}_bytes_total`, "counter", `Bytes that ${what}.`, samples("bytes")),
    metric(`${name}_files_total`, "counter", `Files that ${what}.`, samples("files")),
  ];
}

/** Formats a metric with its samples; empty if there are no samples. */
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
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapedLabel(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

/** Escapes backslashes, quotation marks and line feeds with a backslash. */
function escapedLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

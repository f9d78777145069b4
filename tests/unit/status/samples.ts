/** A sample snapshot for tests; no part of it is empty. */

import { Counters, emptyCounters } from "../../../src/status/counters.ts";
import { counterStatus, type Snapshot } from "../../../src/status/snapshot.ts";
import { flowsOf } from "./flows.ts";

const NOW = Date.parse("2026-11-26T14:30:00Z");
const MIB = 1024 * 1024;

/** Returns the sample snapshot with some parts replaced. */
export function sampleSnapshot(parts: Partial<Snapshot> = {}): Snapshot {
  const clock = (): Date => new Date(NOW);
  const counters = new Counters(emptyCounters(new Date(NOW - 3 * 86_400_000)), clock);
  counters.add(flowsOf("received", "peer", 29 * MIB, 12));
  counters.add(flowsOf("received", "inFlight", 3 * MIB, 2));
  counters.add(flowsOf("received", "mirror", 1.5 * MIB, 1));
  counters.add(flowsOf("served", "cache", 700 * MIB, 80));
  return {
    version: 1,
    program: { name: "pacserve", version: "2026.11.0" },
    time: new Date(NOW).toISOString(),
    running: { since: new Date(NOW - 7_200_000).toISOString(), seconds: 7200 },
    addresses: ["http://192.168.1.5:15678/", "http://[fd00::5]:15678/"],
    peers: [{
      url: "http://192.168.1.7:15678/",
      state: "alive",
      foundBy: ["multicast", "multicast DNS"],
      lastSeen: 3,
      roundTrip: 0.84,
      rate: 85 * MIB,
      received: { files: 12, bytes: 29 * MIB },
      failures: 0,
      trouble: null,
    }, {
      url: "http://192.168.1.8:15678/",
      state: "backoff",
      foundBy: ["--peer"],
      lastSeen: null,
      roundTrip: null,
      rate: null,
      received: { files: 0, bytes: 0 },
      failures: 4,
      trouble: 'it says "no"\u001b[31m\\',
    }],
    discovery: { means: ["multicast"], interfaces: ["eth0"] },
    mirrors: [{
      origin: "https://geo.mirror.example.org",
      repositories: ["core", "extra"],
      state: "answers",
      failures: 0,
      pause: 0,
      rate: 2.5 * MIB,
      received: { files: 1, bytes: 1.5 * MIB },
    }],
    transfers: [{
      direction: "receiving",
      file: "linux-6.17.9-1-x86_64.pkg.tar.zst",
      size: 140 * MIB,
      done: 49 * MIB,
      rate: 12 * MIB,
      from: "peer http://192.168.1.7:15678 (in flight)",
      to: null,
    }, {
      direction: "sending",
      file: "gcc-15-1-x86_64.pkg.tar.zst",
      size: null,
      done: 3 * MIB,
      rate: MIB,
      from: "cache",
      to: "192.168.1.9",
    }],
    counters: counterStatus(counters.state(), true, NOW),
    problems: [],
    ...parts,
  };
}

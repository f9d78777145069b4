/** The words of the status, as people read them, on the page and in the terminal. */

import type { FileSource } from "../http/exchange.ts";
import type { MirrorStatus, PeerStatus } from "./snapshot.ts";

/** Sources of files. */
export const SOURCE_LABELS: Readonly<Record<FileSource, string>> = {
  cache: "cache",
  peer: "peers",
  inFlight: "in flight",
  mirror: "mirrors",
};

/** Their classes in the style sheet. */
export const SOURCE_CLASSES: Readonly<Record<FileSource, string>> = {
  cache: "from-cache",
  peer: "from-peer",
  inFlight: "from-in-flight",
  mirror: "from-mirror",
};

/** States of peers and mirrors. */
export const STATE_LABELS: Readonly<Record<PeerStatus["state"] | MirrorStatus["state"], string>> = {
  alive: "answers",
  candidate: "unknown",
  backoff: "fails",
  answers: "answers",
  fails: "fails",
  "not asked": "unknown",
};

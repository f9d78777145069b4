/** The labels of the status on the page and on the terminal. */

import type { FileSource } from "../http/exchange.ts";
import type { MirrorStatus, PeerStatus } from "./snapshot.ts";

/** The labels of the sources of files. */
export const SOURCE_LABELS: Readonly<Record<FileSource, string>> = {
  cache: "cache",
  peer: "peers",
  inFlight: "in flight",
  mirror: "mirrors",
};

/** The classes of the sources in the style sheet. */
export const SOURCE_CLASSES: Readonly<Record<FileSource, string>> = {
  cache: "from-cache",
  peer: "from-peer",
  inFlight: "from-in-flight",
  mirror: "from-mirror",
};

/** The labels of the states of peers and mirrors. */
export const STATE_LABELS: Readonly<Record<PeerStatus["state"] | MirrorStatus["state"], string>> = {
  alive: "answers",
  candidate: "unknown",
  backoff: "fails",
  answers: "answers",
  fails: "fails",
  "not asked": "unknown",
};

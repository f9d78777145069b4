/** Builds flows for tests. */

import type { FileSource } from "../../../src/http/exchange.ts";
import { type Direction, type Flows, noFlows } from "../../../src/status/traffic.ts";

/** Returns flows with one amount. */
export function flowsOf(
  direction: Direction,
  source: FileSource,
  bytes: number,
  files = 1,
): Flows {
  const flows = noFlows();
  flows[direction][source] = { files, bytes };
  return flows;
}

/**
 * The worker's entry: everything that touches the network runs here, with the permissions that the
 * main thread computed from the command line (`confinement.ts`).
 */

import { messageOf } from "../failure.ts";
import { ExpectedFiles } from "../pacserve/expected_files.ts";
import { Counters } from "../status/counters.ts";
import { LiveCounters } from "../status/live_counters.ts";
import { flushLines } from "./line_writer.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { RemoteDatabases } from "./remote_databases.ts";
import { RunningServer } from "./running_server.ts";

/** What a worker's global scope has of the two ends of its message channel. */
declare const self: {
  postMessage(message: FromWorker): void;
  onmessage: (event: MessageEvent<ToWorker>) => void;
  addEventListener(type: "error", listener: (event: ErrorEvent) => void): void;
  addEventListener(
    type: "unhandledrejection",
    listener: (event: PromiseRejectionEvent) => void,
  ): void;
  close(): void;
};

const databases = new RemoteDatabases((message) => self.postMessage(message));
let server: RunningServer | null = null;
let counters: LiveCounters | null = null;
/** Messages are carried out one after the other. */
let turn: Promise<void> = Promise.resolve();

self.onmessage = ({ data }) => {
  // Requests wait for this answer, so it must not wait behind other messages.
  if (data.type === "databases") databases.answered(data.databases);
  else if (data.type === "counted") counters?.add(data.flows);
  else turn = turn.then(() => carryOut(data));
};

async function carryOut(
  message: Exclude<ToWorker, { type: "databases" | "counted" }>,
): Promise<void> {
  switch (message.type) {
    case "serve":
      counters = new LiveCounters(new Counters(message.status.counters));
      counters.on("counted", (flows) => self.postMessage({ type: "counted", flows }));
      server = new RunningServer(
        message.configuration,
        message.state,
        (state) => self.postMessage({ type: "state", state }),
        new ExpectedFiles(databases),
        { ...message.status, counters },
      );
      try {
        self.postMessage({ type: "listening", port: await server.start() });
      } catch (error) {
        self.postMessage({ type: "failed", message: messageOf(error) });
      }
      break;
    case "configure":
      await server?.configure(message.configuration);
      self.postMessage({ type: "configured" });
      break;
    case "stop":
      await server?.stop(message.graceMilliseconds, () => self.postMessage({ type: "released" }));
      await flushLines();
      self.postMessage({ type: "stopped" });
      self.close();
  }
}

/** Ends after an error that nobody caught, in one sentence in place of the runtime's stack trace. */
function die(event: Event, error: unknown): void {
  event.preventDefault();
  self.postMessage({ type: "died", reason: messageOf(error) });
  self.close();
}

self.addEventListener("error", (event) => die(event, event.error));
self.addEventListener("unhandledrejection", (event) => die(event, event.reason));

self.postMessage({ type: "loaded" });

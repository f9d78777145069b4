/** A worker of the network that serves nothing: on a channel it is asked what packages must be. */

import { ExpectedFiles } from "../../src/pacserve/expected_files.ts";
import { type FromWorker, RemoteDatabases, type ToWorker } from "../../src/server/messages.ts";

/** What a worker's global scope has of the two ends of its message channel. */
declare const self: {
  postMessage(message: FromWorker): void;
  onmessage: (event: MessageEvent<ToWorker>) => void;
  close(): void;
};

/** A question of the test. */
export interface Question {
  readonly repository: string | null;
  readonly name: string;
}

const databases = new RemoteDatabases((message) => self.postMessage(message));
const expected = new ExpectedFiles(databases, { freshFor: 0, patience: 60_000 });

self.onmessage = ({ data }) => {
  if (data.type === "serve") self.postMessage({ type: "listening", port: 1 });
  if (data.type === "configure") self.postMessage({ type: "configured" });
  if (data.type === "databases") databases.answered(data.databases);
  if (data.type === "stop") {
    questions.close();
    self.postMessage({ type: "released" });
    self.postMessage({ type: "stopped" });
    self.close();
  }
};

/** On this channel it is asked. */
const questions = new BroadcastChannel("pacserve-questions");
const answers = new BroadcastChannel("pacserve-answers");

questions.onmessage = async ({ data }: MessageEvent<Question>) => {
  const file = await expected.find(data.repository, data.name);
  answers.postMessage(file?.size ?? null);
};

self.postMessage({ type: "loaded" });

/** The worker of a server, but one that dies when it is told to, as one with a bug would. */

import "../../src/server/worker.ts";

/** On this channel every worker of the process hears how to die. */
const channel = new BroadcastChannel("pacserve-death");

channel.onmessage = ({ data }: MessageEvent<string>) => {
  if (data === "throw") throw new Error("told to die");
  if (data === "reject") void Promise.reject(new Error("told to die"));
  if (data === "exhaust memory") exhaustMemory();
};

/** On this channel one hears what a worker has reported for the one after it. */
const reports = new BroadcastChannel("pacserve-reports");

interface Scope {
  postMessage(message: { readonly type: string }): void;
}

const scope = globalThis as unknown as Scope;
const post = scope.postMessage.bind(globalThis);
scope.postMessage = (message) => {
  post(message);
  if (message.type === "state") reports.postMessage(JSON.stringify(message));
};

function exhaustMemory(): void {
  const held: unknown[] = [];
  while (true) held.push({ numbers: Array.from({ length: 10_000 }, (_, index) => index + 0.5) });
}

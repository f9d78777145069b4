/** A network worker that a test can make die, as if it had a bug. */

import "../../src/server/worker.ts";

/** The channel by which a test tells all workers of this process how to die. */
const channel = new BroadcastChannel("pacserve-death");

channel.onmessage = ({ data }: MessageEvent<string>) => {
  if (data === "throw") throw new Error("told to die");
  if (data === "reject") void Promise.reject(new Error("told to die"));
  if (data === "exhaust memory") exhaustMemory();
};

/** A channel with copies of the states that workers report for their successors. */
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

/** The worker of a server, but one that dies when it is told to, as one with a bug would. */

import "../../src/server/worker.ts";

/** On this channel every worker of the process hears how to die. */
const channel = new BroadcastChannel("pacserve-death");

channel.onmessage = ({ data }: MessageEvent<string>) => {
  if (data === "throw") throw new Error("told to die");
  if (data === "reject") void Promise.reject(new Error("told to die"));
  if (data === "exhaust memory") exhaustMemory();
};

function exhaustMemory(): void {
  const held: unknown[] = [];
  while (true) held.push({ numbers: Array.from({ length: 10_000 }, (_, index) => index + 0.5) });
}

/** The worker of `node.ts`. */

/// <reference lib="deno.worker" />

import { IGNORED_INTERFACES } from "../../src/peers/interfaces.ts";
import { Mdns } from "../../src/peers/mdns.ts";

/** What the worker is told first. */
interface Start {
  readonly hostName: string;
  readonly port: number;
  readonly interfaces: readonly string[];
}

let mdns: Mdns | null = null;

self.onmessage = async ({ data }: MessageEvent<Start | "stop">): Promise<void> => {
  if (data === "stop") {
    await mdns?.stop();
    self.postMessage("stopped");
    return;
  }
  const { hostName, port, interfaces } = data;
  const configuration = {
    interfaces,
    ignoredInterfaces: IGNORED_INTERFACES,
    hostName,
    id: "arch",
    arch: "x86_64",
    version: "1.2.3",
  };
  mdns = new Mdns(configuration, crypto.randomUUID(), {
    found: ({ kind, addresses, port }) =>
      self.postMessage(`found ${kind} ${addresses.join(" ")} port ${port}`),
    lost: ({ kind, addresses, port }) =>
      self.postMessage(`lost ${kind} ${addresses.join(" ")} port ${port}`),
    problem: (sentence) => self.postMessage(`problem: ${sentence}`),
  });
  mdns.start(port);
  self.postMessage("started");
};

/** The worker of `node.ts`. */

/// <reference lib="deno.worker" />

import { IGNORED_INTERFACES } from "../../src/peers/interfaces.ts";
import { Mdns } from "../../src/peers/mdns.ts";

/** The first message to the worker. */
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
    listen: { address: null, ipv6: true },
    id: "arch",
    arch: "x86_64",
    version: "1.2.3",
  };
  const server = { scheme: "http", port, instance: crypto.randomUUID() } as const;
  mdns = new Mdns(configuration, server, {
    warn: (sentence) => self.postMessage(`problem: ${sentence}`),
    info: () => {},
    debug: () => {},
  });
  mdns.start({
    found: ({ host, port }, kind) => self.postMessage(`found ${kind} ${host} port ${port}`),
    seen: () => {},
    lost: ({ host, port }) => self.postMessage(`lost ${host} port ${port}`),
  });
  self.postMessage("started");
};

/** Builds server configurations like the command line, for tests that do not use the command line. */

import { Digest } from "../src/auth/digest.ts";
import { createPacserveMemory } from "../src/pacserve/pacserve.ts";
import { ExpectedFiles } from "../src/pacserve/expected_files.ts";
import { Peers } from "../src/peers/peers.ts";
import type { ServerConfiguration } from "../src/server/configuration.ts";
import { Handlers } from "../src/server/handlers.ts";
import { Network } from "../src/http/network.ts";
import { SILENT } from "./log.ts";
import { treeOf } from "./unit/quickserve/trees.ts";

/** Returns the configuration of a quickserve without shares, on 127.0.0.1 and a port that the kernel chooses. */
export function configurationOf(parts: Partial<ServerConfiguration> = {}): ServerConfiguration {
  return {
    program: "quickserve",
    hostNames: [],
    listen: { address: "127.0.0.1", port: 0, ipv6: false, tls: null },
    admission: { allowedNetworks: [], serverNames: [] },
    auth: { users: [], uploadOnly: false, realm: "Quickserve" },
    tree: treeOf([]),
    uploads: null,
    pages: {
      title: "Quickserve",
      version: "0",
      hostName: "box",
      motd: null,
      index: null,
      listRemote: false,
      archives: ["none", "zip"],
      website: false,
    },
    peers: {
      program: "quickserve",
      staticPeers: [],
      multicast: null,
      mdns: null,
      searchTimeout: 300,
      defaultPort: 8000,
      ipv6: false,
    },
    pacserve: null,
    status: null,
    log: { level: "quiet", journal: false },
    ...parts,
  };
}

/** Returns the handlers of a configuration, in this process and with all of its permissions. */
export async function handlersOf(configuration: ServerConfiguration): Promise<Handlers> {
  const network = new Network();
  const parts = { scheme: "http", indexed: null, network, log: SILENT } as const;
  const peers = new Peers(configuration.peers, parts);
  return await Handlers.create(configuration, {
    digest: new Digest(configuration.auth),
    peers,
    network,
    memory: createPacserveMemory({ log: SILENT }),
    expected: new ExpectedFiles({ readChanged: () => Promise.resolve([]) }),
    status: {
      snapshot: () => {
        throw new Error("these handlers have no status");
      },
    },
    log: SILENT,
  });
}

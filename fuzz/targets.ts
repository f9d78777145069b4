/** The list of all targets. */

import { digestHeaders } from "./targets/digest_headers.ts";
import { filelists } from "./targets/filelists.ts";
import { filters } from "./targets/filters.ts";
import { firewallFile, firewallRules } from "./targets/firewall_rules.ts";
import { listener } from "./targets/listener.ts";
import { datagrams, indexes, messages } from "./targets/messages.ts";
import { multicastDns } from "./targets/multicast_dns.ts";
import { multipart } from "./targets/multipart.ts";
import { pacmanConf, pacmanConfOutput } from "./targets/pacman_conf.ts";
import { pacmanAddresses, paths } from "./targets/paths.ts";
import { rangeReplies, ranges } from "./targets/ranges.ts";
import { databases, signatures } from "./targets/verification.ts";
import type { FuzzTarget } from "./target.ts";

/** All targets, in the order in which they run. */
export const targets: readonly FuzzTarget[] = [
  ranges,
  rangeReplies,
  digestHeaders,
  pacmanConf,
  pacmanConfOutput,
  filelists,
  filters,
  datagrams,
  messages,
  indexes,
  multicastDns,
  multipart,
  paths,
  pacmanAddresses,
  databases,
  signatures,
  firewallRules,
  firewallFile,
  listener,
];

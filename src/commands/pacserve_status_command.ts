/** The table of the command `pacserve-status`. */

import { DEFAULTS } from "./serve/options.ts";
import type { Command } from "./command.ts";

/** Seconds between two looks with `--watch`. */
export const WATCH_INTERVAL = 1;

/** The table of the command. */
export const PACSERVE_STATUS: Command = {
  name: "pacserve-status",
  section: 1,
  summary: "see what pacserve does on this machine, and what it did",
  description: [
    "Asks the pacserve on this machine how it does: since when it runs and where, how many files and " +
    "bytes came from the cache, from peers and from mirrors, what others got from here, which transfers " +
    "are under way, and how peers and mirrors do. Any user of the machine can ask.",
    "In a terminal the text has colours, unless the environment variable NO_COLOR is set. The same is " +
    "shown in a browser, with a chart of the last 24 hours, at " +
    `http://localhost:${DEFAULTS.pacserve.port}/?page=status.`,
  ],
  positional: {
    metavariable: "[<address>]",
    help: "The server to ask, which shows its status to its own machine only: a URL, " +
      "host:port, or a port. Default: what pacman asks by /etc/pacman.d/pacserve, else " +
      `http://localhost:${DEFAULTS.pacserve.port}.`,
  },
  groups: [{
    title: "Options",
    options: [
      {
        name: "json",
        help:
          "Print all of it as JSON, with more than the text has; doc/status.md describes the fields.",
      },
      {
        name: "check",
        help:
          "Try everything that pacserve needs, and say how to cure what is wrong: the service, its port " +
          "and names, announcements, peers, the firewall, pacman.conf, signatures, the cache and the " +
          "databases, the disk, the mirrors, and the clock. It takes ten seconds at the most, and " +
          "announces this machine once. As root it can read the firewall, too.",
      },
      {
        name: "watch",
        short: "w",
        help: "Show it until Ctrl-C, again and again, with a bar for each transfer.",
      },
      {
        name: "interval",
        short: "n",
        values: ["<seconds>"],
        help: "The time between two looks with --watch.",
        default: String(WATCH_INTERVAL),
      },
    ],
  }],
  examples: [
    { command: "pacserve-status", explanation: "See what the LAN saved:" },
    { command: "sudo pacserve-status --check", explanation: "Find out what is wrong:" },
    { command: "pacserve-status --watch", explanation: "Look on during an upgrade:" },
    {
      command: "pacserve-status --json | jq .counters.today.saved.here.bytes",
      explanation: "Use it in a script:",
    },
  ],
};

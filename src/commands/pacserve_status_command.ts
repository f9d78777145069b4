/** The table of the command `pacserve-status`. */

import { DEFAULTS } from "./serve/options.ts";
import type { Command } from "./command.ts";

/** Default of `--interval`: seconds between two updates with `--watch`. */
export const WATCH_INTERVAL = 1;

/** The table of the command. */
export const PACSERVE_STATUS: Command = {
  name: "pacserve-status",
  section: 1,
  summary: "show what pacserve does on this machine, and what it did",
  description: [
    "Shows the status of the pacserve on this machine: since when it runs and where, how many files and " +
    "bytes came from the cache, from peers and from mirrors, what other machines got from it, which " +
    "transfers are under way, and the state of its peers and mirrors. Any user of the machine can run it.",
    "In a terminal the text has colours, unless the environment variable NO_COLOR is set. A browser shows " +
    "the same, with a chart of the last 24 hours, at " +
    `http://localhost:${DEFAULTS.pacserve.port}/?page=status.`,
  ],
  positional: {
    metavariable: "[<address>]",
    help: "The server to ask, which shows its status to its own machine only: a URL, " +
      "host:port, or a port. Default: the address in /etc/pacman.d/pacserve, which pacman uses, else " +
      `http://localhost:${DEFAULTS.pacserve.port}.`,
  },
  groups: [{
    title: "Options",
    options: [
      {
        name: "json",
        help:
          "Print the whole status as JSON, which has more than the text. doc/status.md describes the fields.",
      },
      {
        name: "check",
        help:
          "Check everything that pacserve needs, and say how to cure what is wrong: the service, its port " +
          "and names, announcements, peers, the firewall, pacman.conf, signatures, the cache and the " +
          "databases, the disk, the mirrors, and the clock. It takes at most ten seconds, and " +
          "announces this machine once. Run it as root to check the firewall, too.",
      },
      {
        name: "watch",
        short: "w",
        help: "Update the status in the terminal until Ctrl-C, with a bar for each transfer.",
      },
      {
        name: "interval",
        short: "n",
        values: ["<seconds>"],
        help: "The time between two updates with --watch.",
        default: String(WATCH_INTERVAL),
      },
    ],
  }],
  examples: [
    { command: "pacserve-status", explanation: "See what the LAN saved:" },
    { command: "sudo pacserve-status --check", explanation: "Find out what is wrong:" },
    { command: "pacserve-status --watch", explanation: "Follow an upgrade:" },
    {
      command: "pacserve-status --json | jq .counters.today.saved.here.bytes",
      explanation: "Use it in a script:",
    },
  ],
};

/** The table of `pacsrv`, for its man page. It is not in src because `pacsrv` itself never shows it. */

import type { Command } from "../../src/commands/command.ts";

/** The table of the command. It has no options, because all options, even `--help`, are pacman's. */
export const PACSRV: Command = {
  name: "pacsrv",
  section: 8,
  summary: "run pacman through pacserve",
  description: [
    "Use pacsrv exactly as you would use pacman(8): it takes the same options and arguments and passes " +
    "all of them on to pacman. Therefore --help shows the help of pacman.",
    "When pacserve answers at the address that /etc/pacman.d/pacserve names, pacman runs with a copy " +
    "of its configuration in which pacserve is the first server of each repository. Otherwise pacman " +
    "runs with its own configuration, as if it had been started without pacsrv. It also does so, with a " +
    "warning, if the copy cannot be made, and, without a warning, if --sysroot is given, because pacman " +
    "then reads the configuration of another system.",
    "The copy is made from /etc/pacman.conf or from the file that --config names. It is in " +
    "/var/cache/pacserve for root, and in $XDG_CACHE_HOME/pacserve (~/.cache/pacserve) for other users; " +
    "only that user can write to it. It is made again when the original or a file that it includes has " +
    "changed. The original is never changed.",
    "For a pacman older than 6.1, which does not support CacheServer, the copy has the contents of " +
    "/etc/pacman.d/pacserve without these lines.",
    "If a proxy is set in the environment (http_proxy, all_proxy), pacsrv adds the host of pacserve to " +
    "no_proxy, because a proxy on another machine would use its own localhost.",
    "The environment variable PACMAN names another program to run. It must support pacman's option " +
    "--config, as paru, yay and powerpill do.",
    "The exit status is the one of pacman.",
  ],
  positional: { metavariable: "[<option or argument of pacman> ...]", help: "See pacman(8)." },
  groups: [],
  examples: [
    { command: "pacsrv -Syu", explanation: "Upgrade the system, with packages from the LAN:" },
    { command: "PACMAN=paru pacsrv -Syu", explanation: "The same with paru:" },
  ],
};

/** The table of `pacsrv`, for its man page. It is apart because `pacsrv` itself never shows it. */

import type { Command } from "../../src/commands/command.ts";

/** All options are pacman's, and so is `--help`. */
export const PACSRV: Command = {
  name: "pacsrv",
  section: 8,
  summary: "run pacman through pacserve",
  description: [
    "Use pacsrv exactly as you would use pacman(8): it takes the same options and arguments and hands " +
    "all of them on, so that --help shows pacman's.",
    "When pacserve answers at the address that /etc/pacman.d/pacserve names, pacman runs with a copy " +
    "of its configuration in which pacserve is the first server of each repository. Otherwise pacman " +
    "runs with its own configuration, as if it had been started without pacsrv. The same is done, " +
    "after a warning, when the copy cannot be made, and without one under --sysroot, where pacman " +
    "looks for its configuration inside of another system.",
    "The copy is of /etc/pacman.conf or of the file that --config names. It lies in " +
    "/var/cache/pacserve for root, for others in $XDG_CACHE_HOME/pacserve (~/.cache/pacserve), where " +
    "only its user can write, and follows each change of the original and of what that includes. The " +
    "original is never changed.",
    "For a pacman older than 6.1, which does not know CacheServer, the copy has /etc/pacman.d/pacserve " +
    "without these lines.",
    "Where the environment names a proxy (http_proxy, all_proxy), pacman runs with pacserve's host added " +
    "to no_proxy: a proxy elsewhere would look for localhost on itself.",
    "The environment variable PACMAN names another program to run, one that takes pacman's --config: " +
    "paru, yay, powerpill.",
    "The exit status is pacman's.",
  ],
  positional: { metavariable: "[<option or argument of pacman> ...]", help: "See pacman(8)." },
  groups: [],
  examples: [
    { command: "pacsrv -Syu", explanation: "Upgrade the system, with packages from the LAN:" },
    { command: "PACMAN=paru pacsrv -Syu", explanation: "The same with paru:" },
  ],
};

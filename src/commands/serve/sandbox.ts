/** What the server says when the sandbox of its unit may be why a path cannot be used. */

import { isReadOnly } from "../../failure.ts";

/** Options whose files not every user may read. */
const SECRETS = ["--authfile", "--certfile", "--keyfile"];

/**
 * What to say behind an error about a path: which setting of the unit makes the path usable
 * (systemd.exec(5)). Empty where the program was not started by a unit, or the error is another one.
 *
 * @param option the option that names the path.
 */
export function sandboxHint(option: string, path: string, error: unknown): string {
  // The service manager tells it to its services alone.
  if (Deno.env.get("NOTIFY_SOCKET") === undefined) return "";
  const wall = wallOf(error);
  if (wall === null) return "";
  return ` (${wall}: ${
    setting(option, path, error)
  } in "systemctl edit pacserve" changes that, see DROP-INS in pacserve(8))`;
}

function wallOf(error: unknown): string | null {
  if (error instanceof Deno.errors.NotFound) return "the service sees few files of the system";
  if (error instanceof Deno.errors.PermissionDenied) return "the service is no ordinary user";
  return isReadOnly(error) ? "the service may change few files of the system" : null;
}

function setting(option: string, path: string, error: unknown): string {
  if (option === "--upload") return "StateDirectory=pacserve, and --upload /var/lib/pacserve,";
  if (SECRETS.includes(option)) {
    return `LoadCredential=<name>:${path}, and ${option} /run/credentials/pacserve.service/<name>,`;
  }
  return error instanceof Deno.errors.NotFound
    ? `BindReadOnlyPaths=${path}`
    : "SupplementaryGroups=<a group that may read it>";
}

/** Errors that are meant for the user: one sentence, no stack trace. */

/** Something failed at run time. The command prints the message and exits with 1. */
export class Failure extends Error {
  override readonly name: string = "Failure";
}

/** The command line is wrong. The command prints the message and exits with 2. */
export class UsageError extends Failure {
  override readonly name: string = "UsageError";
}

/**
 * The message of a thrown value, which need not be an `Error`. The runtime's advice about an option of `deno`
 * is left out, because users of this program cannot pass it.
 */
export function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.replace(/, run again with the --[a-z-]+ flag/g, "");
}

/** Why a file cannot be used, in plain words: the runtime's own messages name system calls. */
export function fileProblem(thrown: unknown): string {
  if (thrown instanceof Deno.errors.NotFound) return "there is no such file or directory";
  if (thrown instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (thrown instanceof Deno.errors.IsADirectory) return "is a directory";
  if (thrown instanceof Deno.errors.NotADirectory) return "a part of the path is not a directory";
  if (thrown instanceof Deno.errors.NotCapable) {
    return "the runtime does not let a confined program use it";
  }
  if (thrown instanceof Deno.errors.FilesystemLoop) return "its symbolic links go in a circle";
  if (thrown instanceof TypeError) return "is not text in UTF-8";
  if (isReadOnly(thrown)) return "the file system is read-only";
  const { code } = Object(thrown) as { readonly code?: string };
  return FILE_PROBLEMS[code ?? ""] ?? messageOf(thrown);
}

/** Errors for which the runtime has no class, by their code. */
const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENAMETOOLONG: "the name is too long",
  ENOSPC: "there is no room left on the disk",
  EDQUOT: "the quota of the disk is used up",
  EIO: "the disk has an error",
  ESTALE: "the file server does not know it any more",
  ENXIO: "there is no such device",
  ELOOP: "its symbolic links go in a circle",
};

/**
 * Why a connection failed, in plain words, to be read after the name of the server. The runtime's own
 * messages contain its address.
 */
export function connectionProblem(thrown: unknown): string {
  const { code = "" } = Object(thrown) as { readonly code?: string };
  const message = messageOf(thrown);
  const known = CONNECTION_PROBLEMS[code];
  if (known !== undefined) return known;
  if (code.startsWith("HPE_")) return "does not answer with HTTP";
  if (/certificate/i.test(message)) return "has an invalid certificate";
  if (/dns|lookup|resolve/i.test(message)) return "has a name that cannot be resolved";
  return "cannot be reached";
}

const CONNECTION_PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses connections",
  ECONNRESET: "closed the connection",
  EPIPE: "closed the connection",
  ETIMEDOUT: "does not answer",
  ENOTFOUND: "has a name that cannot be resolved",
  EAI_AGAIN: "has a name that cannot be resolved",
};

/** True for the error of writing to a read-only file system; the runtime has no error class for it. */
export function isReadOnly(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "EROFS";
}

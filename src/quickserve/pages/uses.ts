/** Examples of using the server: commands that users can copy. */

import type { HttpRequest } from "../../http/exchange.ts";
import { visibleText } from "./display.ts";

/** An example of using the server. */
export interface Use {
  /** `Download a file`. */
  readonly title: string;
  /** A command, or a line of a configuration file. */
  readonly command: string;
}

/** The requests that need a user's name and password. */
export type Login = "nothing" | "uploads" | "everything";

/** Returns the URL of the server as in the request: `http://10.0.0.1:8000`, without a slash at its end. */
export function requestedUrl(
  { headers, connection }: Pick<HttpRequest, "headers" | "connection">,
): string {
  const { localAddress, localPort, secure } = connection;
  const name = localAddress.includes(":") ? `[${localAddress}]` : localAddress;
  return `${secure ? "https" : "http"}://${headers["host"] ?? `${name}:${localPort}`}`;
}

/** Returns examples of uploading with curl. */
export function uploadUses(address: string, login: Login): Use[] {
  const user = login === "nothing" ? "" : "--digest -u NAME ";
  return [
    { title: "Upload a file", command: `curl ${user}-T FILE ${address}/` },
    {
      title: "Upload several files",
      command: `curl ${user}-F file=@FILE -F file=@OTHER ${address}/`,
    },
  ];
}

/** Formats examples for a terminal: a line with the title, then a line with the command. */
export function usesAsText(uses: readonly Use[]): string {
  return uses.map(({ title, command }) => `${title}:\n  ${visibleText(command)}\n`).join("");
}

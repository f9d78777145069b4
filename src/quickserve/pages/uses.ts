/** How to use the server, in commands that are made to be copied. */

import type { HttpRequest } from "../../http/exchange.ts";
import { visibleText } from "./display.ts";

/** A way to use the server. */
export interface Use {
  /** `Download a file`. */
  readonly title: string;
  /** A command, or a line of a configuration file. */
  readonly command: string;
}

/** What needs a user's name and password. */
export type Login = "nothing" | "uploads" | "everything";

/** The URL of the server as the client wrote it: `http://10.0.0.1:8000`, without a slash. */
export function serverUrl(
  { headers, connection }: Pick<HttpRequest, "headers" | "connection">,
): string {
  const { localAddress, localPort, secure } = connection;
  const name = localAddress.includes(":") ? `[${localAddress}]` : localAddress;
  return `${secure ? "https" : "http"}://${headers["host"] ?? `${name}:${localPort}`}`;
}

/** How to upload with curl. */
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

/** Ways to use the server for a terminal: each a line that says what for, and the command. */
export function usesAsText(uses: readonly Use[]): string {
  return uses.map(({ title, command }) => `${title}:\n  ${visibleText(command)}\n`).join("");
}

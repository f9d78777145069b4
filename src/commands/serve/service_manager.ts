/** Messages to systemd (sd_notify(3)). */

import { messageOf } from "../../failure.ts";
import type { Log } from "../../log.ts";

/** The service manager that has started this program, if one has. */
export class ServiceManager {
  readonly #socket: string;
  readonly #log: Pick<Log, "warn">;

  /**
   * @param socket the value of `$NOTIFY_SOCKET`: a path, or `@` and an abstract name. Without it there
   * is no service manager, and nothing is sent.
   */
  constructor(socket: string | undefined, log: Pick<Log, "warn">) {
    this.#socket = socket ?? "";
    this.#log = log;
  }

  /**
   * Tells it something: `READY=1`, `RELOADING=1`, `STOPPING=1`, `STATUS=...`. A message that cannot be
   * sent is a warning in the log: the server goes on.
   */
  async tell(...lines: readonly string[]): Promise<void> {
    if (this.#socket === "") return;
    try {
      await notify(this.#socket.replace(/^@/, "\0"), lines.join("\n"));
    } catch (error) {
      this.#log.warn(`the service manager cannot be told ${lines[0]}: ${messageOf(error)}`);
    }
  }
}

async function notify(path: string, text: string): Promise<void> {
  // Deno sends only from a socket that is bound: to an abstract address of its own (unix(7)).
  const own = `\0pacserve-${crypto.randomUUID()}`;
  const socket = Deno.listenDatagram({ transport: "unixpacket", path: own });
  try {
    await socket.send(new TextEncoder().encode(text), { transport: "unixpacket", path });
  } finally {
    socket.close();
  }
}

/** Sends messages to systemd (sd_notify(3)). */

import { messageOf } from "../../failure.ts";
import type { Log } from "../../log.ts";

/** The service manager that started this program, if there is one. */
export class ServiceManager {
  readonly #socket: string;
  readonly #log: Pick<Log, "warn">;

  /**
   * @param socket the value of `$NOTIFY_SOCKET`: a path, or `@` and an abstract name. If it is undefined,
   * there is no service manager, and nothing is sent.
   */
  constructor(socket: string | undefined, log: Pick<Log, "warn">) {
    this.#socket = socket ?? "";
    this.#log = log;
  }

  /**
   * Sends lines such as `READY=1`, `RELOADING=1`, `STOPPING=1` and `STATUS=...` in one message. If it cannot
   * be sent, this only logs a warning, so that the server keeps running.
   */
  async tell(...lines: readonly string[]): Promise<void> {
    if (this.#socket === "") return;
    try {
      await notify(this.#socket.replace(/^@/, "\0"), lines.join("\n"));
    } catch (error) {
      this.#log.warn(`cannot send ${lines[0]} to the service manager: ${messageOf(error)}`);
    }
  }
}

async function notify(path: string, text: string): Promise<void> {
  // Deno can only send from a bound socket. Bind it to an abstract address (unix(7)), which leaves no file.
  const own = `\0pacserve-${crypto.randomUUID()}`;
  const socket = Deno.listenDatagram({ transport: "unixpacket", path: own });
  try {
    await socket.send(new TextEncoder().encode(text), { transport: "unixpacket", path });
  } finally {
    socket.close();
  }
}

/** Messages to systemd (sd_notify(3)). */

/**
 * Tells the service manager something: `READY=1`, `RELOADING=1`, `STOPPING=1`, `STATUS=...`.
 *
 * @param socketAddress the value of `$NOTIFY_SOCKET`: a path, or `@` and an abstract name; without
 * it nothing is sent.
 */
export async function notifyServiceManager(
  socketAddress: string | undefined,
  ...lines: readonly string[]
): Promise<void> {
  if (socketAddress === undefined || socketAddress === "") return;
  const path = socketAddress.replace(/^@/, "\0");
  const socket = Deno.listenDatagram({ transport: "unixpacket", path: unboundPath() });
  try {
    await socket.send(new TextEncoder().encode(lines.join("\n")), {
      transport: "unixpacket",
      path,
    });
  } finally {
    socket.close();
  }
}

/** An abstract address of our own (unix(7)), since Deno sends only from a socket that is bound. */
function unboundPath(): string {
  return `\0pacserve-${crypto.randomUUID()}`;
}

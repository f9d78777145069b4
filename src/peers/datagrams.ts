/** What both means of discovery by datagrams do with their sockets. */

/** Resolves after so many milliseconds, one at least. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(1, milliseconds)));
}

/** Closes a socket; one that is closed already stays so. */
export function closeSocket(socket: Deno.DatagramConn): void {
  try {
    socket.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

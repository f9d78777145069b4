/** The first byte of each connection to a port with TLS: tells a handshake from plain HTTP. */

import type { Socket } from "node:net";
import type { Server } from "node:https";

/** Every TLS connection begins with a record of this type (RFC 8446 §5.1). */
const HANDSHAKE = 0x16;

/**
 * Puts a door before the handshakes of a server: what a client sends is looked at before TLS sees it.
 * Without the door, a client that speaks plain HTTP gets the bytes of an alert.
 *
 * The server itself has to be the one that listens: where connections of another server are handed over
 * to it, `node:http` closes each of them after one reply, because its own server is "closed".
 *
 * @param plain is given each connection that begins with something else, and its first bytes.
 */
export function lookBeforeTls(
  server: Server,
  plain: (socket: Socket, bytes: Uint8Array) => void,
): void {
  const handshakes = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const leave = (): void => {
      socket.off("readable", look);
      socket.off("end", end);
      socket.off("error", end);
    };
    const end = (): void => void socket.destroy();
    const look = (): void => {
      const bytes: Uint8Array | null = socket.read();
      if (bytes === null) return;
      leave();
      if (bytes[0] !== HANDSHAKE) return plain(socket, bytes);
      socket.unshift(bytes);
      for (const begin of handshakes) begin.call(server, socket);
    };
    socket.on("readable", look);
    socket.on("end", end);
    socket.on("error", end);
  });
}

/** A name or address with or without a port, as it may stand in a URL. */
const HOST = /^[\w.-]+(?::\d{1,5})?$|^\[[\da-f:.]+\](?::\d{1,5})?$/i;

/**
 * What a client is told that speaks plain HTTP: a sentence, with the address to use instead if the
 * beginning of its request names the host.
 *
 * @returns null when what it sent is no HTTP.
 */
export function plainHttpAnswer(bytes: Uint8Array): string | null {
  const text = new TextDecoder("latin1").decode(bytes);
  if (!/^[A-Z]{3,10} /.test(text)) return null;
  const [, host = ""] = /^host:[ \t]*(\S{1,260})[ \t]*\r?$/im.exec(text) ?? [];
  const address = HOST.test(host) ? `https://${host}/` : "its address with https://";
  return `This server speaks HTTPS only: use ${address} instead of http://.`;
}

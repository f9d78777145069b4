/** Recognizes plain HTTP on a port with TLS, by the first byte of each connection. */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Server } from "node:https";

/** Every TLS connection begins with a record of this type (RFC 8446 §5.1). */
const HANDSHAKE = 0x16;

/**
 * Checks the first bytes of each connection before the TLS server reads them. Without this, a client that
 * speaks plain HTTP gets the bytes of a TLS alert.
 *
 * The server itself must listen. If another server accepts the connections and passes them on, `node:http`
 * closes each of them after one reply, because the server that should answer does not listen.
 *
 * @param plain is called with each connection that does not begin with a handshake, and its first bytes.
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
    let bytes: Uint8Array = new Uint8Array();
    const look = (): void => {
      const more: Uint8Array | null = socket.read();
      if (more === null) return;
      bytes = Buffer.concat([bytes, more]);
      if (METHOD_BEGUN.test(latin1(bytes))) return;
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

/** Matches the first bytes of an HTTP request whose method has not arrived completely. */
const METHOD_BEGUN = /^[A-Z]{1,10}$/;

/** Matches a name or address of a URL, with or without a port. */
const HOST = /^[\w.-]+(?::\d{1,5})?$|^\[[\da-f:.]+\](?::\d{1,5})?$/i;

/**
 * Returns the reply to a client that speaks plain HTTP: a sentence, with the address to use instead if the
 * beginning of the request names the host.
 *
 * @returns null when the client did not send HTTP.
 */
export function plainHttpAnswer(bytes: Uint8Array): string | null {
  const text = latin1(bytes);
  if (!/^[A-Z]{3,10} /.test(text)) return null;
  const [, host = ""] = /^host:[ \t]*(\S{1,260})[ \t]*\r?$/im.exec(text) ?? [];
  const address = HOST.test(host) ? `https://${host}/` : "its address with https://";
  return `This server speaks HTTPS only: use ${address} instead of http://.`;
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

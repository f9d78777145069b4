/** Two clients of one server; the first one sends something that ends its connection. */

import type { Socket } from "node:net";
import { statusOf } from "../../listening.ts";
import type { ListenerLimits } from "../../../src/http/limits.ts";

/** A field that every request needs. */
export const HOST = "Host: a\r\n";

/** The bytes of the first client, and the status that it gets (0: no reply). */
export interface Ending {
  readonly sends: string;
  readonly status: number;
  /** What it sends after that reply; the server must answer it with 400. */
  readonly adds?: string;
  /** The first client closes its sending half after that. */
  readonly halfCloses?: boolean;
  /** The first client resets the connection after that. */
  readonly resets?: boolean;
  /** The first client closes its sending half while the other client sends its request. */
  readonly endsLate?: boolean;
  readonly limits?: Partial<ListenerLimits>;
}

/** The ways in which a connection can end, by name. */
export const ENDINGS: Record<string, Ending> = {
  "junk": { sends: "GG\r\n", status: 400 },
  "junk, and its end later": { sends: "GG\r\n", status: 400, endsLate: true },
  "zeros": { sends: "\0\0\0\0\r\n\r\n", status: 400 },
  "a target far over the limit": { sends: `GET /${"a".repeat(200_000)}`, status: 414 },
  "a field far over the limit": {
    sends: `GET / HTTP/1.1\r\n${HOST}X: ${"a".repeat(200_000)}`,
    status: 431,
  },
  "HTTP/2 without negotiation": { sends: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505 },
  "Content-Length and Transfer-Encoding": {
    sends: `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
    status: 400,
  },
  "two Content-Lengths": {
    sends: `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 3\r\n\r\n`,
    status: 400,
  },
  "bare LF": { sends: "GET / HTTP/1.1\nHost: a\n\n", status: 400 },
  "junk after a request": { sends: `GET / HTTP/1.1\r\n${HOST}\r\nGG\r\n`, status: 0 },
  "junk after a reply": { sends: `GET / HTTP/1.1\r\n${HOST}\r\n`, status: 200, adds: "GG\r\n" },
  "junk while a reply is awaited": { sends: `GET /slow HTTP/1.1\r\n${HOST}\r\nGG\r\n`, status: 0 },
  "no Host": { sends: "GET / HTTP/1.1\r\n\r\n", status: 400 },
  "too many fields": {
    sends: `GET / HTTP/1.1\r\n${HOST}${"X: a\r\n".repeat(200)}\r\n`,
    status: 431,
  },
  "an unknown transfer coding": {
    sends: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip\r\n\r\nabc`,
    status: 501,
  },
  "an unknown expectation": {
    sends: `POST / HTTP/1.1\r\n${HOST}Expect: x\r\nContent-Length: 9\r\n\r\n`,
    status: 417,
  },
  "a body held back for 100 Continue": {
    sends: `POST / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n`,
    status: 200,
  },
  "CONNECT": { sends: `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`, status: 501 },
  "an upgrade": {
    sends: `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    status: 200,
  },
  "the last request": { sends: `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, status: 200 },
  "HTTP/1.0": { sends: "GET / HTTP/1.0\r\n\r\n", status: 200 },
  "an end in the middle of the head": {
    sends: `GET / HTTP/1.1\r\nHos`,
    status: 0,
    halfCloses: true,
  },
  "an end in the middle of a body": {
    sends: `POST /body HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nabc`,
    status: 0,
    halfCloses: true,
  },
  "an end in the middle of a chunk": {
    sends: `POST /body HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n9\r\nabc`,
    status: 0,
    halfCloses: true,
  },
  "an end before the reply": {
    sends: `GET / HTTP/1.1\r\n${HOST}\r\n`,
    status: 200,
    halfCloses: true,
  },
  "a chunk size that is not a number": {
    sends: `POST /body HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    status: 0,
  },
  "a chunk size that is not a number, in a body that the handler does not read": {
    sends: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    status: 0,
  },
  "a body that the handler does not read": {
    sends: `POST / HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\n`,
    status: 200,
  },
  "a reset in the middle of a body": {
    sends: `POST /body HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nabc`,
    status: 0,
    resets: true,
  },
  "a reset in the middle of the head": { sends: `GET / HTTP/1.1\r\nHos`, status: 0, resets: true },
  "a head that never ends": {
    sends: `GET / HTTP/1.1\r\nHos`,
    status: 0,
    limits: { headerTimeout: 300, idleTimeout: 300 },
  },
  "a handler that fails": { sends: `GET /fail HTTP/1.1\r\n${HOST}\r\n`, status: 500 },
};

/**
 * Sent by the first client too late. In the second client's request it would end a header field, and
 * begin a new request.
 */
const LATE = `evil\r\n\r\nGET /evil HTTP/1.1\r\n${HOST}\r\n`;

/** The replies that the two clients got. */
interface Outcome {
  /** Statuses of the first client's replies; 0 for none. */
  readonly statuses: readonly number[];
  /** The body of the second client's reply; it must be {@link UNTOUCHED}. */
  readonly body: string;
}

/** The body of the second client's reply if its request was not mixed with other bytes. */
export const UNTOUCHED = "GET /good begood";

/**
 * The first client sends something that ends its connection, then the second one half a request, then
 * the first one more bytes if it still can, and then the second one the other half.
 *
 * @param connect to a server that answers with method, target and the field `X-Words`.
 */
export async function twoClients(connect: () => Client, ending: Ending): Promise<Outcome> {
  using clients = new DisposableStack();
  const first = clients.use(connect());
  const statuses: number[] = [];
  const sent = first.send(ending.sends);
  if (ending.halfCloses === true) first.end();
  if (ending.resets === true) {
    await sent;
    first[Symbol.dispose]();
  } else {
    statuses.push(statusOf(await first.reply()));
    if (ending.adds !== undefined) {
      void first.send(ending.adds);
      statuses.push(statusOf(await first.reply()));
    }
  }

  const second = clients.use(connect());
  void second.send(`GET /good HTTP/1.1\r\n${HOST}X-Words: be`);
  await roundTrip(connect);
  void first.send(LATE);
  if (ending.endsLate === true) first.end();
  await roundTrip(connect);
  void second.send("good\r\n\r\n");
  return { statuses, body: bodyOf(await second.reply()) };
}

/** Sends a request and waits for the reply: then the server has read what others sent before. */
async function roundTrip(connect: () => Client): Promise<void> {
  using client = connect();
  void client.send(`GET /trip HTTP/1.1\r\n${HOST}\r\n`);
  await client.reply();
}

/** A client with one connection. */
export class Client {
  readonly #socket: Socket;
  #received = "";
  #isClosed = false;
  #changed = (): void => {};

  constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true);
    socket.allowHalfOpen = true;
    socket.on("data", (chunk) => {
      this.#received += chunk.toString("latin1");
      this.#changed();
    });
    // The server may close at any time.
    socket.on("error", () => {});
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#isClosed = true;
        this.#changed();
      });
    }
  }

  /** Resolves when all was handed to the kernel, or the socket is closed. */
  send(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed || !this.#socket.writable) resolve();
      this.#socket.once("close", () => resolve());
      this.#socket.write(text, "latin1", () => resolve());
    });
  }

  end(): void {
    this.#socket.end();
  }

  /** The next complete reply, or what arrived until the server closed the connection. */
  async reply(): Promise<string> {
    while (!this.#isClosed && !isReply(this.#received)) {
      await new Promise<void>((resolve) => this.#changed = resolve);
    }
    const reply = this.#received;
    this.#received = "";
    return reply;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

function isReply(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  const length = /^content-length: (\d+)/im.exec(text)?.[1];
  return end >= 0 && text.length >= end + 4 + Number(length ?? 0);
}

function bodyOf(reply: string): string {
  return reply.slice(reply.indexOf("\r\n\r\n") + 4);
}

/** Two clients of one server, of whom the first sends something that ends its connection. */

import type { Socket } from "node:net";
import { statusOf } from "../../listening.ts";
import type { ListenerLimits } from "../../../src/http/limits.ts";

/** A field that every request needs. */
export const HOST = "Host: a\r\n";

/** What the first client sends, and the status that it gets; 0 where it gets none. */
export interface Ending {
  readonly sends: string;
  readonly status: number;
  /** What it sends after that reply, to get a 400 for it. */
  readonly adds?: string;
  /** It closes its sending half after that. */
  readonly halfCloses?: boolean;
  /** It is gone after that, without a word. */
  readonly resets?: boolean;
  /** It closes its sending half in the midst of the other client's request. */
  readonly endsLate?: boolean;
  readonly limits?: Partial<ListenerLimits>;
}

/** What ends a connection, by name. */
export const ENDINGS: Record<string, Ending> = {
  "junk": { sends: "GG\r\n", status: 400 },
  "junk, and its end later": { sends: "GG\r\n", status: 400, endsLate: true },
  "zeros": { sends: "\0\0\0\0\r\n\r\n", status: 400 },
  "a target past all limits": { sends: `GET /${"a".repeat(200_000)}`, status: 414 },
  "a field past all limits": {
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
  "junk behind a request": { sends: `GET / HTTP/1.1\r\n${HOST}\r\nGG\r\n`, status: 0 },
  "junk after a reply": { sends: `GET / HTTP/1.1\r\n${HOST}\r\n`, status: 200, adds: "GG\r\n" },
  "junk while a reply is awaited": { sends: `GET /slow HTTP/1.1\r\n${HOST}\r\nGG\r\n`, status: 0 },
  "no Host": { sends: "GET / HTTP/1.1\r\n\r\n", status: 400 },
  "too many fields": {
    sends: `GET / HTTP/1.1\r\n${HOST}${"X: a\r\n".repeat(200)}\r\n`,
    status: 431,
  },
  "a coding that we do not know": {
    sends: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip\r\n\r\nabc`,
    status: 501,
  },
  "an expectation that we do not know": {
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
  "an end in the midst of the head": {
    sends: `GET / HTTP/1.1\r\nHos`,
    status: 0,
    halfCloses: true,
  },
  "an end in the midst of a body": {
    sends: `POST /body HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nabc`,
    status: 0,
    halfCloses: true,
  },
  "an end in the midst of a chunk": {
    sends: `POST /body HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n9\r\nabc`,
    status: 0,
    halfCloses: true,
  },
  "an end before the reply": {
    sends: `GET / HTTP/1.1\r\n${HOST}\r\n`,
    status: 200,
    halfCloses: true,
  },
  "a chunk size that is no number": {
    sends: `POST /body HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    status: 0,
  },
  "a chunk size that is no number, of a body that nobody reads": {
    sends: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    status: 0,
  },
  "a body that nobody reads": {
    sends: `POST / HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\n`,
    status: 200,
  },
  "a reset in the midst of a body": {
    sends: `POST /body HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nabc`,
    status: 0,
    resets: true,
  },
  "a reset in the midst of the head": { sends: `GET / HTTP/1.1\r\nHos`, status: 0, resets: true },
  "a head that never ends": {
    sends: `GET / HTTP/1.1\r\nHos`,
    status: 0,
    limits: { headerTimeout: 300, idleTimeout: 300 },
  },
  "a handler that fails": { sends: `GET /fail HTTP/1.1\r\n${HOST}\r\n`, status: 500 },
};

/** What is sent too late: it ends a field of another's request, and is a request of its own. */
const LATE = `evil\r\n\r\nGET /evil HTTP/1.1\r\n${HOST}\r\n`;

/** What the two got. */
interface Outcome {
  /** Statuses of the first client's replies; 0 for none. */
  readonly statuses: readonly number[];
  /** The body of the second client's reply, which is {@link UNTOUCHED} if all is well. */
  readonly body: string;
}

/** The second client's reply where nobody added to its request. */
export const UNTOUCHED = "GET /good begood";

/**
 * Lets the first client send what ends its connection, then the second one half a request, then the
 * first one whatever it still can, and then the second one the other half.
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

/** When this returns, the server has read what other clients sent before. */
async function roundTrip(connect: () => Client): Promise<void> {
  using client = connect();
  void client.send(`GET /trip HTTP/1.1\r\n${HOST}\r\n`);
  await client.reply();
}

/** One connection. */
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
    // The server may close whenever it likes.
    socket.on("error", () => {});
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#isClosed = true;
        this.#changed();
      });
    }
  }

  /** Resolves when all was handed to the kernel, or cannot be any more. */
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

  /** The next whole reply, or what came until the server closed. */
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

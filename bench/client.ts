/** A client that does as little as possible, so that measurements are of the server. */

/** An answer, without its body. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  /** Milliseconds from the request to the first byte. */
  readonly firstByte: number;
  /** Bytes of the body. */
  readonly length: number;
}

/** A client with one connection, for one request after the other. */
export class Client implements Disposable {
  readonly #connection: Deno.Conn;
  readonly #buffer = new Uint8Array(1024 * 1024);

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Connects to a port of this host. */
  static async connect(port: number): Promise<Client> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay();
    return new Client(connection);
  }

  /** Connects under TLS. Deno must run with `--unsafely-ignore-certificate-errors`. */
  static async connectTls(port: number): Promise<Client> {
    return new Client(await Deno.connectTls({ hostname: "localhost", port }));
  }

  /**
   * Sends a request, and reads the whole answer.
   *
   * @param body gets the pieces of the body. The buffer of a piece is reused after `body` returns.
   * @throws when the answer is not complete.
   */
  async request(
    method: "GET" | "HEAD",
    path: string,
    body: (piece: Uint8Array) => void = () => {},
  ): Promise<Answer> {
    const request = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n\r\n`;
    const start = performance.now();
    await this.#connection.write(new TextEncoder().encode(request));
    let count = await this.#read(0);
    const firstByte = performance.now() - start;
    let end = -1;
    while ((end = endOfHead(this.#buffer.subarray(0, count))) < 0) count += await this.#read(count);
    const head = new TextDecoder().decode(this.#buffer.subarray(0, end));
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    const status = Number(head.slice(9, 12));
    if (method === "HEAD" || status === 304) return { status, head, firstByte, length };
    let got = count - end;
    body(this.#buffer.subarray(end, count));
    while (got < length) {
      const more = await this.#read(0);
      body(this.#buffer.subarray(0, more));
      got += more;
    }
    return { status, head, firstByte, length: got };
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  async #read(offset: number): Promise<number> {
    const count = await this.#connection.read(this.#buffer.subarray(offset));
    if (count === null) throw new Error("the connection ended before the end of the answer");
    return count;
  }
}

/** The offset at which the body begins; -1 if the head is not complete. */
function endOfHead(bytes: Uint8Array): number {
  for (let index = bytes.indexOf(10); index >= 0; index = bytes.indexOf(10, index + 1)) {
    if (bytes[index + 1] === 13 && bytes[index + 2] === 10) return index + 3;
  }
  return -1;
}

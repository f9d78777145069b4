import https, { type RequestOptions } from "node:https";
import type { IncomingMessage } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import type { TLSSocket } from "node:tls";
import type { TlsConfiguration } from "../../../src/http/configuration.ts";
import type { Connection, Handler } from "../../../src/http/exchange.ts";
import { listen } from "../../../src/http/listener.ts";
import { checkTls } from "../../../src/http/tls.ts";
import { Failure } from "../../../src/failure.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { type Credentials, makeCertificates, type TestCertificates } from "../../certificates.ts";
import { rawExchange, statusOf, text, until, withListener } from "../../listening.ts";
import { Scratch } from "../../scratch.ts";

let made: Promise<TestCertificates> | null = null;

/** The certificates, made once for all tests of this file, because making them is slow. */
function certificates(): Promise<TestCertificates> {
  made ??= makeCertificates();
  return made;
}

function plainTls(server: Credentials): TlsConfiguration {
  return { ...server, requireCertificate: false, authorities: "" };
}

Deno.test("listen: under TLS, connections serve thousands of requests without a stall", async () => {
  const { authority, server } = await certificates();
  const small = new Uint8Array(4096).fill(1);
  const piece = new Uint8Array(100_000).fill(2);
  using scratch = new Scratch();
  const path = `${scratch.directory}/file`;
  await Deno.writeFile(path, new Uint8Array(1_500_000).fill(3));
  const handler: Handler = (request) => {
    const headers = {};
    if (request.target === "/small") return { status: 200, headers, body: small };
    if (request.target === "/stream") {
      return {
        status: 200,
        headers,
        body: (async function* (): AsyncGenerator<Uint8Array> {
          for (let count = 0; count < 3; count++) yield await Promise.resolve(piece);
        })(),
      };
    }
    const [, offset, length] = request.target.split("/").map(Number) as [number, number, number];
    return { status: 200, headers, body: { file: Deno.openSync(path), offset, length } };
  };
  const targets: Record<string, number> = {
    "/small": 4096,
    "/stream": 300_000,
    "/0/1000": 1000,
    "/7/200000": 200_000,
    "/7/1400000": 1_400_000,
  };
  await withListener(handler, async ({ port }) => {
    // One socket for each client: a stall affects the request after a large reply on a connection.
    const client = async (rounds: number): Promise<number> => {
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: authority });
      let bytes = 0;
      for (let round = 0; round < rounds; round++) {
        for (const [target, size] of Object.entries(targets)) {
          if (size > 1_000_000 && round % 10 > 0) continue;
          const got = await get({ port, path: target, agent, timeout: 10_000 });
          assertEquals(got.bytes, size, target);
          bytes += got.bytes;
        }
      }
      agent.destroy();
      return bytes;
    };
    const totals = await Promise.all([client(200), client(200), client(200), client(200)]);
    assert(totals.every((total) => total > 0));
  }, { tls: plainTls(server) });
});

Deno.test("a client that resets its connection instead of reading the refusal ends nothing but that", async () => {
  const { server } = await certificates();
  const refused: readonly [request: string, tls: TlsConfiguration | null][] = [
    ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", plainTls(server)],
    ["CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", null],
    ["no HTTP\r\n\r\n", null],
  ];
  for (const [request, tls] of refused) {
    await withListener(() => text("well"), async ({ port, connections }) => {
      for (let count = 0; count < 50; count++) {
        const socket = connect({ host: "127.0.0.1", port });
        await new Promise<void>((resolve) => socket.write(request, () => resolve()));
        socket.resetAndDestroy();
      }
      await until(() => connections() === 0, "no connection is left");
      const answer = await rawExchange(
        port,
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      );
      assertEquals(statusOf(answer), tls === null ? 200 : 400);
    }, tls === null ? {} : { tls });
  }
});

Deno.test("plain HTTP to a port with TLS gets a 400, with or without required certificates", async () => {
  const { authority, server } = await certificates();
  const hints: Record<string, string> = {
    "GET / HTTP/1.1\r\nHost: box:8000\r\n\r\n": "https://box:8000/",
    "HEAD /x HTTP/1.0\r\n\r\n": "its address with https://",
    "GET / HTTP/1.1\r\nhost:[fe80::1]:1\r\n\r\n": "https://[fe80::1]:1/",
    "GET / HTTP/1.1\r\nHost: <b>\r\n\r\n": "its address with https://",
    // More than the buffers of the kernel hold: the answer must not be lost.
    [`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n${"x".repeat(9_000_000)}`]:
      "https://a/",
  };
  for (const requireCertificate of [false, true]) {
    const tls = { ...server, requireCertificate, authorities: authority };
    const refused: string[] = [];
    let plain = 0;
    const events = {
      plainHttp: () => void plain++,
      handshakeFailed: (_address: string, reason: string) => void refused.push(reason),
    };
    await withListener(() => text("secret"), async ({ port, connections }) => {
      for (const [request, hint] of Object.entries(hints)) {
        const answer = await rawExchange(port, request);
        assertEquals(statusOf(answer), 400);
        assert(
          answer.endsWith(
            `\r\n\r\nThis server speaks HTTPS only: use ${hint} instead of http://.\n`,
          ),
        );
      }
      assertEquals(await rawExchange(port, "SSH-2.0-x\r\n"), "");
      const slow = connect(port, "127.0.0.1");
      slow.setNoDelay(true);
      let answer = "";
      slow.on("data", (data) => answer += String(data));
      for (const character of "GET /") {
        slow.write(character);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await until(() => answer !== "", "a request that comes byte by byte is answered");
      assertEquals(statusOf(answer), 400);
      slow.destroy();
      assertEquals([plain, refused.length], [Object.keys(hints).length + 1, 1]);
      await until(() => connections() === 0, "no connection is left");
    }, { tls, events });
  }
});

Deno.test("a handshake that comes byte by byte succeeds, and a silent client is let go", async () => {
  const { authority, server } = await certificates();
  await withListener(() => text("fine"), async ({ port, connections }) => {
    const slow = createServer((client) => {
      const through = connect(port, "127.0.0.1");
      through.setNoDelay(true);
      through.pipe(client);
      client.on("data", (data: Uint8Array) => {
        for (const byte of data) through.write(Uint8Array.of(byte));
      });
      client.on("close", () => through.destroy());
    });
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", () => resolve()));
    const slowPort = (slow.address() as AddressInfo).port;
    const got = await get({ port: slowPort, path: "/", ca: authority, agent: false });
    assertEquals(got.text, "fine");
    slow.close();
    for (const begin of ["", "\x16", "\x16\x03\x01"]) {
      assertEquals(await rawExchange(port, begin), "");
    }
    await until(() => connections() === 0, "no connection is left");
  }, { tls: plainTls(server), limits: { handshakeTimeout: 300 } });
});

Deno.test("with required certificates nobody without a valid one gets a byte", async () => {
  const { authority, server, client, stranger } = await certificates();
  const seen: Connection[] = [];
  const handler: Handler = (request) => {
    seen.push(request.connection);
    return text("secret");
  };
  const tls = { ...server, requireCertificate: true, authorities: authority };
  const refused: string[] = [];
  await withListener(handler, async ({ port }) => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const base = { port, path: "/", ca: authority, agent: false, maxVersion } as const;
      await assertRejects(() => get(base));
      await assertRejects(() => get({ ...base, cert: stranger.certificate, key: stranger.key }));
      assertEquals(seen.length, 0);
      const welcome = await get({ ...base, cert: client.certificate, key: client.key });
      assertEquals(welcome.text, "secret");
      assertEquals(seen.map((facts) => facts.clientCertificate), ["alice"]);
      seen.length = 0;
    }
    assertEquals(refused, new Array<string>(4).fill("127.0.0.1"));
  }, { tls, events: { handshakeFailed: (address) => void refused.push(address) } });
});

Deno.test("Listener.replaceTls: a renewed certificate is used for new connections, a bad one is refused", async () => {
  const { authority, server, renewed } = await certificates();
  await withListener(() => text("fine"), async (listener) => {
    const options = { port: listener.port, path: "/", ca: authority, agent: false } as const;
    assertEquals((await get(options)).server, "localhost");
    assertThrows(
      () => listener.replaceTls(plainTls({ ...renewed, key: server.key })),
      Failure,
      "--keyfile",
    );
    assertThrows(
      () => listener.replaceTls(plainTls({ certificate: "none", key: "none" })),
      Failure,
      "--certfile",
    );
    assertEquals((await get(options)).server, "localhost");
    listener.replaceTls(plainTls(renewed));
    assertEquals((await get(options)).server, "renewed");
  }, { tls: plainTls(server) });
});

Deno.test("listen: a certificate that does not belong to its key is a failure", async () => {
  const { server, renewed } = await certificates();
  const tls = plainTls({ certificate: server.certificate, key: renewed.key });
  const configuration = { address: "127.0.0.1", port: 0, ipv6: false, tls };
  await assertRejects(() => listen(configuration, () => text("")), Failure, "--keyfile");
});

Deno.test("checkTls: a certificate is refused before and after its validity", async () => {
  const { server } = await certificates();
  const day = 24 * 60 * 60 * 1000;
  assertThrows(
    () => checkTls(plainTls(server), new Date(Date.now() + 3 * day)),
    Failure,
    "expired",
  );
  assertThrows(
    () => checkTls(plainTls(server), new Date(Date.now() - day)),
    Failure,
    "not valid before",
  );
});

Deno.test("checkTls: a key with which every handshake would fail is refused in a sentence", () => {
  using scratch = new Scratch();
  const { directory } = scratch;
  const make = (...words: readonly string[]): TlsConfiguration => {
    const request = "req -x509 -nodes -keyout key -out cert -days 3 -subj /CN=x -newkey";
    const args = [...request.split(" "), ...words];
    const { success } = new Deno.Command("openssl", { args, cwd: directory }).outputSync();
    assert(success, words.join(" "));
    const [certificate = "", key = ""] = ["cert", "key"].map((name) =>
      Deno.readTextFileSync(`${directory}/${name}`)
    );
    return plainTls({ certificate, key });
  };
  const curve = (name: string): string[] => ["ec", "-pkeyopt", `ec_paramgen_curve:${name}`];
  for (const good of [["rsa:2048"], ["ed25519"], curve("P-384"), curve("P-521")]) {
    checkTls(make(...good));
  }
  const bad: readonly (readonly [message: string, ...words: string[]])[] = [
    ["too weak: RSA with 1024 bits", "rsa:1024"],
    ["kind that cannot be used (ec secp224r1)", ...curve("secp224r1")],
    ["kind that cannot be used (ec secp256k1)", ...curve("secp256k1")],
    ["kind that cannot be used (ed448)", "ed448"],
    ["kind that cannot be used (rsa-pss)", "rsa-pss"],
  ];
  for (const [message, ...words] of bad) {
    assertThrows(() => checkTls(make(...words)), Failure, message);
  }
});

interface Got {
  readonly bytes: number;
  readonly text: string;
  /** Common name of the server's certificate. */
  readonly server: string;
}

/** Sends a request by HTTPS; rejects when the reply is incomplete. */
function get(options: RequestOptions): Promise<Got> {
  return new Promise((resolve, reject) => {
    const request = https.get({ host: "localhost", family: 4, ...options });
    request.on("timeout", () => request.destroy(new Error("stalled")));
    request.on("error", reject);
    request.on("response", (response: IncomingMessage) => {
      const server = String((response.socket as TLSSocket).getPeerCertificate().subject.CN);
      let bytes = 0;
      let text = "";
      response.on("data", (chunk: Uint8Array) => {
        bytes += chunk.byteLength;
        if (bytes < 100) text += new TextDecoder().decode(chunk);
      });
      response.on("error", reject);
      response.on("end", () => resolve({ bytes, text, server }));
    });
  });
}

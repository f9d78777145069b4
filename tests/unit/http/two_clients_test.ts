/** Tests that a client's bytes never become part of another client's request. */

import net, { type Socket } from "node:net";
import tls from "node:tls";
import type { TlsConfiguration } from "../../../src/http/configuration.ts";
import type { Handler } from "../../../src/http/exchange.ts";
import { assertEquals } from "../../assert.ts";
import { makeCertificates } from "../../certificates.ts";
import { text, until, withListener } from "../../listening.ts";
import { Client, ENDINGS, twoClients, UNTOUCHED } from "./two_clients.ts";

/** The fault would show in the first round; more rounds make sure that the result is not by chance. */
const ROUNDS = 3;

interface Transport {
  readonly tls: TlsConfiguration | null;
  readonly connect: (port: number) => Socket;
}

async function tlsTransport(requireCertificate: boolean): Promise<Transport> {
  const { authority: ca, server, client } = await makeCertificates();
  const own = requireCertificate ? { cert: client.certificate, key: client.key } : {};
  return {
    tls: { ...server, requireCertificate, authorities: requireCertificate ? ca : "" },
    connect: (port) => tls.connect({ host: "127.0.0.1", port, ca, ...own }),
  };
}

const TRANSPORTS: Record<string, () => Promise<Transport>> = {
  "plain": () =>
    Promise.resolve({
      tls: null,
      connect: (port) => net.connect({ host: "127.0.0.1", port }),
    }),
  "TLS": () => tlsTransport(false),
  "client certificates": () => tlsTransport(true),
};

const handler: Handler = async (request) => {
  if (request.target === "/fail") throw new Error("as it shall");
  if (request.target === "/slow") await new Promise((resolve) => setTimeout(resolve, 200));
  if (request.target === "/body") { for await (const _chunk of request.body); }
  return text(`${request.method} ${request.target} ${request.headers["x-words"] ?? ""}`);
};

for (const [transport, make] of Object.entries(TRANSPORTS)) {
  Deno.test(`listen (${transport}): bytes that a client sends after its last reply reach no other client`, async (t) => {
    const { tls, connect } = await make();
    for (const [name, ending] of Object.entries(ENDINGS)) {
      await t.step(name, async () => {
        const limits = ending.limits ?? {};
        const parts = { limits, ...tls === null ? {} : { tls } };
        await withListener(handler, async ({ port, connections }) => {
          for (let round = 0; round < ROUNDS; round++) {
            const { statuses, body } = await twoClients(() => new Client(connect(port)), ending);
            assertEquals(body, UNTOUCHED);
            const expected = ending.adds === undefined ? [ending.status] : [ending.status, 400];
            assertEquals(statuses, ending.resets === true ? [] : expected);
            // Then all parsers are free, and the one that the next round gets does not depend on timing.
            await until(() => connections() === 0, "all connections are closed");
          }
        }, parts);
      });
    }
  });
}

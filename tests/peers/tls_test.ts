import https from "node:https";
import type { AddressInfo } from "node:net";
import { assertEquals } from "../assert.ts";
import { Scratch } from "../scratch.ts";
import { must } from "../lan/process.ts";
import { find, servePeer, until } from "./lan.ts";

/** Makes an authority, and a certificate from it for 127.0.0.1. */
async function makeCertificates(): Promise<
  { authority: string; certificate: string; key: string }
> {
  using scratch = new Scratch();
  const { directory } = scratch;
  const extensions = `${directory}/extensions`;
  await Deno.writeTextFile(extensions, "subjectAltName=IP:127.0.0.1\n");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const openssl = (...rest: string[]): Promise<string> => must(["openssl", ...rest], { directory });
  await openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca");
  await openssl("req", ...key, "-keyout", "key", "-out", "request", "-subj", "/CN=peer");
  const issue = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", extensions];
  await openssl("x509", "-req", "-in", "request", ...issue, "-out", "certificate");
  const read = (name: string): Promise<string> => Deno.readTextFile(`${directory}/${name}`);
  const [authority, certificate, secret] = await Promise.all(
    ["ca.pem", "certificate", "key"].map(read),
  );
  return { authority: authority ?? "", certificate: certificate ?? "", key: secret ?? "" };
}

Deno.test("PeerClient: a peer with TLS is used only if its certificate is trusted", async () => {
  const { authority, certificate, key } = await makeCertificates();
  const server = https.createServer({ cert: certificate, key }, (request, response) => {
    request.resume();
    request.on("end", () => response.end(request.method === "HEAD" ? "" : '{"pkg/a":"pkg/a"}'));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    await using trusting = await servePeer([], { staticPeers: [base], authorities: [authority] });
    assertEquals(await find(trusting, "pkg/a"), base + "pkg/a");
    await using wary = await servePeer([], { staticPeers: [base] });
    assertEquals(await find(wary, "pkg/a"), null);
    await until(() => wary.peers.rows()[0]?.state === "backoff");
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

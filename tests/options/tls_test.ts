/** `--ssl` and its files, from the command line. */

import { connect } from "node:tls";
import { CERTIFICATES } from "../../scripts/build/server_manual.ts";
import { type Credentials, makeCertificates } from "../certificates.ts";
import { assertEquals, assertMatch } from "../assert.ts";
import { eventually, must, run } from "../lan/process.ts";
import { runCommand, Served } from "../program.ts";
import { withFiles } from "../scratch.ts";

const certificates = await makeCertificates();

/** Makes the files of the certificates, and a file to share. */
function files(): Record<string, string> {
  const of = (name: string, { certificate, key }: Credentials): Record<string, string> => ({
    [`${name}.pem`]: certificate,
    [`${name}.key`]: key,
    [`${name}.both`]: certificate + key,
  });
  return {
    "a": "content",
    "authority.pem": certificates.authority,
    ...of("server", certificates.server),
    ...of("client", certificates.client),
    ...of("stranger", certificates.stranger),
    "text": "no certificate\n",
  };
}

/** Returns the output of curl, or its exit status. */
async function get(directory: string, server: Served, ...words: string[]): Promise<string> {
  const trust = ["--cacert", "authority.pem"];
  const address = `https://localhost:${server.port}/a`;
  const { code, stdout } = await run(["curl", "-s", ...trust, ...words, address], { directory });
  return code === 0 ? stdout : "";
}

Deno.test("--ssl encrypts, with the key in a separate file or in the file of the certificate", () =>
  withFiles(files(), async (directory) => {
    for (const words of [["server.pem", "--keyfile", "server.key"], ["server.both"]]) {
      await using server = await Served.start(
        "quickserve",
        ["a", "--ssl", "--certfile", ...words],
        { directory },
      );
      assertEquals(await get(directory, server), "content");
      assertMatch(server.address, /^https:/);
      const plain = await run(["curl", "-s", `http://localhost:${server.port}/a`]);
      assertEquals(
        plain.stdout,
        `This server speaks HTTPS only: use https://localhost:${server.port}/ instead of http://.\n`,
      );
      await server.program.line(
        /^127\.0\.0\.1 sent plain HTTP and got a 400: /,
      );
    }
  }));

Deno.test("clients can trust a certificate that was made with the command of the manual", () =>
  withFiles({ "a": "content" }, async (directory) => {
    const [command] = CERTIFICATES.content.flatMap((part) =>
      typeof part === "object" && "literal" in part ? [part.literal] : []
    );
    await must(["bash", "-c", command ?? "false"], { directory });
    const words = ["a", "--ssl", "--certfile", "cert.pem", "--keyfile", "key.pem"];
    await using server = await Served.start("quickserve", words, { directory });
    assertEquals(await get(directory, server, "--cacert", "cert.pem"), "content");
  }));

Deno.test("--req-cert answers only clients with a certificate of --ca-certs", () =>
  withFiles(files(), async (directory) => {
    const words = ["a", "--ssl", "--certfile", "server.both", "--req-cert"];
    words.push("--ca-certs", "authority.pem", "--verbose");
    await using server = await Served.start("quickserve", words, { directory });
    assertEquals(await get(directory, server), "");
    await server.program.line(/^the TLS handshake with 127\.0\.0\.1 failed: .*certificate/);
    assertEquals(await get(directory, server, "--cert", "stranger.both"), "");
    assertEquals(await get(directory, server, "--cert", "client.both"), "content");
  }));

Deno.test("--req-cert without --ca-certs accepts only the server's own certificate", () =>
  withFiles(files(), async (directory) => {
    // The certificate is self-signed, and valid for servers and clients.
    await must([
      ..."openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" "),
      ..."-keyout own.key -out own.pem -subj /CN=localhost -addext".split(" "),
      "subjectAltName=DNS:localhost",
    ], { directory });
    const words = ["a", "--ssl", "--certfile", "own.pem", "--keyfile", "own.key", "--req-cert"];
    await using server = await Served.start("quickserve", words, { directory });
    const trust = ["--cacert", "own.pem"];
    assertEquals(await get(directory, server, ...trust), "");
    assertEquals(await get(directory, server, ...trust, "--cert", "client.both"), "");
    const own = ["--cert", "own.pem", "--key", "own.key"];
    assertEquals(await get(directory, server, ...trust, ...own), "content");
  }));

/** Returns the common name of a server's certificate. */
function shownName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      const { CN } = socket.getPeerCertificate().subject;
      resolve(String(CN));
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

Deno.test("--certfile: a renewed certificate is used without a restart, and an invalid one is not", () =>
  withFiles(files(), async (directory) => {
    const words = ["a", "--ssl", "--certfile", "server.pem", "--keyfile", "server.key"];
    await using server = await Served.start("quickserve", words, { directory });
    assertEquals(await shownName(server.port), "localhost");
    const { certificate, key } = certificates.renewed;
    // Between the two writes the files do not fit together, which must do no harm.
    await Deno.writeTextFile(`${directory}/server.pem`, certificate);
    await server.program.line(/warning: .*does not belong.*last valid configuration/);
    assertEquals(await shownName(server.port), "localhost");
    await Deno.writeTextFile(`${directory}/server.key`, key);
    await eventually("the new certificate", async () => {
      return await shownName(server.port) === "renewed";
    });
    assertEquals(await get(directory, server), "content");
  }));

Deno.test("--ssl: files that do not fit together are an error at start", () =>
  withFiles(files(), async (directory) => {
    await must([
      ..."openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split(" "),
      ..."-keyout old.key -out old.pem -subj /CN=old".split(" "),
      ..."-not_before 20200101000000Z -not_after 20200201000000Z".split(" "),
    ], { directory }).catch(() => oldByDays(directory));
    const ssl = ["--ssl", "--certfile"];
    const cases = [
      [2, ["--ssl"], /--ssl needs --certfile/],
      [2, ["--certfile", "server.pem"], /--certfile needs --ssl/],
      [2, ["--req-cert"], /--req-cert needs --ssl/],
      [1, [...ssl, "gone"], /--certfile gone: there is no such file/],
      [1, [...ssl, "text"], /--certfile text contains no certificate in PEM/],
      [1, [...ssl, "server.pem"], /--certfile server\.pem contains no private key/],
      [
        1,
        [...ssl, "server.pem", "--keyfile", "client.key"],
        /does not belong to the key \(--keyfile\)/,
      ],
      [1, [...ssl, "server.pem", "--keyfile", "gone"], /--keyfile gone: there is no such file/],
      [1, [...ssl, "server.both", "--ca-certs", "gone"], /--ca-certs gone: there is no such file/],
      [
        1,
        [...ssl, "server.both", "--req-cert", "--ca-certs", "text"],
        /--ca-certs text contains no/,
      ],
      [1, [...ssl, "old.pem", "--keyfile", "old.key"], /--certfile\) expired on /],
    ] as const;
    for (const [status, words, message] of cases) {
      const { code, stderr } = await runCommand("quickserve", ["a", ...words], { directory });
      assertMatch(stderr, /^quickserve: [^\n]*\n$/);
      assertMatch(stderr, message);
      assertEquals(code, status, stderr);
    }
  }));

/** Makes an expired certificate with an openssl that lacks `-not_before` (before 3.4). */
async function oldByDays(directory: string): Promise<void> {
  await must([
    ..."openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout old.key".split(" "),
    ..."-out old.csr -subj /CN=old".split(" "),
  ], { directory });
  const extensions = "[v3]\nbasicConstraints=CA:FALSE\n";
  await Deno.writeTextFile(`${directory}/ext`, extensions);
  await Deno.mkdir(`${directory}/new`);
  await Deno.writeTextFile(`${directory}/index`, "");
  const configuration = "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=new\n" +
    "rand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n";
  await Deno.writeTextFile(`${directory}/conf`, configuration);
  await must([
    ..."openssl ca -batch -config conf -selfsign -keyfile old.key -in old.csr".split(" "),
    ..."-out old.pem -notext -extfile ext -extensions v3".split(" "),
    ..."-startdate 20200101000000Z -enddate 20200201000000Z".split(" "),
  ], { directory });
}

import { parseOptions } from "../../../src/commands/parse.ts";
import { serveCommand } from "../../../src/commands/serve/options.ts";
import { tlsSettings } from "../../../src/commands/serve/tls.ts";
import { ConfigurationSources } from "../../../src/commands/serve/user_files.ts";
import { Failure } from "../../../src/failure.ts";
import type { TlsConfiguration } from "../../../src/http/configuration.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { makeCertificates } from "../../certificates.ts";
import { withFiles } from "../../scratch.ts";

const block = (label: string, text: string): string =>
  `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;

/** Returns the settings of a server whose `--certfile` has this text. */
function settingsOf(text: string): Promise<TlsConfiguration | null> {
  return withFiles({ "server.pem": text }, (directory) => {
    const words = ["--ssl", "--certfile", `${directory}/server.pem`];
    const options = parseOptions(serveCommand("quickserve"), words);
    return tlsSettings(options, new ConfigurationSources());
  });
}

Deno.test("--certfile: the file can have key and chain in any order, with other text between them", async () => {
  const { authority, server } = await makeCertificates();
  const chain = server.certificate + authority;
  const parameters = block("EC PARAMETERS", "DDDD");
  for (
    const text of [
      `${chain}${parameters}${server.key}`,
      `subject=x\n${parameters}${server.key}\r\n${chain}`,
    ]
  ) {
    const tls = await settingsOf(text);
    assertEquals([tls?.certificate, tls?.key], [chain, server.key]);
  }
});

Deno.test("--certfile: a file without a complete block of PEM is refused", async () => {
  const { server } = await makeCertificates();
  for (const text of ["", "text", server.certificate.slice(0, -10), block("PUBLIC KEY", "AAAA")]) {
    await assertRejects(() => settingsOf(text), Failure, "contains no certificate");
  }
  const { certificate } = server;
  for (const text of [certificate, certificate + server.key.slice(0, -10)]) {
    await assertRejects(() => settingsOf(text), Failure, "contains no private key");
  }
});

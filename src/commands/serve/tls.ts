/** `--ssl` and the files that it takes. */

import { Failure, UsageError } from "../../failure.ts";
import type { TlsConfiguration } from "../../http/configuration.ts";
import type { ParsedOptions } from "../parse.ts";
import type { ConfigurationSources } from "./user_files.ts";

/** A block of PEM (RFC 7468). */
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/**
 * Reads certificate, key and authorities, and checks that they fit together: at start, not at the
 * first connection.
 *
 * @returns null without `--ssl`.
 * @throws {UsageError} when options do not fit together.
 * @throws {Failure} when a file is missing or no PEM, the key is not the certificate's, or the
 * certificate is not valid today.
 */
export async function tlsSettings(
  options: ParsedOptions,
  sources: ConfigurationSources,
): Promise<TlsConfiguration | null> {
  if (!options.has("ssl")) {
    const needy = ["certfile", "keyfile", "req-cert", "ca-certs"].find((name) => options.has(name));
    if (needy !== undefined) throw new UsageError(`--${needy} needs --ssl`);
    return null;
  }
  const certificatePath = options.value("certfile");
  if (certificatePath === undefined) throw new UsageError("--ssl needs --certfile <filepath>");
  const keyPath = options.value("keyfile");
  const authoritiesPath = options.value("ca-certs");
  const text = await sources.read("--certfile", certificatePath);
  const keyText = keyPath === undefined ? text : await sources.read("--keyfile", keyPath);
  const certificate = certificatesIn(text) ?? lacks(`--certfile ${certificatePath}`, "certificate");
  const tls = {
    certificate,
    key: privateKeyIn(keyText) ??
      (keyPath === undefined
        ? lacks(`--keyfile is not given, and --certfile ${certificatePath}`, "private key")
        : lacks(`--keyfile ${keyPath}`, "private key")),
    requireCertificate: options.has("req-cert"),
    authorities: authoritiesPath === undefined
      ? certificate
      : certificatesIn(await sources.read("--ca-certs", authoritiesPath)) ??
        lacks(`--ca-certs ${authoritiesPath}`, "certificate"),
  };
  // Loaded only here: most servers have no certificate, and the library is large.
  const { checkTls } = await import("../../http/tls.ts");
  checkTls(tls);
  return tls;
}

function lacks(file: string, what: string): never {
  throw new Failure(`${file} holds no ${what} in PEM`);
}

/** All certificates in a text, one after the other; null when there is none. */
function certificatesIn(text: string): string | null {
  return blocksOf(text, (label) => label === "CERTIFICATE" || label === "TRUSTED CERTIFICATE");
}

/** The private keys in a text, which may have certificates in it too; null when there is none. */
function privateKeyIn(text: string): string | null {
  return blocksOf(text, (label) => label.endsWith("PRIVATE KEY"));
}

function blocksOf(text: string, wanted: (label: string) => boolean): string | null {
  const blocks = [...text.matchAll(BLOCK)].filter(([, label]) => wanted(label ?? ""));
  return blocks.length === 0 ? null : blocks.map(([block]) => block + "\n").join("");
}

/** `--ssl` and the options for its files. */

import { Failure, UsageError } from "../../failure.ts";
import type { TlsConfiguration } from "../../http/configuration.ts";
import type { ParsedOptions } from "../parse.ts";
import type { ConfigurationSources } from "./user_files.ts";

/** A block of PEM (RFC 7468). */
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/**
 * Reads certificate, key and authorities, and checks that they fit together, so that mistakes are found at
 * start and not at the first connection.
 *
 * @returns null without `--ssl`.
 * @throws {UsageError} when options do not fit together.
 * @throws {Failure} when a file is missing or not in PEM, the key does not belong to the certificate, or the
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
  // Load the library only here, because it is large and most servers have no certificate.
  const { checkTls } = await import("../../http/tls.ts");
  checkTls(tls);
  return tls;
}

function lacks(file: string, what: string): never {
  throw new Failure(`${file} contains no ${what} in PEM`);
}

/** Returns all certificates in a text, one after another; null if it has no certificate. */
function certificatesIn(text: string): string | null {
  return blocksOf(text, (label) => label === "CERTIFICATE" || label === "TRUSTED CERTIFICATE");
}

/** Returns the private keys in a text, which may contain certificates, too; null if it has no key. */
function privateKeyIn(text: string): string | null {
  return blocksOf(text, (label) => label.endsWith("PRIVATE KEY"));
}

function blocksOf(text: string, wanted: (label: string) => boolean): string | null {
  const blocks = [...text.matchAll(BLOCK)].filter(([, label]) => wanted(label ?? ""));
  return blocks.length === 0 ? null : blocks.map(([block]) => block + "\n").join("");
}

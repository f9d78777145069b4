/**
 * Checks certificates and keys in PEM (RFC 7468) before they are used. The runtime itself would notice
 * a fault only at the first handshake.
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { Failure, messageOf } from "../failure.ts";
import type { TlsConfiguration } from "./configuration.ts";

/** The smallest RSA key that the TLS library of the runtime accepts. */
const MIN_RSA_BITS = 2048;

/**
 * Checks that a certificate and its key can be used at a given time.
 *
 * @throws {Failure} when one of them cannot be parsed, they do not belong together, the certificate has
 * expired or is not valid yet, or the authorities for client certificates cannot be parsed. The message
 * names the option.
 */
export function checkTls(tls: TlsConfiguration, now: Date = new Date()): void {
  const certificate = readPem(
    "--certfile",
    "certificate",
    () => new X509Certificate(tls.certificate),
  );
  if (tls.key.includes("ENCRYPTED")) {
    throw new Failure(
      "the private key (--keyfile) is protected by a passphrase: remove the passphrase",
    );
  }
  const key = readPem("--keyfile", "private key", () => createPrivateKey(tls.key));
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (key.asymmetricKeyType === "rsa" && bits !== undefined && bits < MIN_RSA_BITS) {
    throw new Failure(
      `the private key (--keyfile) is too weak: RSA with ${bits} bits, but at least ${MIN_RSA_BITS} are needed`,
    );
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new Failure("the certificate (--certfile) does not belong to the key (--keyfile)");
  }
  if (now > new Date(certificate.validTo)) {
    throw new Failure(`the certificate (--certfile) expired on ${certificate.validTo}`);
  }
  if (now < new Date(certificate.validFrom)) {
    throw new Failure(
      `the certificate (--certfile) is not valid before ${certificate.validFrom}`,
    );
  }
  if (tls.requireCertificate) {
    readPem("--ca-certs", "certificate", () => new X509Certificate(tls.authorities));
  }
}

function readPem<T>(option: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Failure(`${option}: the file is not a ${what} in PEM: ${messageOf(error)}`);
  }
}

/**
 * Checks certificates and keys in PEM (RFC 7468) before they are used. The runtime itself would notice
 * a fault only at the first handshake.
 */

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { Failure, messageOf } from "../failure.ts";
import type { TlsConfiguration } from "./configuration.ts";

/** The keys that the TLS library of the runtime accepts. With others every handshake would fail. */
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

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
  const problem = keyProblem(key);
  if (problem !== null) throw new Failure(`the private key (--keyfile) is ${problem}`);
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

/** Why a key is of no use for TLS here, to follow "it is"; null when it is of use. */
function keyProblem({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | null {
  const { modulusLength: bits = MIN_RSA_BITS, namedCurve = "" } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === "rsa") {
    if (bits > MAX_RSA_BITS) {
      return `too long: RSA with ${bits} bits, and up to ${MAX_RSA_BITS} work`;
    }
    if (bits >= MIN_RSA_BITS) return null;
    return `too weak: RSA with ${bits} bits, and ${MIN_RSA_BITS} are needed`;
  }
  if (asymmetricKeyType === "ed25519") return null;
  if (asymmetricKeyType === "ec" && CURVES.includes(namedCurve)) return null;
  const kind = [asymmetricKeyType, namedCurve].filter(Boolean).join(" ");
  return `of a kind that cannot be used (${kind}): take RSA, P-256, P-384, P-521 or Ed25519`;
}

function readPem<T>(option: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Failure(`${option}: the file is not a ${what} in PEM: ${messageOf(error)}`);
  }
}

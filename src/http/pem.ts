/** Texts in PEM (RFC 7468): what of a file is a certificate, and what a key. */

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** All certificates in a text, one after the other; null when there is none. */
export function certificatesIn(text: string): string | null {
  return blocksOf(text, (label) => label === "CERTIFICATE" || label === "TRUSTED CERTIFICATE");
}

/** The private keys in a text, which may have certificates in it too; null when there is none. */
export function privateKeyIn(text: string): string | null {
  return blocksOf(text, (label) => label.endsWith("PRIVATE KEY"));
}

function blocksOf(text: string, wanted: (label: string) => boolean): string | null {
  const blocks = [...text.matchAll(BLOCK)].filter(([, label]) => wanted(label ?? ""));
  return blocks.length === 0 ? null : blocks.map(([block]) => block + "\n").join("");
}

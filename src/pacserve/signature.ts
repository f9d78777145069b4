/**
 * Checks detached OpenPGP signatures (RFC 9580 §5.2): whether a file is a single signature, and whether it
 * can belong to a given package. This proves nothing, because no key is used; pacman verifies the signature.
 * The check only avoids that pacman gets a signature with which it would certainly fail.
 *
 * An armored signature (`-----BEGIN PGP SIGNATURE-----`) is refused, as repo-add does. pacman 6.0.2 reports
 * "signature format error" for it (tried).
 */

import { createHash, type Hash } from "node:crypto";

/** Maximum size of a signature in bytes. pacman does not download a longer one. */
export const MAX_SIGNATURE_SIZE = 16 << 10;

/** The type of a signature of the unchanged bytes of a file (RFC 9580 §5.2.1.1). */
const BINARY_DOCUMENT = 0x00;

/** Hash algorithms (§9.5): their names for `createHash`, and the length of the salt in version 6. */
const HASHES: Readonly<Record<number, { readonly name: string; readonly saltSize: number }>> = {
  2: { name: "sha1", saltSize: 0 },
  8: { name: "sha256", saltSize: 16 },
  9: { name: "sha384", saltSize: 24 },
  10: { name: "sha512", saltSize: 32 },
  11: { name: "sha224", saltSize: 16 },
  12: { name: "sha3-256", saltSize: 16 },
  14: { name: "sha3-512", saltSize: 32 },
};

/** Public-key algorithms (§9.1) whose signatures are numbers (MPIs), with the count of these. */
const NUMBERS: Readonly<Record<number, number>> = {
  1: 1, // RSA
  3: 1, // RSA, sign only
  17: 2, // DSA
  19: 2, // ECDSA
  22: 2, // EdDSA, as GnuPG has it
};

/** Public-key algorithms whose signatures have a fixed length, in bytes. */
const FIXED_SIZES: Readonly<Record<number, number>> = {
  27: 64, // Ed25519
  28: 114, // Ed448
};

/** The fields of a signature that are needed to compare it with a file. */
export interface Signature {
  /** The hash's name for `createHash` of node:crypto. */
  readonly hash: string;
  /** The bytes that are hashed before the file: none, or the salt of version 6. */
  readonly before: Uint8Array;
  /** The bytes that are hashed after the file: the hashed part of the packet, and the trailer (§5.2.4). */
  readonly after: Uint8Array;
  /** The "left 16 bits of the hash" in the packet. */
  readonly left: number;
}

/**
 * Parses a detached signature.
 *
 * @returns null unless the bytes are exactly one signature packet of version 4 or 6 of a binary document,
 * with supported algorithms, and of at most {@link MAX_SIGNATURE_SIZE}.
 */
export function parseSignature(bytes: Uint8Array): Signature | null {
  if (bytes.length > MAX_SIGNATURE_SIZE) return null;
  try {
    return parsePacket(packetBody(new Fields(bytes)));
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}

/** The hash of a file, which is compared with a signature when all bytes of the file were added. */
export class SignatureHash {
  readonly signature: Signature;
  readonly #hash: Hash;

  constructor(signature: Signature) {
    this.signature = signature;
    this.#hash = createHash(signature.hash).update(signature.before);
  }

  /** Adds the next bytes of the file. */
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /**
   * True when the signature can belong to the bytes so far. Two bytes of the hash are compared. Therefore one of
   * 65,536 wrong signatures is not noticed.
   */
  fits(): boolean {
    const { after, left } = this.signature;
    return this.#hash.copy().update(after).digest().readUInt16BE() === left;
  }
}

/**
 * Resolves with true when a signature can belong to a file, as {@link SignatureHash.fits} says.
 *
 * @param file the bytes of the file, in pieces.
 */
export async function fits(
  signature: Signature,
  file: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const hash = new SignatureHash(signature);
  for await (const piece of file) hash.update(piece);
  return hash.fits();
}

/** Thrown when the bytes do not follow the format. */
class MalformedError extends Error {}

/** Reads fields from the beginning of a byte array. */
class Fields {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Number of bytes that have been read. */
  get position(): number {
    return this.#position;
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  bytes(count: number): Uint8Array {
    const end = this.#position + count;
    if (end > this.#bytes.length) throw new MalformedError();
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  /** Reads a number of `size` bytes, most significant byte first. */
  number(size: number): number {
    return this.bytes(size).reduce((value, byte) => value * 256 + byte, 0);
  }
}

/** Returns the body of the only packet (§4.2), which must be a signature and fill the file. */
function packetBody(file: Fields): Uint8Array {
  const tag = file.number(1);
  const isNewFormat = (tag & 0xc0) === 0xc0;
  const isSignature = isNewFormat ? tag === 0xc2 : (tag & 0xfc) === 0x88;
  if (!isSignature) throw new MalformedError();
  const body = file.bytes(isNewFormat ? newLength(file) : oldLength(file, tag & 3));
  if (!file.isAtEnd) throw new MalformedError();
  return body;
}

/** Reads a length in the new format (§4.2.1). Partial lengths are allowed for data only. */
function newLength(file: Fields): number {
  const first = file.number(1);
  if (first < 192) return first;
  if (first < 224) return ((first - 192) << 8) + file.number(1) + 192;
  if (first === 255) return file.number(4);
  throw new MalformedError();
}

/** Reads a length in the old format (§4.2.2). An indeterminate length (type 3) is refused. */
function oldLength(file: Fields, type: number): number {
  if (type === 3) throw new MalformedError();
  return file.number(1 << type);
}

/** Parses the body of a signature packet (§5.2.3). */
function parsePacket(body: Uint8Array): Signature {
  const fields = new Fields(body);
  const version = fields.number(1);
  if (version !== 4 && version !== 6) throw new MalformedError();
  const lengthSize = version === 4 ? 2 : 4;
  const type = fields.number(1);
  const algorithm = fields.number(1);
  const hash = HASHES[fields.number(1)];
  if (type !== BINARY_DOCUMENT || hash === undefined) throw new MalformedError();
  checkSubpackets(fields.bytes(fields.number(lengthSize)));
  const hashedSize = fields.position;
  checkSubpackets(fields.bytes(fields.number(lengthSize)));
  const left = fields.number(2);
  const before = version === 6 ? fields.bytes(fields.number(1)) : new Uint8Array();
  if (version === 6 && before.length !== hash.saltSize) throw new MalformedError();
  checkSignature(fields, algorithm);
  if (!fields.isAtEnd) throw new MalformedError();

  const after = new Uint8Array(hashedSize + 6);
  after.set(body.subarray(0, hashedSize));
  after.set([version, 0xff], hashedSize);
  new DataView(after.buffer).setUint32(hashedSize + 2, hashedSize);
  return { hash: hash.name, before, after, left };
}

/** Checks that subpackets fill their area exactly (§5.2.3.7). Their content is ignored. */
function checkSubpackets(area: Uint8Array): void {
  const fields = new Fields(area);
  while (!fields.isAtEnd) {
    const first = fields.number(1);
    const length = first < 192
      ? first
      : first < 255
      ? ((first - 192) << 8) + fields.number(1) + 192
      : fields.number(4);
    // A subpacket has at least its type.
    if (length === 0) throw new MalformedError();
    fields.bytes(length);
  }
}

/** Checks the length of the signature value. The value itself cannot be checked without the key. */
function checkSignature(fields: Fields, algorithm: number): void {
  const size = FIXED_SIZES[algorithm];
  const numbers = NUMBERS[algorithm];
  if (size !== undefined) {
    fields.bytes(size);
  } else if (numbers !== undefined) {
    // An MPI consists of its length in bits and its bytes (§3.2).
    for (let count = 0; count < numbers; count++) fields.bytes((fields.number(2) + 7) >> 3);
  } else {
    throw new MalformedError();
  }
}

/** Bytes as text with one character for each byte, so that inputs can be stored as JSON. */

import fc from "fast-check";

/** Text in which each character stands for a byte. */
export function byteText(maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ maxLength }).map((bytes) => new TextDecoder("latin1").decode(bytes))
    // A decoder for "latin1" decodes Windows-1252, which has other characters at 0x80 to 0x9f.
    .map((text) => text.replace(/[^\0-\xff]/g, "\x80"));
}

/** The bytes of such a text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

/** Text made of these words and of random text, in any order. */
export function wordText(words: readonly string[], maxLength = 30): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { arbitrary: fc.constantFrom(...words), weight: 6 },
    { arbitrary: fc.string({ maxLength: 6 }), weight: 1 },
    { arbitrary: fc.string({ unit: "binary", maxLength: 4 }), weight: 1 },
  );
  return fc.array(piece, { maxLength }).map((pieces) => pieces.join(""));
}

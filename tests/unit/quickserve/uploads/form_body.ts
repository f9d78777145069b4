/** Builds bodies of forms as browsers and curl send them. */

/** The `Content-Type` of all these bodies, with their boundary. */
export const CONTENT_TYPE = "multipart/form-data; boundary=frontier";

/** Returns a part with a file. */
export function filePart(name: string, content: string, field = "file"): string {
  return `--frontier\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\n` +
    `Content-Type: application/octet-stream\r\n\r\n${content}\r\n`;
}

/** Returns a part with a field. */
export function fieldPart(name: string, value: string): string {
  return `--frontier\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

/** Returns a complete form. */
export function formOf(...parts: string[]): string {
  return `${parts.join("")}--frontier--\r\n`;
}

/** Yields a body in pieces of `size` bytes. */
export function* pieces(text: string, size = 7): Generator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** Yields the first `length` bytes of a body, then fails like a closed connection. */
export function* breakingOff(text: string, length: number): Generator<Uint8Array> {
  yield* pieces(text.slice(0, length));
  throw new Error("the client went away");
}

/** Bodies of forms, byte by byte as a browser or curl would send them. */

/** The boundary of all these bodies. */
export const CONTENT_TYPE = "multipart/form-data; boundary=frontier";

/** A part with a file in it. */
export function filePart(name: string, content: string, field = "file"): string {
  return `--frontier\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\n` +
    `Content-Type: application/octet-stream\r\n\r\n${content}\r\n`;
}

/** A part with a field in it. */
export function fieldPart(name: string, value: string): string {
  return `--frontier\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

/** A whole form. */
export function formOf(...parts: string[]): string {
  return `${parts.join("")}--frontier--\r\n`;
}

/** A body in pieces of `size` bytes. */
export function* pieces(text: string, size = 7): Generator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** A body whose sender goes away after `length` bytes. */
export function* breakingOff(text: string, length: number): Generator<Uint8Array> {
  yield* pieces(text.slice(0, length));
  throw new Error("the client went away");
}

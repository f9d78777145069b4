/** Gives memory back at once. */

/**
 * Gives back the memory of a chunk that nobody looks at any more. Left to the garbage collector, the
 * chunks of one long upload add up to more than 64 MiB before it runs; this keeps them at a few, and
 * is quicker too.
 *
 * A chunk that shares its buffer with others is left alone.
 */
export function release(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && chunk.byteLength === buffer.byteLength) buffer.transfer(0);
}

/**
 * Ends loops of servers that are mirrors of each other, with `Via` (RFC 9110 §7.6.3). Each server adds its
 * name to its requests to mirrors, and sends no requests for a request that contains its name.
 */

const MAX_HOPS = 8;
const MAX_LENGTH = 1024;

/** Returns a random, unique name for this run of this server. */
export function newInstanceName(): string {
  return `pacserve-${crypto.randomUUID()}`;
}

/** Returns the `Via` of a request to a mirror. `incoming` is the `Via` of the request that causes it. */
export function viaWith(incoming: string | undefined, instance: string): string {
  const own = `1.1 ${instance}`;
  return incoming === undefined || incoming === "" ? own : `${incoming}, ${own}`;
}

/** True when a request has passed through this server before. */
export function hasBeenThrough(incoming: string | undefined, instance: string): boolean {
  return incoming?.includes(instance) ?? false;
}

/**
 * True when a request has passed through more servers than anybody would chain on purpose, or when its `Via`
 * is too long or has unusual characters. A mirror might refuse such a `Via`, as if it did not have the file.
 */
export function hasComeFar(incoming: string = ""): boolean {
  return incoming.split(",").length > MAX_HOPS || incoming.length > MAX_LENGTH ||
    !/^[\t\x20-\x7e]*$/.test(incoming);
}

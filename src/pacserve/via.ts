/**
 * Breaks loops of servers that name each other as mirrors, by `Via` (RFC 9110 §7.6.3): each server
 * adds a name of its own to what it asks of a mirror, and does not look elsewhere for a request that
 * has its name in it.
 */

const MAX_HOPS = 8;
const MAX_LENGTH = 1024;

/** A name for this run of this server, as unlikely to be another's as a random number can be. */
export function newInstanceName(): string {
  return `pacserve-${crypto.randomUUID()}`;
}

/** `Via` for a request that is made on behalf of one that came with `incoming`. */
export function viaWith(incoming: string | undefined, instance: string): string {
  const own = `1.1 ${instance}`;
  return incoming === undefined || incoming === "" ? own : `${incoming}, ${own}`;
}

/** True when a request has been through this server. */
export function hasBeenThrough(incoming: string | undefined, instance: string): boolean {
  return incoming?.includes(instance) ?? false;
}

/**
 * True when a request has been through more servers than stand in a row on purpose, or says so in a
 * way that a mirror might refuse: its refusal would look as if it had no file.
 */
export function hasComeFar(incoming: string = ""): boolean {
  return incoming.split(",").length > MAX_HOPS || incoming.length > MAX_LENGTH ||
    !/^[\t\x20-\x7e]*$/.test(incoming);
}

/**
 * The worker's entry for configurations that use more than most: filters, uploads or archives.
 *
 * What a worker imports later must be known when it starts, because it may load no other code. What is
 * known is read then and stays in memory, so this entry is only for those that need it.
 */

import "./worker.ts";

/** What may be imported later. Nobody calls these: it is enough that they stand here. */
export const EXTRAS: readonly (() => Promise<unknown>)[] = [
  () => import("../quickserve/filters.ts"),
  () => import("re2js"),
  () => import("@fastify/busboy"),
  () => import("../quickserve/archive/compress.ts"),
  () => import("client-zip"),
  () => import("modern-tar"),
];

/** The assertions of Deno's standard library, with their types (see `src/std.ts`). */

import * as untyped from "@std/assert";

type ErrorClass<E extends Error> = new (...parameters: never[]) => E;

/** Fails unless `condition` is truthy. */
export function assert(condition: unknown, message?: string): asserts condition {
  untyped.assert(condition, message);
}

/** Fails unless the two values are deeply equal. */
export const assertEquals: <T>(actual: T, expected: T, message?: string) => void =
  untyped.assertEquals;

/** Fails if the two values are deeply equal. */
export const assertNotEquals: <T>(actual: T, expected: T, message?: string) => void =
  untyped.assertNotEquals;

/** Fails unless `actual` contains `expected`. */
export const assertStringIncludes: (actual: string, expected: string, message?: string) => void =
  untyped.assertStringIncludes;

/** Fails unless `actual` matches. */
export const assertMatch: (actual: string, expected: RegExp, message?: string) => void =
  untyped.assertMatch;

/** Fails unless the call throws; returns the error. */
export const assertThrows: <E extends Error>(
  call: () => unknown,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
) => E = untyped.assertThrows;

/** Fails unless the promise rejects; resolves to the error. */
export const assertRejects: <E extends Error>(
  call: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
) => Promise<E> = untyped.assertRejects;

/** Targets of the fuzzer: a target generates inputs, and checks a property of each input. */

import fc from "fast-check";

/** Options for running a target. */
export interface RunOptions {
  readonly seed: number;
  /** When to stop, in milliseconds from now. */
  readonly milliseconds: number;
  /** Inputs of the corpus, which are tried first. */
  readonly examples: readonly unknown[];
  /** The path of a failing case, from the output of an earlier run, to try only this; null for none. */
  readonly path: string | null;
}

/** The result of a run. */
export interface RunResult {
  /** Number of inputs that were tried. */
  readonly inputs: number;
  readonly failure: RunFailure | null;
}

/** An input for which the property failed. */
export interface RunFailure {
  /** The smallest such input that was found. */
  readonly input: unknown;
  readonly path: string;
  readonly error: string;
}

/** A target. Its inputs are plain data, so that the corpus can store them as JSON. */
export interface FuzzTarget {
  readonly name: string;
  readonly run: (options: RunOptions) => Promise<RunResult>;
}

/** A resource that a target needs while it runs, such as a directory or a listener. */
export interface Fixture<F> {
  readonly open: () => Promise<F>;
  readonly close: (fixture: F) => Promise<void>;
}

/**
 * Makes a target from a property of pure functions.
 *
 * @param holds throws when the property does not hold for an input.
 */
export function target<T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  holds: (input: T) => void | Promise<void>,
): FuzzTarget {
  const nothing = { open: () => Promise.resolve(null), close: () => Promise.resolve() };
  return targetWith(name, nothing, arbitrary, holds);
}

/** Makes a target from a property that needs a fixture, which is opened once for each run. */
export function targetWith<T, F>(
  name: string,
  fixture: Fixture<F>,
  arbitrary: fc.Arbitrary<T>,
  holds: (input: T, fixture: F) => void | Promise<void>,
): FuzzTarget {
  const run = async (options: RunOptions): Promise<RunResult> => {
    const opened = await fixture.open();
    try {
      const property = fc.asyncProperty(arbitrary, async (input) => await holds(input, opened));
      const details = await fc.check(property, {
        seed: options.seed,
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: options.milliseconds,
        markInterruptAsFailure: false,
        examples: options.examples.map((example) => [example as T]),
        ...(options.path === null ? {} : { path: options.path }),
      });
      return { inputs: details.numRuns, failure: failureOf(details) };
    } finally {
      await fixture.close(opened);
    }
  };
  return { name, run };
}

function failureOf<T>(details: fc.RunDetails<[T]>): RunFailure | null {
  if (!details.failed || details.counterexample === null) return null;
  const { errorInstance } = details;
  return {
    input: details.counterexample[0],
    path: details.counterexamplePath ?? "",
    error: errorInstance instanceof Error
      ? errorInstance.stack ?? errorInstance.message
      : String(errorInstance),
  };
}

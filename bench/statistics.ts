/** Statistics of samples from several rounds. */

/** Median and spread of samples. */
export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  /** The number of samples. */
  readonly samples: number;
}

/**
 * Summarizes samples.
 *
 * @throws {RangeError} when there are none.
 */
export function summarize(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((one, other) => one - other);
  const least = sorted[0];
  const greatest = sorted.at(-1);
  if (least === undefined || greatest === undefined) throw new RangeError("no samples");
  return { median: middle(sorted), least, greatest, samples: sorted.length };
}

/** The median of samples. */
export function median(samples: readonly number[]): number {
  return summarize(samples).median;
}

/**
 * The ratios of our samples to theirs, round by round. A disturbance in a round affects both of its
 * samples, so these ratios are more exact than the ratio of the medians.
 */
export function ratios(ours: readonly number[], theirs: readonly number[]): Summary {
  return summarize(ours.map((sample, round) => sample / (theirs[round] ?? NaN)));
}

function middle(sorted: readonly number[]): number {
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  return (lower + upper) / 2;
}

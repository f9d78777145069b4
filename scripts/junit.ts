/** Counts the results of `deno test` in a report in JUnit's format. */

/** How many tests passed and failed. */
export interface Count {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Counts the test cases of a report. A skipped one neither passed nor failed.
 *
 * `countReport('<testcase name="a"></testcase>')` is `{ passed: 1, failed: 0 }`.
 */
export function countReport(report: string): Count {
  let passed = 0;
  let failed = 0;
  for (const [, element = ""] of report.matchAll(/<testcase\b([^]*?)(?:\/>|<\/testcase>)/g)) {
    if (/<(failure|error)\b/.test(element)) failed++;
    else if (!/<skipped\b/.test(element)) passed++;
  }
  return { passed, failed };
}

/** The sum of two counts. */
export function add(one: Count, other: Count): Count {
  return { passed: one.passed + other.passed, failed: one.failed + other.failed };
}

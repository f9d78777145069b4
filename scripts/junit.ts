/** Counts the results of `deno test` in a report in JUnit's format. */

/** A test that failed. */
export interface FailedTest {
  /** The path of its file below the project, such as `tests/lan/ipv6_test.ts`. */
  readonly file: string;
  readonly name: string;
  /** The first line of its error. */
  readonly error: string;
}

/** How many tests passed, and which failed. */
export interface Count {
  readonly passed: number;
  readonly failed: readonly FailedTest[];
  /** Tests that failed, and passed when their files ran again. They are among those that passed. */
  readonly unstable: readonly FailedTest[];
}

/** The count of nothing. */
export const NOTHING: Count = { passed: 0, failed: [], unstable: [] };

/** The greatest length of an error. */
const MAX_ERROR = 300;

/**
 * Counts the test cases of a report. A skipped one neither passed nor failed.
 *
 * `countReport('<testcase name="a"></testcase>')` is `{ passed: 1, failed: [], unstable: [] }`.
 */
export function countReport(report: string): Count {
  let passed = 0;
  const failed: FailedTest[] = [];
  for (const [, element = ""] of report.matchAll(/<testcase\b([^]*?)(?:\/>|<\/testcase>)/g)) {
    if (/<(failure|error)\b/.test(element)) {
      const [head = "", body = ""] = element.split(/<(?:failure|error)\b/);
      failed.push({
        file: attribute(head, "classname").replace(/^\.\//, ""),
        name: attribute(head, "name"),
        error: attribute(body, "message").split("\n", 1).join().slice(0, MAX_ERROR),
      });
    } else if (!/<skipped\b/.test(element)) passed++;
  }
  return { passed, failed, unstable: [] };
}

/** The value of an attribute of XML, empty if it is missing. */
function attribute(element: string, name: string): string {
  const value = new RegExp(` ${name}="([^"]*)"`).exec(element)?.[1] ?? "";
  const entities = new Map([["amp", "&"], ["apos", "'"], ["gt", ">"], ["lt", "<"], ["quot", '"']]);
  return value.replace(/&(\w+);/g, (whole, entity: string) => entities.get(entity) ?? whole);
}

/** The sum of two counts. */
export function add(one: Count, other: Count): Count {
  return {
    passed: one.passed + other.passed,
    failed: [...one.failed, ...other.failed],
    unstable: [...one.unstable, ...other.unstable],
  };
}

/**
 * The result of two runs.
 *
 * @param first the count of a run with failures.
 * @param second the count of a run of the files with failures.
 */
export function afterSecondRun(first: Count, second: Count): Count {
  const failedAgain = (test: FailedTest): boolean =>
    second.failed.some(({ file, name }) => file === test.file && name === test.name);
  const unstable = first.failed.filter((test) => !failedAgain(test));
  const all = first.passed + first.failed.length;
  return { passed: all - second.failed.length, failed: second.failed, unstable };
}

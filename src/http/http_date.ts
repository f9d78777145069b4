/** Dates in header fields (RFC 9110 §5.6.7). */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const imfFixdate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const rfc850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const asctime =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/** Formats a time (milliseconds since 1970) as `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function formatHttpDate(time: number): string {
  return new Date(time).toUTCString();
}

/**
 * Parses a date in any of the three forms of RFC 9110.
 *
 * @param now milliseconds since 1970; a year of two digits is at most 50 years after it.
 * @returns milliseconds since 1970, or null when malformed: the caller then ignores the field.
 */
export function parseHttpDate(text: string, now: number): number | null {
  const fixed = imfFixdate.exec(text);
  if (fixed !== null) {
    const [, day, month, year, ...clock] = fixed;
    return toTime(Number(year), month, day, clock);
  }
  const old = rfc850.exec(text);
  if (old !== null) {
    const [, day, month, shortYear, ...clock] = old;
    const thisYear = new Date(now).getUTCFullYear();
    const year = thisYear - thisYear % 100 + Number(shortYear);
    return toTime(year > thisYear + 50 ? year - 100 : year, month, day, clock);
  }
  const classic = asctime.exec(text);
  if (classic === null) return null;
  const [, month, day, hour, minute, second, year] = classic;
  return toTime(Number(year), month, day, [hour, minute, second]);
}

function toTime(
  year: number,
  monthName: string | undefined,
  day: string | undefined,
  clock: readonly (string | undefined)[],
): number | null {
  const month = months.indexOf(monthName ?? "");
  const [hour, minute, second] = clock.map(Number);
  const time = Date.UTC(year, month, Number(day), hour, minute, second);
  const date = new Date(time);
  // `Date.UTC` turns a day or hour that does not exist, such as 31 June, into a later one.
  const exists = month >= 0 && date.getUTCDate() === Number(day) && date.getUTCHours() === hour;
  return exists ? time : null;
}

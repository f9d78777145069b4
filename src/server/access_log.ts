/** The access log: a line for each request, in the style of the combined log format. */

import type { FinishedExchange } from "../http/listener.ts";
import { printable, shortened } from "./log.ts";

/** The most characters of the request target that are logged. */
const MAX_REQUEST = 2048;

/** The most characters that are logged of the user's name, the referrer and the user agent. */
const MAX_FIELD = 512;

/**
 * A line of the access log. It begins with the fields of the combined log format: address, user, time,
 * request, status, bytes of the body, referrer and user agent; very long ones are shortened. Then
 * follow the duration in seconds, the source of the file, and `aborted` for an incomplete transfer.
 */
export function accessLogLine(exchange: FinishedExchange): string {
  const { request, reply, bytesSent, durationMs, aborted } = exchange;
  const user = reply.user === undefined
    ? "-"
    : quoted(reply.user.replaceAll(" ", "\\x20"), MAX_FIELD);
  const target = quoted(request.target, MAX_REQUEST);
  const referrer = quoted(request.headers["referer"] ?? "-", MAX_FIELD);
  const client = quoted(request.headers["user-agent"] ?? "-", MAX_FIELD);
  const source = reply.source === undefined ? "" : ` ${printable(reply.source)}`;
  return `${request.connection.remoteAddress} - ${user} [${logTime(new Date())}] ` +
    `"${request.method} ${target} HTTP/1.1" ${reply.status} ${bytesSent} ` +
    `"${referrer}" "${client}" ${(durationMs / 1000).toFixed(3)}s${source}` +
    (aborted ? " aborted" : "");
}

// deno-lint-ignore no-control-regex -- this expression must match control characters
const NOT_PLAIN = /[\x00-\x1f"\x7f-\x9f]/;

/** A text whose control characters and quotation marks are escaped, shortened to `length`. */
function quoted(text: string, length: number): string {
  // Nearly all texts are like this.
  if (text.length <= length && !NOT_PLAIN.test(text)) return text;
  return shortened(printable(text.slice(0, length + 1)).replaceAll('"', "\\x22"), length);
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
let lastSecond = 0;
let lastText = "";

/** The time as `22/Nov/2026:21:31:00 +0000`. The text is reused within the same second. */
function logTime(now: Date): string {
  const second = Math.floor(now.getTime() / 1000);
  if (second === lastSecond) return lastText;
  const two = (number: number): string => String(number).padStart(2, "0");
  const offset = -now.getTimezoneOffset();
  const zone = (offset < 0 ? "-" : "+") + two(Math.floor(Math.abs(offset) / 60)) +
    two(Math.abs(offset) % 60);
  const date = `${two(now.getDate())}/${MONTHS[now.getMonth()]}/${now.getFullYear()}`;
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(":");
  lastSecond = second;
  lastText = `${date}:${time} ${zone}`;
  return lastText;
}

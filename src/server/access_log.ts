/** One line a request, in the style of the combined log format. */

import type { FinishedExchange } from "../http/listener.ts";
import { printable } from "./log.ts";

/**
 * The line of the access log: address, user, time, request, status, bytes of the body, referrer and
 * client as in the combined log format; then the duration in seconds, where the answer came from,
 * and `aborted` where it broke off.
 */
export function accessLogLine(exchange: FinishedExchange, now: Date = new Date()): string {
  const { request, reply, bytesSent, durationMs, aborted } = exchange;
  const fields = [
    request.connection.remoteAddress,
    "-",
    reply.user === undefined ? "-" : printable(reply.user).replaceAll(" ", "\\x20"),
    `[${logTime(now)}]`,
    quoted(`${request.method} ${request.target} HTTP/1.1`),
    String(reply.status),
    String(bytesSent),
    quoted(request.headers["referer"] ?? "-"),
    quoted(request.headers["user-agent"] ?? "-"),
    `${(durationMs / 1000).toFixed(3)}s`,
  ];
  if (reply.source !== undefined) fields.push(reply.source);
  if (aborted) fields.push("aborted");
  return fields.join(" ");
}

function quoted(text: string): string {
  return `"${printable(text).replaceAll('"', "\\x22")}"`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
let lastSecond = 0;
let lastText = "";

/** `22/Nov/2026:21:31:00 +0000`, made once a second. */
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

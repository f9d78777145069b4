/** Parses the file of `--authfile`, in which a line with a user name and one with its password alternate. */

import { Failure } from "../failure.ts";
import type { User } from "./configuration.ts";

/**
 * Parses the text of the file. Lines end in LF or CRLF. Spaces are not trimmed, because a password may
 * begin or end with a space. Empty lines at the end of the file are ignored.
 *
 * @param path the file's name, for messages
 * @throws {Failure} when there is no user at all, a name without a password, an empty name or password,
 * a name with a colon or a control character in it, or a name that occurs twice. The message names the
 * line, and never contains a password.
 */
export function parseAuthFile(text: string, path: string): User[] {
  const lines = text.replace(/^\uFEFF/, "").split("\n").map((line) => line.replace(/\r$/, ""));
  while (lines.at(-1) === "") lines.pop();
  const users: User[] = [];
  const lineOf = new Map<string, number>();
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index] ?? "";
    const password = lines[index + 1];
    const problem = nameProblem(name);
    if (problem !== null) throw new Failure(`${path}:${index + 1}: ${problem}`);
    const earlier = lineOf.get(name);
    if (earlier !== undefined) {
      const message = `the user "${name}" is already defined in line ${earlier}`;
      throw new Failure(`${path}:${index + 1}: ${message}`);
    }
    if (password === undefined || password === "") {
      throw new Failure(`${path}:${index + 2}: the password of "${name}" is missing`);
    }
    lineOf.set(name, index + 1);
    users.push({ name, password });
  }
  // With no users no login would be needed, but the user of `--authfile` wants one.
  if (users.length === 0) throw new Failure(`${path}:1: there is no user in this file`);
  return users;
}

/** What is wrong with a user name, in a sentence; null when the name is valid. */
export function nameProblem(name: string): string | null {
  if (name === "") return "a user name is empty";
  // The name and the realm are hashed with a colon between them: with one in the name, two different
  // pairs would have the same hash (RFC 7616 §3.4.2, RFC 7617 §2).
  if (name.includes(":")) return `the user name "${name}" has a colon in it`;
  if (/\p{Cc}/u.test(name)) return "a user name has a control character in it";
  return null;
}

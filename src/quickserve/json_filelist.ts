/** Filelists in JSON: `{"pkg": ["/srv/a", "/srv/b"], "notes/today.txt": "/home/alice/today.txt"}`. */

import { parse } from "@humanwhocodes/momoa";
import type { MemberNode, ValueNode } from "@humanwhocodes/momoa";
import { Failure, messageOf } from "../failure.ts";
import type { Share } from "./configuration.ts";
import { resolveLocalPath } from "./local_path.ts";
import { isFileName } from "./visibility.ts";

/** A position in the list, both counted from one. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Reads a filelist in JSON: an object from server paths to a file or a list of directories.
 *
 * The parser keeps positions, and both of two equal keys, which `JSON.parse` does not.
 *
 * @param file name of the list, for errors.
 * @param base absolute; relative paths are relative to it.
 * @throws {Failure} that names file, line and column of the first mistake.
 */
export function parseJsonFilelist(text: string, file: string, base: string): Share[] {
  const root = parseText(text, file);
  if (root.type !== "Object") {
    throw mistake(file, root.loc.start, "a JSON filelist is an object from server paths to files");
  }
  const seen = new Set<string>();
  return root.members.map((member) => {
    const share = toShare(member, file, base);
    if (seen.has(share.path)) {
      throw mistake(file, member.loc.start, `"/${share.path}" is there twice`);
    }
    seen.add(share.path);
    return share;
  });
}

function toShare({ name, value }: MemberNode, file: string, base: string): Share {
  const key = name.type === "String" ? name.value : name.name;
  const segments = key.split("/").filter((segment) => segment !== "");
  const wrong = segments.find((segment) => !isFileName(segment) || !segment.isWellFormed());
  if (wrong !== undefined) {
    throw mistake(file, name.loc.start, `"${wrong}" can be no name on the server`);
  }
  const path = segments.join("/");
  const nodes = value.type === "Array" ? value.elements.map((element) => element.value) : [value];
  const sources = nodes.map((node) => {
    if (node.type !== "String") {
      throw mistake(
        file,
        node.loc.start,
        `"/${path}" has to be a path or a list of paths; this is no string`,
      );
    }
    return resolveLocalPath(node.value, base, `${file}:${write(node.loc.start)}: `);
  });
  return { path, sources, packageCache: false };
}

function parseText(text: string, file: string): ValueNode {
  try {
    return parse(text, { mode: "json" }).body;
  } catch (error) {
    if (error instanceof RangeError) throw new Failure(`${file}: this is nested too deeply`);
    const reason = messageOf(error).replace(/\.?\s*\(\d+:\d+\)$/, "");
    throw mistake(file, positionOf(error), `this is not valid JSON: ${reason}`);
  }
}

function positionOf(error: unknown): Position {
  const { line, column } = Object(error) as Record<string, unknown>;
  return { line: Number(line ?? 1), column: Number(column ?? 1) };
}

function mistake(file: string, position: Position, message: string): Failure {
  return new Failure(`${file}:${write(position)}: ${message}`);
}

function write({ line, column }: Position): string {
  return `${line}:${column}`;
}

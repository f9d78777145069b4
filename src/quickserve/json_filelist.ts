/** Filelists in JSON: `{"pkg": ["/srv/a", "/srv/b"], "notes/today.txt": "/home/alice/today.txt"}`. */

import { type MemberNode, parse, type ValueNode } from "@humanwhocodes/momoa";
import { Failure } from "../failure.ts";
import type { Share } from "./configuration.ts";
import { resolveLocalPath } from "./local_path.ts";
import { isFileName } from "./visibility.ts";

/** A position in the list; line and column are counted from one. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Reads a filelist in JSON: an object that maps server paths to a file or a list of directories. Comments
 * are not allowed (RFC 8259).
 *
 * `JSON.parse` is not used, because it reports no positions and drops the first of two equal keys.
 *
 * @param file name of the list, for errors.
 * @param base the absolute directory to which relative paths are relative.
 * @throws {Failure} with file, line and column of the first mistake.
 */
export function parseJsonFilelist(text: string, file: string, base: string): Share[] {
  const begin = text.search(/\S|$/);
  const root = text[begin] === "{" ? parseDocument(text, file) : null;
  if (root?.type !== "Object") {
    const shape = 'it has to begin with {, as in {"name": "/path"}';
    throw mistake(file, positionAt(text, begin), `this is not a JSON filelist: ${shape}`);
  }
  const seen = new Set<string>();
  return root.members.map((member) => {
    const share = toShare(member, file, base);
    if (seen.has(share.path)) {
      throw mistake(file, member.loc.start, `"/${share.path}" is listed twice`);
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
    throw mistake(file, name.loc.start, `"${wrong}" cannot be a name on the server`);
  }
  const path = segments.join("/");
  const nodes = value.type === "Array" ? value.elements.map((element) => element.value) : [value];
  const sources = nodes.map((node) => {
    if (node.type !== "String") {
      throw mistake(
        file,
        node.loc.start,
        `"/${path}" has to be a path or a list of paths; this is not a string`,
      );
    }
    return resolveLocalPath(node.value, base, `${file}:${positionText(node.loc.start)}: `);
  });
  return { path, sources, packageCache: false };
}

function parseDocument(text: string, file: string): ValueNode {
  try {
    return parse(text, { mode: "json" }).body;
  } catch (error) {
    if (error instanceof RangeError) throw new Failure(`${file}: this is nested too deeply`);
    // The parser's message names its internal tokens: use only its offset.
    const { offset } = Object(error) as Record<string, unknown>;
    const at = Number(offset ?? 0);
    throw mistake(file, positionAt(text, at), `this is not valid JSON: ${mistakeAt(text, at)}`);
  }
}

/** Describes the mistake at the offset where the parser failed, in plain words. */
function mistakeAt(text: string, offset: number): string {
  const code = text.codePointAt(offset);
  if (code === undefined) return "the file ends too early";
  const found = String.fromCodePoint(code);
  const before = text.slice(0, offset).trimEnd().at(-1) ?? "";
  if (found === "/" || found === "#") return "comments are not allowed";
  if (found === "\\") return "write a backslash in a string twice";
  if (before === "," && /[}\]]/.test(found)) return `remove the comma before ${found}`;
  if (found === '"' && /["}\]\w]/.test(before)) return "a comma or a colon is missing before this";
  if (/[{[,:]/.test(before) && /[\p{L}'`]/u.test(found)) {
    return "put names and paths in double quotes";
  }
  return `${JSON.stringify(found)} is not expected here`;
}

function positionAt(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split(/\r\n|[\r\n]/);
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}

function mistake(file: string, position: Position, message: string): Failure {
  return new Failure(`${file}:${positionText(position)}: ${message}`);
}

function positionText({ line, column }: Position): string {
  return `${line}:${column}`;
}

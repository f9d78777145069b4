/** Parses the `Authorization` field (RFC 9110 §11.4, §5.6). */

/** Length of the longest field that is parsed, in characters. */
const MAX_LENGTH = 8192;

const SCHEME = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: +|$)/;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const EQUALS = /[ \t]*=[ \t]*/y;
const QUOTED = /"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\uffff]|\\[\t \x21-\x7e\x80-\uffff])*)"/y;
const SEPARATOR = /[ \t]*(?:,[ \t]*)+/y;
const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/;

/** An `Authorization` field after parsing. */
interface Credentials {
  /** In lower case: `digest`. */
  readonly scheme: string;
  /** The token68 after the scheme, as in a `Basic` field; null when parameters follow instead. */
  readonly token: string | null;
  /** Parameters by their name in lower case, unquoted. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Parses an `Authorization` field.
 *
 * `Digest username="a\"b", nc=00000001` has the parameters `username` → `a"b` and `nc` → `00000001`.
 *
 * @returns null when it is malformed or too long, or has a parameter twice.
 */
export function parseAuthorization(field: string): Credentials | null {
  if (field.length > MAX_LENGTH) return null;
  const text = field.trim();
  const match = SCHEME.exec(text);
  if (match === null) return null;
  const scheme = (match[1] ?? "").toLowerCase();
  const rest = text.slice(match[0].length);
  if (TOKEN68.test(rest)) return { scheme, token: rest, parameters: new Map() };
  const parameters = parseParameters(rest);
  return parameters === null ? null : { scheme, token: null, parameters };
}

/** Parses a list of parameters, empty elements allowed (RFC 9110 §5.6.1); null when malformed. */
function parseParameters(text: string): Map<string, string> | null {
  const parameters = new Map<string, string>();
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  take(SEPARATOR);
  while (at < text.length) {
    const name = take(TOKEN)?.[0].toLowerCase();
    if (name === undefined || take(EQUALS) === null) return null;
    const quoted = take(QUOTED)?.[1];
    const value = quoted === undefined ? take(TOKEN)?.[0] : quoted.replace(/\\(.)/g, "$1");
    if (value === undefined || parameters.has(name)) return null;
    parameters.set(name, value);
    if (at < text.length && take(SEPARATOR) === null) return null;
  }
  return parameters;
}

/** Writes a quoted-string (RFC 9110 §5.6.4). */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/**
 * Decodes the value of a field, in which each character stands for one byte. Clients that follow
 * `charset=UTF-8` send UTF-8. If the bytes are not valid UTF-8, they are taken for ISO 8859-1, which
 * some clients send.
 */
export function fieldText(value: string): string {
  const bytes = new Uint8Array(value.length);
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code > 0xff) return value;
    bytes[index] = code;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return value;
  }
}

/**
 * Decodes an extended value (RFC 8187 §3.2), such as `UTF-8''J%C3%A4s%C3%B8n%20Doe`; null when it is
 * malformed or not in UTF-8.
 */
export function extendedValue(value: string): string | null {
  const match = /^utf-8'[A-Za-z0-9-]*'((?:[!#$&+\-.^_`|~0-9A-Za-z]|%[0-9A-Fa-f]{2})*)$/i.exec(
    value,
  );
  if (match === null) return null;
  try {
    return decodeURIComponent(match[1] ?? "");
  } catch {
    return null;
  }
}

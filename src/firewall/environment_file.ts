/**
 * Parses a systemd `EnvironmentFile` as systemd.exec(5) describes and as `env-file.c` does since
 * systemd 254, so that our command and the service get the same values from the same file.
 */

/** The state of the parser. */
type State = "key" | "comment" | "before value" | "plain" | "single" | "double";

/** Characters that a backslash escapes between double quotes (POSIX shell). */
const ESCAPED_IN_DOUBLE_QUOTES = '"\\`$';

/** Valid names of variables; systemd ignores assignments to other names. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Parses the assignments of a file. If a name is assigned twice, the last value counts.
 *
 * `#` and `;` begin a comment only at the beginning of a line. A comment ends with its line, even
 * after a backslash. A value may be in single or double quotes, or in several such pieces. A backslash
 * at the end of a line continues the line. Elsewhere it is removed and the character after it stays;
 * but inside single quotes, and inside double quotes before other characters than
 * {@link ESCAPED_IN_DOUBLE_QUOTES}, the backslash stays too.
 */
export function parseEnvironmentFile(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let state: State = "key";
  let key = "";
  let value = "";
  /** Length of an unquoted value without the spaces at its end. */
  let solid = 0;

  const finish = (): void => {
    if (state === "plain") value = value.slice(0, solid);
    if (state !== "key" && state !== "comment" && NAME.test(key.trim())) {
      values.set(key.trim(), value);
    }
    [state, key, value, solid] = ["key", "", "", 0];
  };

  const characters = text.replaceAll("\r\n", "\n");
  for (let index = 0; index < characters.length; index++) {
    const character = characters.charAt(index);
    const next = characters.charAt(index + 1);
    switch (state) {
      case "key":
        if (character === "\n") finish();
        else if (key.trim() === "" && (character === "#" || character === ";")) state = "comment";
        else if (character === "=") state = "before value";
        else key += character;
        break;
      case "comment":
        if (character === "\n") finish();
        break;
      case "before value":
        if (character === "\n") finish();
        else if (character === "'") state = "single";
        else if (character === '"') state = "double";
        else if (/\s/.test(character)) break;
        else {
          state = "plain";
          index--;
        }
        break;
      case "plain":
        if (character === "\n") finish();
        else if (character === "\\") {
          index++;
          if (next !== "\n") value += next;
          solid = value.length;
        } else {
          value += character;
          if (!/\s/.test(character)) solid = value.length;
        }
        break;
      case "single":
        if (character === "'") state = "before value";
        else value += character;
        break;
      case "double":
        if (character === '"') state = "before value";
        else if (character !== "\\") value += character;
        else if (next === "\n") index++;
        else if (next !== "" && ESCAPED_IN_DOUBLE_QUOTES.includes(next)) {
          value += next;
          index++;
        } else value += character;
        break;
    }
  }
  finish();
  return values;
}

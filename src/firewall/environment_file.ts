/**
 * The values in a systemd `EnvironmentFile`, read as systemd.exec(5) describes and `env-file.c` does
 * it since systemd 254, so that a service and a command that read the same file find the same in it.
 */

/** What the reader is in the middle of. */
type State = "key" | "comment" | "before value" | "plain" | "single" | "double";

/** Characters that a backslash takes the meaning from between double quotes (POSIX shell). */
const ESCAPED_IN_DOUBLE_QUOTES = '"\\`$';

/** What systemd accepts as the name of a variable; assignments to anything else are ignored. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads the assignments of a file, the last one to a name winning.
 *
 * `#` and `;` begin a comment at the begin of a line only; it ends with the line, whatever its last
 * character is. A value may stand in single or double quotes, or in several such pieces; a backslash
 * at the end of a line continues it; otherwise a backslash stands for the character behind it, and
 * inside of single quotes for itself.
 */
export function parseEnvironmentFile(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let state: State = "key";
  let key = "";
  let value = "";
  /** Length of a plain value without the space at its end. */
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

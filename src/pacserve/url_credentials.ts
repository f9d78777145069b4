/** Reads the user and the password in a URL. */

/** Returns the value of `Authorization` for the credentials in a URL; null when it has none. */
export function basicAuthorization({ username, password }: URL): string | null {
  if (username === "" && password === "") return null;
  const text = `${decodeLeniently(username)}:${decodeLeniently(password)}`;
  return `Basic ${new TextEncoder().encode(text).toBase64()}`;
}

function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The password has a `%` that does not begin an escape. curl sends it unchanged.
    return text;
  }
}

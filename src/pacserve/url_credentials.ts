/** The user and the password in an address. */

/** The value of `Authorization` for the credentials in an address; null where it has none. */
export function basicAuthorization({ username, password }: URL): string | null {
  if (username === "" && password === "") return null;
  const text = `${decodeLeniently(username)}:${decodeLeniently(password)}`;
  return `Basic ${new TextEncoder().encode(text).toBase64()}`;
}

function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A password with a lone `%`, which curl takes as it is.
    return text;
  }
}

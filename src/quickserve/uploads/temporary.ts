/** The names that uploads bear until they are complete. */

const PATTERN = /^\.pacserve-upload-[0-9a-f]{24}\.part$/;

/** A name for an upload that has just begun. It lies in the directory where the file will end up. */
export function temporaryName(): string {
  // 24 hexadecimal digits.
  return `.pacserve-upload-${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}.part`;
}

/**
 * True for the name of an upload that is not complete. Such a file is never visible on the server,
 * also with `--show-hidden`, and no client may upload under such a name.
 */
export function isUploadTemporary(name: string): boolean {
  return PATTERN.test(name);
}

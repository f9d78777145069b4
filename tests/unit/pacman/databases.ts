/** Sync databases for tests: those of the real repo-add, and others written entry by entry. */

import { createTarPacker, type TarHeader } from "modern-tar";
import { shell } from "../../scratch.ts";

/**
 * Makes a package and adds it to a database with the real repo-add.
 *
 * @param archive file name of the database, whose extension selects the compression: `core.db.tar.zst`.
 * @returns the name of the package's file, which is next to the database.
 */
export function addPackage(
  directory: string,
  archive: string,
  name: string,
  content = name,
): string {
  const file = `${name}-1:1.0+r2-1-any.pkg.tar.zst`;
  shell(
    directory,
    `mkdir made && cd made
printf '%s\\n' 'pkgname = ${name}' 'pkgbase = ${name}' 'pkgver = 1:1.0+r2-1' 'pkgdesc = for a test' \\
  'builddate = 1' 'packager = Packager' 'size = 1' 'arch = any' > .PKGINFO
echo '${content}' > data
bsdtar -cf - .PKGINFO data | zstd -q > '../${file}'
cd .. && rm -r made
repo-add -q '${archive}' '${file}'`,
  );
  return file;
}

/** An entry of an archive that is made without repo-add. */
export interface Entry {
  readonly name: string;
  readonly content: string;
  readonly type?: TarHeader["type"];
}

/** A description with these values. */
export function description(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values).map(([key, value]) => `%${key}%\n${value}\n\n`).join("");
}

/** The description of a package whose digest consists of 32 equal bytes. */
export function packageEntry(name: string, size: number, digestByte = 7): Entry {
  const sha256 = digestByte.toString(16).padStart(2, "0").repeat(32);
  const content = description({ FILENAME: name, CSIZE: size, SHA256SUM: sha256 });
  return { name: `${name}/desc`, content };
}

/** A tar archive with these entries, as a stream. */
export function archive(entries: Iterable<Entry>): ReadableStream<Uint8Array> {
  const { readable, controller } = createTarPacker();
  void writeAll(entries, controller).catch(() => {});
  return readable;
}

async function writeAll(
  entries: Iterable<Entry>,
  controller: ReturnType<typeof createTarPacker>["controller"],
): Promise<void> {
  for (const { name, content, type = "file" } of entries) {
    const bytes = new TextEncoder().encode(content);
    const size = type === "file" ? bytes.length : 0;
    const entry = controller.add({
      name,
      size,
      type,
      ...(type === "symlink" ? { linkname: "x" } : {}),
    });
    const writer = entry.getWriter();
    if (size > 0) await writer.write(bytes);
    await writer.close();
  }
  controller.finalize();
}

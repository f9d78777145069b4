/** Chooses the icon of an entry: the name of a class in the style sheet. */

import type { Entry } from "../shared.ts";

/** An icon of the style sheet. */
type Icon =
  | "directory"
  | "file"
  | "package"
  | "signature"
  | "archive"
  | "image"
  | "audio"
  | "video"
  | "text"
  | "code"
  | "document";

const extensions: Readonly<Record<Exclude<Icon, "directory" | "file" | "package">, string>> = {
  signature: "sig asc pgp gpg sha1 sha256 sha512 md5 b2",
  archive: "7z bz2 cab cpio db deb files gz img iso lz4 rar rpm tar tbz tgz txz xz zip zst",
  image: "avif bmp gif heic ico jpeg jpg jxl png psd svg tif tiff webp xcf",
  audio: "aac aiff flac m4a mid mka mp3 oga ogg opus wav wma",
  video: "3gp avi flv m4v mkv mov mp4 mpeg mpg ogv ts webm wmv",
  text: "adoc cfg conf csv diff ini log md nfo patch rst srt tex tsv txt",
  code:
    "bash c cc cpp css go h hs html java js json jsx kt lua php pl py rb rs sh sql swift toml " +
    "tsx vim xml yaml yml zig zsh",
  document: "doc docx epub mobi odp ods odt pdf ppt pptx ps rtf xls xlsx",
};

const byExtension: ReadonlyMap<string, Icon> = new Map(
  Object.entries(extensions).flatMap(([icon, list]) =>
    list.split(" ").map((extension): [string, Icon] => [extension, icon as Icon])
  ),
);

/** Returns the icon of an entry, from its kind and the extension of its name. */
export function iconOf({ kind, name }: Pick<Entry, "kind" | "name">): Icon {
  if (kind === "directory") return "directory";
  const dot = name.lastIndexOf(".");
  const icon = dot < 0 ? undefined : byExtension.get(name.slice(dot + 1).toLowerCase());
  return icon === "archive" && name.includes(".pkg.") ? "package" : icon ?? "file";
}

import { contentTypeOf, loadMediaTypes } from "../../../src/quickserve/content_type.ts";
import { assert, assertEquals } from "../../assert.ts";

Deno.test("contentTypeOf: returns the media type for a name", async () => {
  await loadMediaTypes();
  const binary = "application/octet-stream";
  for (
    const [name, type] of [
      ["foo-1:2.0-1-x86_64.pkg.tar.zst", binary],
      ["foo-1-1-any.pkg.tar", binary],
      ["foo-1-1-any.pkg.tar.zst.sig", "application/pgp-signature"],
      ["core.db", binary],
      ["core.db.tar.gz", binary],
      ["core.files", binary],
      ["core.db.sig", "application/pgp-signature"],
      ["a.tar.zst", "application/zstd"],
      ["a.tar.gz", "application/gzip"],
      ["index.HTML", "text/html; charset=UTF-8"],
      ["a.txt", "text/plain; charset=UTF-8"],
      ["PKGBUILD", "text/plain; charset=UTF-8"],
      ["a.py", "text/plain; charset=UTF-8"],
      ["a.png", "image/png"],
      ["a.FLAC", "audio/flac"],
      ["a.wav", "audio/wav"],
      ["a.m4v", "video/mp4"],
      ["a.mkv", "video/x-matroska"],
      ["a.opus", "audio/ogg"],
      ["a.pls", "audio/x-scpls"],
      ["a.mpc", "audio/x-musepack"],
      ["a.cbz", "application/vnd.comicbook+zip"],
      ["a.cjs", "text/plain; charset=UTF-8"],
      ["SHA256SUMS", "text/plain; charset=UTF-8"],
      // A source in VHDL, or the image of a disk. No browser may show gigabytes as text.
      ["a.vhd", "application/x-virtualbox-vhd"],
      ["a.avif", "image/avif"],
      ["a.jfif", "image/jpeg"],
      ["a.woff2", "font/woff2"],
      ["a.deb", "application/vnd.debian.binary-package"],
      ["a.tgz", "application/gzip"],
      ["a.c", "text/plain; charset=UTF-8"],
      ["a.yml", "text/plain; charset=UTF-8"],
      ["a.md", "text/plain; charset=UTF-8"],
      ["a.js", "text/javascript; charset=UTF-8"],
      ["a.json", "application/json; charset=UTF-8"],
      ["Dockerfile", "text/plain; charset=UTF-8"],
      ["noextension", binary],
      [".html", binary],
      ["a.", binary],
      ["", binary],
    ] as const
  ) assertEquals(contentTypeOf(name), type, name);
});

Deno.test("contentTypeOf: a name cannot inject text into the header", async () => {
  await loadMediaTypes();
  for (const name of ["a.html; x=y", "a.html\r\nX: y", "a.text/html", "a.html\0", "a.h\ttml"]) {
    assert(/^[a-z]+\/[a-z0-9.+-]+(?:; charset=UTF-8)?$/.test(contentTypeOf(name) ?? ""), name);
  }
});

/** Downloads for tests, without sources that send. */

import { Download } from "../../../src/pacserve/relay/download.ts";
import type { SourceStream } from "../../../src/pacserve/relay/source.ts";
import { Windows } from "../../../src/pacserve/relay/window.ts";

type DownloadOptions = ConstructorParameters<typeof Download>[0];

/** Creates the download of a whole package, whose bytes are in memory. */
export function makeDownload(
  options: Pick<DownloadOptions, "size" | "sha256"> & Partial<DownloadOptions>,
): Download {
  return new Download({
    name: "a-1-1-any.pkg.tar.zst",
    isWhole: true,
    start: 0,
    end: null,
    resumable: true,
    hold: 0,
    stores: new Windows(null),
    ...options,
  });
}

/** Returns the answer of a source that has a file of this size. The test appends the bytes itself. */
export function streamOf(size: number): SourceStream {
  return {
    from: 0,
    size,
    lastModified: null,
    read: () => Promise.resolve(null),
    close: () => {},
  };
}

/**
 * Takes the screenshot of a listing for the README (`task screenshot`): `doc/listing.png`. Run it as root,
 * because it sets a host name for the server in a namespace.
 */

import { Served } from "../program.ts";
import { inScratch } from "../scratch.ts";
import { WatchedBrowser } from "./browser.ts";

/** The shared files: sizes in bytes, and ages in days. */
const FILES: Readonly<Record<string, readonly [size: number, days: number]>> = {
  "Music/Live at the Barn/01 Opening.flac": [31_000_000, 12.3],
  "Photos/2026-06 Norway/fjord.jpg": [4_200_000, 160.41],
  "Projects/garden/plan.pdf": [220_000, 30.17],
  "archlinux-2026.11.01-x86_64.iso": [1_320_000_000, 24.05],
  "archlinux-2026.11.01-x86_64.iso.sig": [310, 24.06],
  "backup-laptop.tar.zst": [734_003_200, 3.52],
  "budget 2026.ods": [38_110, 9.28],
  "holiday video.mp4": [486_539_264, 155.6],
  "linux-6.17.8.arch1-1-x86_64.pkg.tar.zst": [148_897_792, 6.21],
  "meeting notes.md": [4_312, 1.15],
  "setup.sh": [1_874, 41.37],
};

const DAY = 24 * 60 * 60;
const HOST = ["unshare", "--uts", "sh", "-c", 'hostname birch && exec "$@"', "sh"];

await inScratch(async (directory) => {
  const now = Date.now() / 1000;
  for (const [name, [size, days]] of Object.entries(FILES)) {
    const path = `${directory}/files/${name}`;
    const parent = path.slice(0, path.lastIndexOf("/"));
    await Deno.mkdir(parent, { recursive: true });
    await Deno.writeFile(path, new Uint8Array());
    await Deno.truncate(path, size);
    await Deno.utime(path, now - days * DAY, now - days * DAY);
  }
  await Deno.mkdir(`${directory}/inbox`);
  for (const [name, days] of Object.entries({ Music: 12.3, Photos: 98.7, Projects: 30.2 })) {
    await Deno.utime(`${directory}/files/${name}`, now - days * DAY, now - days * DAY);
  }
  await Deno.utime(`${directory}/inbox`, now - 0.4 * DAY, now - 0.4 * DAY);
  const list = { "/": [`${directory}/files`], "/Inbox": [`${directory}/inbox`] };
  await Deno.writeTextFile(`${directory}/list.json`, JSON.stringify(list));
  const words = ["--filelist", `${directory}/list.json`, "--upload", `${directory}/inbox`];
  words.push("--tar", "zst", "zip");
  await using server = await Served.start("quickserve", words, {}, HOST);
  const browser = await WatchedBrowser.start();
  try {
    const viewport = { width: 1000, height: 693 };
    const page = await browser.open({ colorScheme: "light", viewport });
    await page.goto(server.address);
    const path = new URL("../../doc/listing.png", import.meta.url).pathname;
    await page.screenshot({ path });
    console.log(`${path}: ${(await Deno.stat(path)).size} bytes`);
  } finally {
    await browser.browser.close();
  }
});

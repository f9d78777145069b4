/** Opens the files that browsers show or play, in Chromium and in Firefox. */

import type { Page } from "playwright-core";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../lan/process.ts";
import { Served } from "../program.ts";
import { inScratch, writeFiles } from "../scratch.ts";
import { WatchedBrowser } from "./browser.ts";
import { Firefox, type Tab } from "./firefox.ts";

function chromiumTab(page: Page): Tab {
  return {
    open: async (url) => void await page.goto(url),
    evaluate: (expression) => page.evaluate<string>(expression),
    screenshot: async () => (await page.screenshot()).toString("base64"),
  };
}

const samples = new URL("samples/", import.meta.url).pathname;

/** Returns a PDF with one red page of 200 by 100 points. */
function redPdf(): string {
  const paint = "1 0 0 rg 0 0 200 100 re f";
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<<>>>>",
    `<</Length ${paint.length}>>stream\n${paint}\nendstream`,
  ];
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj${object}endobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  return `${text}xref\n0 5\n0000000000 65535 f \n${offsets.join("")}` +
    `trailer<</Size 5/Root 1 0 R>>\nstartxref\n${text.length}\n%%EOF`;
}

const script = `document.documentElement.setAttribute("data-ran", "yes")`;
const image = "data:image/gif;base64,R0lGODlhAQABAIAAAP8AAP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==";

/** The content of the text files. */
const texts: Readonly<Record<string, string>> = {
  "note.txt": "some words",
  "main.c": "some words",
  "data.json": `{"some": "words"}`,
  "list.yml": "some: words",
  "read.md": "some words",
  "page.html": `<p>some words</p><img alt="" src="dot.gif"><script>${script}</script>`,
  "page.xhtml": `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head>` +
    `<body><p>some words</p><script>${script}</script></body></html>`,
  "drawing.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">` +
    `<text y="20">some words</text><script>${script}</script></svg>`,
};

const played = `(async () => {
  const player = document.querySelector("video, audio");
  player.muted = true;
  const stuck = new Promise((_, reject) => setTimeout(() => reject(new Error("stuck")), 10000));
  const ended = new Promise((resolve) => player.addEventListener("ended", resolve));
  await Promise.race([player.play(), stuck]);
  await Promise.race([ended, stuck]);
  return "played";
})()`;

/** Returns an expression that counts the red pixels of a picture, in a page that may load `data:` images. */
function redPixels(picture: string): string {
  return `(async () => {
    const image = new Image();
    image.src = "data:image/png;base64,${picture}";
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const { data } = canvas.getImageData(0, 0, image.width, image.height);
    let red = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at] > 240 && data[at + 1] < 20 && data[at + 2] < 20) red++;
    }
    return String(red);
  })()`;
}

/** Opens each file in `tab`. The page in `counter`, a listing, counts pixels. */
async function showAll(tab: Tab, counter: Tab, address: string): Promise<void> {
  for (const name of [...Deno.readDirSync(samples)].map(({ name }) => name).sort()) {
    await tab.open(`${address}/${name}`);
    assertEquals([name, await tab.evaluate(played)], [name, "played"]);
  }
  for (const name of Object.keys(texts)) {
    await tab.open(`${address}/${name}`);
    const shown = await tab.evaluate("document.documentElement.textContent");
    assert(shown.includes("some") && shown.includes("words"), `${name}: ${shown}`);
    const ran = await tab.evaluate(`String(document.documentElement.dataset?.ran)`);
    assertEquals([name, ran], [name, "undefined"]);
  }
  await tab.open(`${address}/dot.gif`);
  assertEquals(await tab.evaluate("String(document.images[0].naturalWidth)"), "1");
  await tab.open(`${address}/page.html`);
  assertEquals(await tab.evaluate("String(document.images[0].naturalWidth)"), "1");
  await tab.open(`${address}/red.pdf`);
  await counter.open(`${address}/`);
  await eventually("the page of the PDF is red", async () => {
    const picture = await tab.screenshot();
    return Number(await counter.evaluate(redPixels(picture))) > 10_000;
  }, 30_000);
}

/** Serves one file of each kind in the root. */
async function withKinds(body: (address: string) => Promise<void>): Promise<void> {
  await inScratch(async (directory) => {
    writeFiles(directory, { ...texts, "red.pdf": redPdf() });
    await Deno.writeFile(`${directory}/dot.gif`, await (await fetch(image)).bytes());
    for (const { name } of Deno.readDirSync(samples)) {
      await Deno.copyFile(samples + name, `${directory}/${name}`);
    }
    await Deno.writeTextFile(`${directory}/list.json`, JSON.stringify({ "/": [directory] }));
    await using server = await Served.start("quickserve", ["--filelist", `${directory}/list.json`]);
    await body(server.address);
  });
}

Deno.test("Chromium shows and plays shared files, and runs no script in them", () =>
  withKinds(async (address) => {
    const browser = await WatchedBrowser.start();
    try {
      const [tab, counter] = [await browser.open(), await browser.open()];
      await showAll(chromiumTab(tab), chromiumTab(counter), address);
    } finally {
      await browser.browser.close();
    }
  }));

Deno.test("Firefox shows and plays shared files, and runs no script in them", () =>
  withKinds(async (address) => {
    await using firefox = await Firefox.start();
    await showAll(await firefox.tab(), await firefox.tab(), address);
  }));

/** The pages of the real program in Chromium. */

import jsqr from "jsqr";
import type { Page } from "playwright-core";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { eventually } from "../lan/process.ts";
import { Served } from "../program.ts";
import { inScratch, writeFiles } from "../scratch.ts";
import { shownNames, WatchedBrowser } from "./browser.ts";

const hostile = '<img src=x onerror="document.title=1">';
const endless = "x".repeat(200);

/** Files whose names are hard to link to, and their content. */
const contents: Readonly<Record<string, string>> = {
  "javascript:alert(1)": "script?",
  "a:b": "colon",
  "back\\slash": "backslash",
  "?q#h%25": "address",
  [hostile]: "hostile",
  [endless]: "endless",
};

/** Creates a directory `share` with files of known sizes and times, and an empty `inbox`. */
function fill(directory: string): void {
  writeFiles(directory, {
    "share/docs/inside.txt": "inside",
    "share/file2.txt": "2".repeat(2000),
    "share/file10.txt": "1".repeat(10),
    "share/zebra.png": "z".repeat(1_500_000),
  });
  for (const [name, content] of Object.entries(contents)) {
    Deno.writeTextFileSync(`${directory}/share/${name}`, content);
  }
  Deno.mkdirSync(`${directory}/inbox`);
  Deno.utimeSync(`${directory}/share/file2.txt`, 1_000_000_000, 1_000_000_000);
  Deno.writeTextFileSync(`${directory}/motd`, "Hello <b>everybody</b>!\nBe kind.");
}

/**
 * Runs a test with quickserve, started with the options `words`, and a browser. The test fails if the browser
 * reports an error.
 */
async function withServer(
  words: (directory: string) => readonly string[],
  body: (
    server: Served,
    browser: WatchedBrowser,
    directory: string,
  ) => Promise<void>,
): Promise<void> {
  await inScratch(async (directory) => {
    fill(directory);
    const shares = [`${directory}/share`, `${directory}/inbox`];
    await using server = await Served.start("quickserve", [...words(directory), ...shares]);
    const browser = await WatchedBrowser.start();
    try {
      await body(server, browser, directory);
      assertEquals(browser.complaints, []);
    } finally {
      await browser.browser.close();
    }
  });
}

const scrollWidth = "document.documentElement.scrollWidth - innerWidth";

Deno.test("listing: every link leads to its file, for all names", () =>
  withServer((directory) => ["--motd", `${directory}/motd`], async (server, browser) => {
    const page = await browser.open();
    await page.goto(`${server.address}/share/`);
    assertEquals(await shownNames(page), [
      "docs/",
      hostile,
      "?q#h%25",
      "a:b",
      "back\\slash",
      "file2.txt",
      "file10.txt",
      "javascript:alert(1)",
      endless,
      "zebra.png",
    ]);
    const host = Deno.hostname().split(".")[0] ?? "";
    assertEquals(await page.title(), `/share/ · ${host}`);
    assertEquals(
      await page.getByRole("note").textContent(),
      "Hello <b>everybody</b>!\nBe kind.",
    );
    assertEquals(await page.locator("data").last().getAttribute("title"), "1,500,000 bytes");
    for (const name of Object.keys(contents)) {
      const href = await page.getByRole("link", { name, exact: true }).getAttribute("href");
      const reply = await fetch(new URL(href ?? "", page.url()));
      assertEquals(await reply.text(), contents[name]);
    }
    await page.getByRole("link", { name: "docs/" }).click();
    await page.waitForURL(`${server.address}/share/docs/`);
    await page.getByRole("link", { name: "Parent directory" }).click();
    await page.waitForURL(`${server.address}/share/`);
    await page.getByRole("navigation", { name: "Path" })
      .getByRole("link", { name: `Home: ${host}` }).click();
    assertEquals(await shownNames(page), ["inbox/", "share/"]);
  }));

Deno.test("listing: the order is in the URL and is announced to screen readers", () =>
  withServer(() => [], async (server, browser) => {
    const page = await browser.open();
    await page.goto(`${server.address}/share/`);
    const sorted = (): Promise<string | null> =>
      page.locator("th[aria-sort]").evaluate((cell) =>
        `${cell.textContent?.trim()} ${cell.getAttribute("aria-sort")}`
      );
    assertEquals(await sorted(), "Name ascending");
    await page.getByRole("link", { name: "Size" }).click();
    assertMatch(page.url(), /\?sort=size&order=desc$/);
    assertEquals(await sorted(), "Size descending");
    assertEquals((await shownNames(page)).slice(0, 3), ["docs/", "zebra.png", "file2.txt"]);
    await page.getByRole("link", { name: "Modified" }).click();
    await page.getByRole("link", { name: "Modified" }).click();
    assertEquals(await sorted(), "Modified ascending");
    assertEquals((await shownNames(page)).slice(0, 2), ["docs/", "file2.txt"]);
    const time = page.locator("time[datetime='2001-09-09T01:46:40Z']");
    assertEquals(await time.getAttribute("title"), "2001-09-09T01:46:40Z");
  }));

Deno.test("listing: times are in the reader's time zone, and in UTC without script", () =>
  withServer(() => [], async (server, browser) => {
    for (
      const [javaScriptEnabled, shown] of [
        [true, "2001-09-09 03:46"],
        [false, "2001-09-09 01:46"],
      ] as const
    ) {
      const page = await browser.open({ timezoneId: "Europe/Berlin", javaScriptEnabled });
      await page.goto(`${server.address}/share/`);
      const time = page.locator("time[datetime='2001-09-09T01:46:40Z']");
      assertEquals(await time.textContent(), shown);
      assertEquals(await page.getByText("(UTC)").count(), javaScriptEnabled ? 0 : 1);
    }
  }));

Deno.test("search box: shows only names with all words, with the keyboard alone", () =>
  withServer(() => [], async (server, browser, directory) => {
    writeFiles(directory, { "share/docs/e\u0301te\u0301.txt": "summer" });
    const page = await browser.open();
    await page.goto(`${server.address}/share/`);
    await page.keyboard.press("/");
    await page.keyboard.type("TXT file");
    await page.getByRole("status").getByText("2 of 10 shown").waitFor();
    assertEquals(await shownNames(page), ["file2.txt", "file10.txt"]);
    await page.keyboard.press("Escape");
    await page.getByRole("status").getByText("1 directory, 9 files").waitFor();
    assertEquals((await shownNames(page)).length, 10);
    // Neither the case nor the encoding of an accent matters.
    await page.goto(`${server.address}/share/docs/`);
    await page.getByRole("searchbox").fill("ÉTÉ");
    await page.getByRole("status").getByText("1 of 2 shown").waitFor();
  }));

Deno.test("search box: finds files in directories below, and works as a form without script", () =>
  withServer(() => [], async (server, browser, directory) => {
    writeFiles(directory, {
      "share/docs/trip/file one.txt": "found",
      "share/docs/.hidden/file two.txt": "hidden",
      "share/docs/trip/file/three": "in a directory that is found",
    });
    const page = await browser.open();
    await page.goto(`${server.address}/share/`);
    await page.getByRole("searchbox").fill("file");
    await page.getByRole("status").getByText("2 of 10 shown, 2 below").waitFor();
    assertEquals(await shownNames(page), [
      "file2.txt",
      "file10.txt",
      "docs/trip/file/",
      "docs/trip/file one.txt",
    ]);
    const link = page.getByRole("link", { name: "docs/trip/file one.txt" });
    const href = await link.getAttribute("href");
    assertEquals(await (await fetch(new URL(href ?? "", page.url()))).text(), "found");
    await page.getByRole("searchbox").fill("");
    await page.getByRole("status").getByText("1 directory, 9 files").waitFor();
    assertEquals((await shownNames(page)).length, 10);

    const plain = await browser.open({ javaScriptEnabled: false });
    await plain.goto(`${server.address}/share/`);
    await plain.getByRole("searchbox").fill("ONE txt");
    await plain.getByRole("button", { name: "Search" }).click();
    await plain.getByRole("status").getByText("1 match here and below").waitFor();
    assertEquals(await shownNames(plain), ["docs/trip/file one.txt"]);
    await plain.getByRole("link", { name: "Size" }).click();
    assertEquals(await shownNames(plain), ["docs/trip/file one.txt"]);
    await plain.getByRole("searchbox").fill("nowhere");
    await plain.getByRole("searchbox").press("Enter");
    await plain.getByText("Nothing was found.").waitFor();
  }));

Deno.test("long listing: the filter covers all entries, and rows are added when needed", () =>
  withServer(() => [], async (server, browser, directory) => {
    Deno.mkdirSync(`${directory}/share/many`);
    for (let index = 0; index < 2600; index++) {
      Deno.writeTextFileSync(`${directory}/share/many/file ${index}.txt`, "x".repeat(index % 3));
    }
    Deno.utimeSync(`${directory}/share/many/file 2599.txt`, 1_000_000_000, 1_000_000_000);
    const page = await browser.open({ timezoneId: "Europe/Berlin" });
    await page.goto(`${server.address}/share/many/`);
    const rows = page.locator("table.listing tbody tr:not(.parent)");
    assertEquals(await rows.count(), 500);
    await page.getByRole("button", { name: "Show more (2,100 left)" }).scrollIntoViewIfNeeded();
    await rows.nth(999).waitFor();
    await page.getByRole("searchbox").fill("2599");
    await page.getByText("1 of 2,600 shown").waitFor();
    // Rows of the script are equal to rows of the server.
    assertEquals(await rows.first().innerText(), "file 2599.txt\t1 B\t2001-09-09 03:46");
    assertEquals(await rows.first().getByText("1 B").getAttribute("title"), "1 byte");
    const href = await page.getByRole("link", { name: "file 2599.txt" }).getAttribute("href");
    assertEquals(await (await fetch(new URL(href ?? "", page.url()))).text(), "x");
  }));

Deno.test("QR code: contains the URL of the page", () =>
  withServer(() => [], async (server, browser) => {
    const page = await browser.open();
    // The request uses loopback. The code must have an address that other machines can use.
    await page.goto(`${server.address}/share/docs/`);
    await page.getByRole("button", { name: "QR code" }).click();
    const dialog = page.getByRole("dialog", { name: "QR code of this page" });
    await dialog.getByRole("img").waitFor();
    await eventually("the picture", () => {
      return page.evaluate<boolean>("document.querySelector('#code img').naturalWidth > 0");
    });
    const address = await dialog.getByRole("paragraph").textContent();
    assertMatch(address ?? "", /^http:\/\/[^/]+:\d+\/share\/docs\/$/);
    assert(!/127\.0\.0|localhost/.test(address ?? ""), address ?? "");
    const pixels = await page.evaluate<number[]>(`(() => {
      const canvas = new OffscreenCanvas(240, 240).getContext("2d");
      canvas.drawImage(document.querySelector("#code img"), 0, 0, 240, 240);
      return [...canvas.getImageData(0, 0, 240, 240).data];
    })()`);
    assertEquals(jsqr.default(Uint8ClampedArray.from(pixels), 240, 240)?.data, address);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
  }));

Deno.test("the first tab stop skips the menu, and the focus is visible", () =>
  withServer(() => [], async (server, browser) => {
    const page = await browser.open();
    await page.goto(`${server.address}/share/`);
    await page.keyboard.press("Tab");
    assertEquals(await page.evaluate("document.activeElement.textContent"), "Skip to the files");
    assertEquals(
      await page.evaluate("document.activeElement.getBoundingClientRect().top >= 0"),
      true,
    );
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assertEquals(
      await page.evaluate("document.activeElement.closest('main') !== null"),
      true,
    );
    assertEquals(
      await page.evaluate("getComputedStyle(document.activeElement).outlineStyle"),
      "solid",
    );
    await page.getByRole("table", { name: "Files and directories in /share/" }).waitFor();
  }));

/** An expression for the contrast of text and background (WCAG 2.2, 1.4.3) of all elements with text. */
const contrasts = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = parse(color).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((parse(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!hasText) continue;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(background(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(element.className + " " + element.textContent + " " + ratio);
  }
  return low;
})()`;

Deno.test("dark mode is dark, and text is readable in both modes", () =>
  withServer((directory) => [
    ...["--motd", `${directory}/motd`, "--upload", `${directory}/inbox`],
    ...["--tar", "none", "zip", "--peer", "http://127.0.0.1:9/"],
  ], async (server, browser) => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.open({ colorScheme });
      for (const path of ["/share/", "/?page=about", "/?page=peers", "/?page=upload"]) {
        await page.goto(server.address + path);
        assertEquals(await page.evaluate(contrasts), [], `${path} ${colorScheme}`);
      }
      const background = await page.evaluate(
        "getComputedStyle(document.documentElement).backgroundColor",
      );
      assertEquals(
        background,
        { light: "rgb(255, 255, 255)", dark: "rgb(18, 23, 28)" }[colorScheme],
      );
    }
  }));

Deno.test("colour switch: the choice of light or dark is stored", () =>
  withServer(() => [], async (server, browser) => {
    const page = await browser.open({ colorScheme: "light" });
    const background = (): Promise<string> =>
      page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    await page.goto(server.address);
    const colours = page.getByRole("combobox", { name: "Colours" });
    await colours.selectOption("Dark");
    assertEquals(await background(), "rgb(18, 23, 28)");
    await page.goto(`${server.address}/share/`);
    assertEquals(await background(), "rgb(18, 23, 28)");
    assertEquals(await page.evaluate(contrasts), []);
    await colours.selectOption("System");
    assertEquals(await background(), "rgb(255, 255, 255)");
  }));

Deno.test("on a phone, no page scrolls sideways", () =>
  withServer((directory) => [
    ...["--motd", `${directory}/motd`, "--upload", `${directory}/inbox`],
    ...["--tar", "none", "gz", "zst", "zip", "--peer", "http://127.0.0.1:9/"],
  ], async (server, browser) => {
    const options = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };
    const page = await browser.open(options);
    for (const path of ["/", "/share/", "/?page=about", "/?page=peers", "/?page=upload"]) {
      await page.goto(server.address + path);
      assertEquals(await page.evaluate(scrollWidth), 0, path);
    }
    await page.goto(`${server.address}/share/?sort=size`);
    // For screen readers, the columns are still one table.
    assertEquals(await page.getByRole("columnheader").count(), 3);
    assertEquals(await page.getByRole("row").count(), 12);
  }));

Deno.test("a long name without a break begins next to its icon, like all other names", () =>
  withServer(() => [], async (server, browser) => {
    for (const width of [1000, 320]) {
      const page = await browser.open({ viewport: { width, height: 640 } });
      await page.goto(`${server.address}/share/`);
      const [long, short] = await Promise.all(
        [endless, "file2.txt"].map((name) => {
          return page.getByRole("link", { name, exact: true }).evaluate((link) => {
            const text = link.querySelector("bdi")?.getClientRects()[0];
            return (text?.top ?? NaN) - (link.parentElement?.getBoundingClientRect().top ?? NaN);
          });
        }),
      );
      assertEquals(long, short, `${width} pixels`);
    }
  }));

Deno.test("--tar: an archive is downloaded under the directory's name", () =>
  withServer(() => ["--tar", "none", "zip"], async (server, browser) => {
    const page = await browser.open();
    await page.goto(`${server.address}/share/docs/`);
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: ".zip" }).click();
    const download = await downloading;
    assertEquals(download.suggestedFilename(), "docs.zip");
    assertEquals(await download.failure(), null);
  }));

/** Drops files on the page. @param files sizes in bytes by name. */
async function drop(page: Page, files: Readonly<Record<string, number>>): Promise<void> {
  const transfer = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer();
    for (const [name, size] of Object.entries(${JSON.stringify(files)})) {
      transfer.items.add(new File([new Uint8Array(size)], name));
    }
    return transfer;
  })()`);
  for (const type of ["dragenter", "dragover", "drop"]) {
    await page.dispatchEvent("main", type, { dataTransfer: transfer });
  }
}

function storedIn(directory: string): Record<string, number> {
  const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  return Object.fromEntries(
    names.map((name) => [name, Deno.statSync(`${directory}/${name}`).size]),
  );
}

/** Limits the browser's upload rate, so that the progress is visible. */
async function slowDown(page: Page, bytesPerSecond: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond,
  });
}

Deno.test("upload: files dropped on a listing are uploaded, with progress, and then listed", () =>
  withServer(
    (directory) => ["--upload", `${directory}/inbox`],
    async (server, browser, directory) => {
      const page = await browser.open();
      await page.goto(`${server.address}/inbox/`);
      await slowDown(page, 4_000_000);
      await drop(page, { "big file é.bin": 3_000_000, "small.txt": 3 });
      const progress = page.getByRole("progressbar", { name: "Progress of big file é.bin" });
      await progress.waitFor();
      await page.getByText(/^(?!2\.9).* of 2\.9 MiB/).waitFor();
      await page.getByRole("link", { name: "small.txt" }).waitFor();
      await page.getByRole("status").getByText("2 uploaded.").waitFor();
      assertEquals(await shownNames(page), ["big file é.bin", "small.txt"]);
      assertEquals(storedIn(`${directory}/inbox`), { "big file é.bin": 3_000_000, "small.txt": 3 });
      await page.reload();
      assertEquals(await page.getByText("2 uploaded.").count(), 0);
      // A file that got another name stays in the list, so that the reader sees the name.
      await drop(page, { "small.txt": 4, "50%22.txt": 1 });
      const uploads = page.getByRole("list", { name: "Uploads" });
      await uploads.getByText("Stored as small.1.txt.").waitFor();
      await uploads.getByText('Stored as 50".txt.').waitFor();
      await page.getByRole("link", { name: "Show the files" }).click();
      await page.getByRole("link", { name: "small.1.txt" }).waitFor();
    },
  ));

Deno.test("upload: Cancel leaves no file, and the page says that nothing was stored", () =>
  withServer(
    (directory) => ["--upload", `${directory}/inbox`],
    async (server, browser, directory) => {
      const page = await browser.open();
      await page.goto(`${server.address}/?page=upload`);
      await slowDown(page, 1_000_000);
      await drop(page, { "huge.bin": 50_000_000, "next.txt": 4 });
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByText("Cancelled: nothing was stored.").waitFor();
      await page.getByText("1 uploaded, 1 failed.").waitFor();
      const deadline = Date.now() + 5000;
      while (Object.keys(storedIn(`${directory}/inbox`)).length > 1 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assertEquals(storedIn(`${directory}/inbox`), { "next.txt": 4 });
    },
  ));

Deno.test("upload: the form works without script, and shows the outcome of each file", () =>
  withServer(
    (directory) => ["--upload", `${directory}/inbox`],
    async (server, browser, directory) => {
      writeFiles(directory, { "inbox/taken.txt": "first", "mine/taken.txt": "second" });
      const page = await browser.open({ javaScriptEnabled: false });
      await page.goto(`${server.address}/?page=upload`);
      await page.getByLabel("Files to upload").setInputFiles(`${directory}/mine/taken.txt`);
      await page.getByRole("button", { name: "Upload", exact: true }).click();
      await page.getByRole("heading", { name: "1 file uploaded" }).waitFor();
      await page.getByText("Stored under this name, because taken.txt was taken.").waitFor();
      assertEquals(storedIn(`${directory}/inbox`), { "taken.1.txt": 6, "taken.txt": 5 });
    },
  ));

Deno.test("upload: another directory's listing names the upload directory and links to it", () =>
  withServer(
    (directory) => ["--upload", `${directory}/inbox`],
    async (server, browser, directory) => {
      const page = await browser.open();
      await page.goto(`${server.address}/share/`);
      const form = page.getByRole("region", { name: "Upload" });
      await form.getByText("Uploads are stored in /inbox/.").waitFor();
      await drop(page, { 'a "q".txt': 5 });
      await form.getByText("1 uploaded. The files are in /inbox/.").waitFor();
      await form.getByRole("link", { name: "/inbox/" }).last().click();
      await page.waitForURL(`${server.address}/inbox/`);
      assertEquals(await shownNames(page), ['a "q".txt']);
      assertEquals(storedIn(`${directory}/inbox`), { 'a "q".txt': 5 });
    },
  ));

Deno.test("upload: a folder is stored with its directories in the directory of the listing", () =>
  withServer(
    (directory) => ["--upload", `${directory}/inbox`],
    async (server, browser, directory) => {
      writeFiles(directory, {
        "inbox/sub/": "",
        "mine/trip/day 1/a.txt": "a",
        "mine/trip/b.txt": "bb",
      });
      const page = await browser.open();
      await page.goto(`${server.address}/inbox/sub/`);
      const choosing = page.waitForEvent("filechooser");
      await page.getByRole("button", { name: "Upload a folder" }).click();
      await (await choosing).setFiles(`${directory}/mine/trip`);
      await page.getByRole("link", { name: "trip/" }).waitFor();
      assertEquals(Deno.readTextFileSync(`${directory}/inbox/sub/trip/day 1/a.txt`), "a");
      assertEquals(storedIn(`${directory}/inbox/sub/trip`)["b.txt"], 2);
    },
  ));

/** Drops local files and directories on the page, as a file manager does. */
async function dropPaths(page: Page, ...files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, x: 200, y: 200, data });
  }
}

Deno.test("upload: a dropped folder is stored with its directories; an empty one is refused by name", () =>
  withServer(
    (directory) => ["--upload", `${directory}/inbox`],
    async (server, browser, directory) => {
      writeFiles(directory, {
        "mine/trip/day 1/a.txt": "a",
        "mine/trip/b.txt": "bb",
        "mine/c.txt": "c",
      });
      // Use more than a hundred files: a browser returns up to a hundred entries of a directory at a time.
      for (let index = 0; index < 120; index++) {
        writeFiles(directory, { [`mine/trip/many/${index}`]: "" });
      }
      Deno.mkdirSync(`${directory}/mine/hollow/deeper`, { recursive: true });
      const page = await browser.open();
      await page.goto(`${server.address}/share/`);
      await dropPaths(
        page,
        ...["trip", "c.txt", "hollow"].map((name) => `${directory}/mine/${name}`),
      );
      await page.getByText("123 uploaded, 1 failed. The files are in /inbox/.").waitFor();
      await page.getByText("hollow/").waitFor();
      await page.getByText("The folder has no files in it.").waitFor();
      assertEquals(Deno.readTextFileSync(`${directory}/inbox/trip/day 1/a.txt`), "a");
      assertEquals(storedIn(`${directory}/inbox/trip`)["b.txt"], 2);
      assertEquals(Object.keys(storedIn(`${directory}/inbox/trip/many`)).length, 120);
      assertEquals(storedIn(`${directory}/inbox`)["c.txt"], 1);
    },
  ));

Deno.test("upload: after a lost connection, stored files remain and the others can be retried", () =>
  inScratch(async (directory) => {
    Deno.mkdirSync(`${directory}/inbox`);
    const browser = await WatchedBrowser.start();
    try {
      const words = ["--upload", `${directory}/inbox`, `${directory}/inbox`];
      const server = await Served.start("quickserve", words);
      const page = await browser.open();
      await page.goto(`${server.address}/?page=upload`);
      await slowDown(page, 1_000_000);
      await drop(page, { "first.txt": 3, "second.bin": 5_000_000, "third.txt": 4 });
      await page.getByText(/^(?!0 B).* of 4\.8 MiB/).waitFor();
      await server.program.kill();
      const lost = page.getByText("The connection broke off: nothing was stored.");
      await lost.nth(1).waitFor();
      await page.getByText("1 uploaded, 2 failed.").waitFor();
      await slowDown(page, -1);
      await using next = await Served.start("quickserve", [...words, "-p", String(server.port)]);
      assertEquals(next.port, server.port);
      await page.getByRole("button", { name: "Retry second.bin" }).click();
      await page.getByRole("button", { name: "Retry third.txt" }).press("Enter");
      await page.getByText("3 uploaded.").waitFor();
      const stored = { "first.txt": 3, "second.bin": 5_000_000, "third.txt": 4 };
      assertEquals(storedIn(`${directory}/inbox`), stored);
      // Ignore the browser's errors about the unreachable server.
      browser.complaints.length = 0;
    } finally {
      await browser.browser.close();
    }
  }));

Deno.test("upload: a cancelled file can be retried, and files stored before remain", () =>
  withServer(
    (directory) => ["--upload", `${directory}/inbox`],
    async (server, browser, directory) => {
      const page = await browser.open();
      await page.goto(`${server.address}/inbox/`);
      await slowDown(page, 500_000);
      await drop(page, { "first.txt": 1, "second.bin": 3_000_000 });
      await page.getByRole("progressbar", { name: "Progress of second.bin" }).waitFor();
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByText("1 uploaded, 1 failed.").waitFor();
      await slowDown(page, -1);
      await page.getByRole("button", { name: "Retry second.bin" }).click();
      await page.getByRole("link", { name: "second.bin" }).waitFor();
      assertEquals(storedIn(`${directory}/inbox`), { "first.txt": 1, "second.bin": 3_000_000 });
    },
  ));

Deno.test("--upload without shares: the start page is the upload form", () =>
  inScratch(async (directory) => {
    await using server = await Served.start("quickserve", ["--upload", directory]);
    const browser = await WatchedBrowser.start();
    try {
      const page = await browser.open();
      await page.goto(server.address);
      await page.getByText("Uploads are stored in a directory that this server does not list.")
        .waitFor();
      assertEquals(await page.getByText("This directory is empty.").count(), 0);
      await drop(page, { "a.txt": 1 });
      await page.getByText("1 uploaded.").waitFor();
      assertEquals(storedIn(directory), { "a.txt": 1 });
    } finally {
      await browser.browser.close();
    }
  }));

Deno.test("after its login, a browser has pages, style and uploads", () =>
  withServer(
    (directory) => ["--auth", "alice", "secret", "--upload", `${directory}/inbox`],
    async (server, browser, directory) => {
      const httpCredentials = { username: "alice", password: "secret" };
      const page = await browser.open({ httpCredentials });
      await page.goto(`${server.address}/inbox/`);
      assertEquals(await page.evaluate("document.styleSheets.length"), 1);
      await drop(page, { "a.txt": 7 });
      await page.getByRole("link", { name: "a.txt" }).waitFor();
      assertEquals(storedIn(`${directory}/inbox`), { "a.txt": 7 });

      const stranger = await browser.browser.newContext();
      const reply = await stranger.request.get(`${server.address}/inbox/`);
      assertEquals(reply.status(), 401);
      assert(!(await reply.text()).includes("a.txt"));
      await stranger.close();
    },
  ));

Deno.test("?page=about, ?page=peers and the 404 page", () =>
  withServer(() => ["--peer", "http://127.0.0.1:9/"], async (server, browser) => {
    const page = await browser.open();
    await page.goto(`${server.address}/?page=about`);
    await page.getByText(`curl -O ${server.address}/path/to/file`, { exact: true }).waitFor();
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Peers" })
      .click();
    await page.getByRole("table", { name: "Known peers" }).waitFor();
    await page.getByRole("link", { name: "http://127.0.0.1:9/" }).waitFor();
    assertEquals(browser.complaints, []);
    await page.goto(`${server.address}/none`);
    await page.getByRole("heading", { name: "Not Found" }).waitFor();
    await page.getByRole("link", { name: "Go to the start page" }).click();
    assertEquals(await shownNames(page), ["inbox/", "share/"]);
    // The browser reports an error for every page with status 404.
    assertEquals(browser.complaints.length, 1);
    browser.complaints.length = 0;
  }));

Deno.test("shared pages and --root websites load their images and styles; other sites cannot load the website's", () =>
  inScratch(async (directory) => {
    writeFiles(directory, {
      "docs/page.html": `<img alt="" src="dot.svg"><link rel="stylesheet" href="style.css">`,
      "docs/dot.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"></svg>`,
      "docs/style.css": "body { margin: 77px }",
    });
    const browser = await WatchedBrowser.start();
    const sizeOfImage = async (address: string): Promise<(number | undefined)[]> => {
      const page = await browser.open();
      await page.goto(address, { waitUntil: "load" });
      const box = await page.locator("img").boundingBox();
      return [box?.x, box?.width, box?.height];
    };
    let linked = "";
    const other = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
      const headers = { "Content-Type": "text/html" };
      return new Response(`<body style="margin: 77px"><img alt="" src="${linked}">`, { headers });
    });
    try {
      const otherSite = `http://127.0.0.1:${other.addr.port}/`;
      const image = [77, 40, 30];
      await using shared = await Served.start("quickserve", [`${directory}/docs`]);
      assertEquals(await sizeOfImage(`${shared.address}/docs/page.html`), image);
      linked = `${shared.address}/docs/dot.svg`;
      assertEquals(await sizeOfImage(otherSite), image);

      await using website = await Served.start("quickserve", ["--root", `${directory}/docs`]);
      assertEquals(await sizeOfImage(`${website.address}/page.html`), image);
      linked = `${website.address}/dot.svg`;
      assertEquals(await sizeOfImage(otherSite), [77, 0, 0]);
    } finally {
      await browser.browser.close();
      await other.shutdown();
    }
  }));

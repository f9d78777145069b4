/** The pages can be used with the keyboard alone, and all controls have a name for screen readers. */

import type { Page } from "playwright-core";
import { assert, assertEquals } from "../assert.ts";
import { Served } from "../program.ts";
import { inScratch, writeFiles } from "../scratch.ts";
import { shownNames, WatchedBrowser } from "./browser.ts";

/** Serves a few files with all features of the pages, and starts a browser. */
async function withBrowser(
  body: (server: Served, browser: WatchedBrowser, directory: string) => Promise<void>,
): Promise<void> {
  await inScratch(async (directory) => {
    writeFiles(directory, { "share/sub/deep.txt": "x", "share/b.txt": "xx", "inbox/x": "x" });
    for (let index = 0; index < 60; index++) writeFiles(directory, { [`inbox/many/${index}`]: "" });
    const words = ["--upload", `${directory}/inbox`, "--tar", "zip"];
    words.push("--peer", "http://127.0.0.1:9/", "--", `${directory}/share`, `${directory}/inbox`);
    await using server = await Served.start("quickserve", words);
    const browser = await WatchedBrowser.start();
    try {
      await body(server, browser, directory);
    } finally {
      await browser.browser.close();
    }
  });
}

/** A node of Chromium's accessibility tree, which screen readers use. */
interface AccessibleNode {
  readonly ignored: boolean;
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
}

async function accessibleNodes(page: Page): Promise<AccessibleNode[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  return (nodes as unknown as AccessibleNode[]).filter(({ ignored }) => !ignored);
}

/** An expression that describes the focused element, and checks that it is visible. */
const focused = `(() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  const point = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 8));
  const isCovered = !(element.contains(point) || point?.contains(element) === true);
  const label = element.ariaLabel ?? element.labels?.[0]?.textContent ?? element.textContent.trim();
  return {
    what: element.localName + " " + label,
    isVisible: style.outlineStyle === "solid" && box.top >= 0 && box.bottom <= innerHeight && !isCovered,
  };
})()`;

interface Focused {
  readonly what: string;
  readonly isVisible: boolean;
}

/** Presses a key until the focus leaves the page or returns to its start; returns the focused elements. */
async function walk(page: Page, key: "Tab" | "Shift+Tab"): Promise<string[]> {
  const stops: string[] = [];
  while (stops.length < 200) {
    await page.keyboard.press(key);
    const stop = await page.evaluate<Focused | null>(focused);
    if (stop === null || (stops.length > 1 && stop.what === stops[0])) return stops;
    assert(stop.isVisible, `${page.url()}: the focus of "${stop.what}" cannot be seen`);
    stops.push(stop.what);
  }
  throw new Error("the focus does not leave the page");
}

Deno.test("Tab visits all controls of a listing in reading order", () =>
  withBrowser(async (server, browser) => {
    const page = await browser.open();
    await page.goto(`${server.address}/share/`);
    const host = Deno.hostname().split(".")[0] ?? "";
    const stops = [
      "a Skip to the files",
      "a Quickserve",
      ..."Upload Peers About".split(" ").map((name) => `a ${name}`),
      "select Colours",
      `a Home: ${host}`,
      "a share",
      "button QR code",
      "input Files to upload",
      "button Upload",
      "button Upload a folder",
      "a /inbox/",
      "input Search by name, here and below",
      "button Search",
      "a .zip",
      "a Name",
      "a Size",
      "a Modified",
      "a Parent directory",
      "a sub/",
      "a b.txt",
    ];
    const there = await walk(page, "Tab");
    const version = there.pop();
    assert(version?.startsWith("a Quickserve "), version);
    assertEquals(there, stops);
    assertEquals((await walk(page, "Shift+Tab")).reverse(), [...stops, version]);
    // Neither the head of the table nor the edge of the window hides the focused element.
    await page.setViewportSize({ width: 1000, height: 300 });
    await page.goto(`${server.address}/inbox/many/`);
    assert((await walk(page, "Tab")).length > 60);
    assert((await walk(page, "Shift+Tab")).length > 60);
  }));

/** Moves the focus to the element of this name. */
async function tabTo(page: Page, what: string): Promise<void> {
  for (let presses = 0; presses < 100; presses++) {
    if ((await page.evaluate<Focused | null>(focused))?.what === what) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${what} cannot be reached by Tab`);
}

Deno.test("each action of the pages works with the keyboard alone", () =>
  withBrowser(async (server, browser, directory) => {
    const page = await browser.open({ colorScheme: "light" });
    await page.goto(`${server.address}/share/`);
    await tabTo(page, "select Colours");
    await page.keyboard.press("D");
    assertEquals(await page.evaluate("document.documentElement.dataset.theme"), "dark");
    await tabTo(page, "button QR code");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Tab");
    assertEquals((await page.evaluate<Focused>(focused)).what, "button Close");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    assertEquals((await page.evaluate<Focused>(focused)).what, "button QR code");
    await tabTo(page, "a Size");
    await page.keyboard.press("Enter");
    await page.waitForURL(/sort=size/);
    await page.keyboard.press("/");
    await page.keyboard.type("deep");
    await page.getByRole("link", { name: "sub/deep.txt" }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/search=deep/);
    assertEquals(await shownNames(page), ["sub/deep.txt"]);

    await page.goto(`${server.address}/inbox/`);
    const names = ["first.bin", "second.txt"];
    for (const name of names) {
      writeFiles(directory, { [name]: "x".repeat(name === "first.bin" ? 3e6 : 3) });
    }
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 500_000 };
    await session.send("Network.emulateNetworkConditions", slow);
    await tabTo(page, "input Files to upload");
    const choosing = page.waitForEvent("filechooser");
    await page.keyboard.press("Space");
    await (await choosing).setFiles(names.map((name) => `${directory}/${name}`));
    await tabTo(page, "button Upload");
    await page.keyboard.press("Enter");
    await page.getByRole("progressbar", { name: "Progress of first.bin" }).waitFor();
    await tabTo(page, "button Cancel first.bin");
    await page.keyboard.press("Enter");
    // The Retry button replaces the Cancel button and gets the focus.
    await page.getByText("1 uploaded, 1 failed.").waitFor();
    assertEquals((await page.evaluate<Focused>(focused)).what, "button Retry first.bin");
    await session.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: -1 });
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "first.bin" }).waitFor();
    assertEquals(await shownNames(page), ["many/", "first.bin", "second.txt", "x"]);
    assertEquals(browser.complaints, []);
  }));

/** The roles of controls. */
const CONTROLS = ["link", "button", "textbox", "searchbox", "combobox", "progressbar", "checkbox"];

Deno.test("each control, image, table and region of each page has a name, each page one heading", () =>
  withBrowser(async (server, browser, directory) => {
    const page = await browser.open();
    const check = async (): Promise<void> => {
      const nodes = await accessibleNodes(page);
      const described = nodes.map((
        { role, name },
      ) => [role?.value ?? "", name?.value.trim() ?? ""]);
      const named = [...CONTROLS, "image", "table", "navigation", "region", "dialog", "list"];
      const nameless = described.filter(([role = "", name]) => named.includes(role) && name === "");
      // The lists of the menu and of the path need no name: their `nav` elements have one.
      assertEquals(nameless.filter(([role]) => role !== "list"), [], page.url());
      for (const role of ["banner", "main", "contentinfo"]) {
        assertEquals(
          described.filter(([each]) => each === role).length,
          1,
          `${page.url()} ${role}`,
        );
      }
      assertEquals(await page.getByRole("heading", { level: 1 }).count(), 1, page.url());
      assertEquals(await page.evaluate("document.documentElement.lang"), "en");
      assert((await page.title()).length > 3, page.url());
    };
    const queries = ["/?page=about", "/?page=peers", "/?page=upload", "/none", "/?search=deep"];
    for (const path of ["/", "/share/", "/inbox/", "/?search=none+such", ...queries]) {
      await page.goto(server.address + path);
      await check();
    }
    await page.goto(`${server.address}/share/`);
    await page.getByRole("button", { name: "QR code" }).click();
    await page.getByRole("img", { name: "QR code of the address below" }).waitFor();
    await check();
    writeFiles(directory, { "new.txt": "x" });
    await page.goto(`${server.address}/?page=upload`);
    await page.getByLabel("Files to upload").setInputFiles(`${directory}/new.txt`);
    // `submit` bypasses the page's script: the form is sent as without script.
    await page.evaluate("document.querySelector('[data-upload] form').submit()");
    await page.getByRole("heading", { name: "1 file uploaded" }).waitFor();
    await check();
  }));

/** The status page of a real pacserve in Chromium. */

import axe from "axe-core";
import { HtmlValidate } from "html-validate";
import type { Page } from "playwright-core";
import { emptyCounters } from "../../src/status/counters.ts";
import { addFlows, noFlows } from "../../src/status/traffic.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { serve, type TestServer } from "../peers/lan.ts";
import { Served } from "../program.ts";
import { inScratch, writeFiles } from "../scratch.ts";
import { WatchedBrowser } from "./browser.ts";

const MIB = 1024 * 1024;
const PACKAGE = "linux-6.17.9-1-x86_64.pkg.tar.zst";

/** Returns the counter file of a host after a busy day. */
function busyCounters(): string {
  const empty = emptyCounters();
  const [total, today] = [noFlows(), noFlows()];
  const hour = 3_600_000;
  const last = Math.floor(Date.now() / hour) * hour;
  const hours = [0, 1, 0, 0, 0, 2, 5, 3, 1, 0, 2, 4, 1, 0, 0, 1, 8, 3, 1, 0, 2, 0, 0, 1].map(
    (busy, index) => {
      const flows = noFlows();
      flows.received = {
        cache: { files: busy, bytes: 4 * MIB * busy },
        peer: { files: 9 * busy, bytes: 61 * MIB * busy },
        inFlight: { files: 2 * busy, bytes: 25 * MIB * busy },
        mirror: { files: 3 * busy, bytes: 18 * MIB * busy },
      };
      flows.served.cache = { files: 5 * busy, bytes: 44 * MIB * busy };
      addFlows(today, flows);
      return { start: last - (23 - index) * hour, flows };
    },
  );
  for (let day = 0; day < 40; day++) addFlows(total, today);
  const installed = Date.now() - 40 * 24 * hour;
  return JSON.stringify({ ...empty, version: 1, installed, total, today, hours });
}

/** A mirror that sends half of a package, and the rest only when the test allows it. */
class SlowMirror {
  #finish = Promise.withResolvers<void>();
  private constructor(readonly server: TestServer) {}

  static async start(size: number): Promise<SlowMirror> {
    const mirror: SlowMirror = new SlowMirror(
      await serve(async (request, response) => {
        request.resume();
        if (request.url?.endsWith(PACKAGE) !== true) return void response.writeHead(404).end();
        response.writeHead(200, { "Content-Length": size });
        if (request.method === "HEAD") return void response.end();
        response.write(new Uint8Array(size / 2));
        await mirror.#finish.promise;
        response.end(new Uint8Array(size / 2));
      }),
    );
    return mirror;
  }

  finish(): void {
    this.#finish.resolve();
  }
}

/** Runs a test with a pacserve on a busy host that has received half of a package. */
async function withStatus(
  body: (server: Served, browser: WatchedBrowser, mirror: SlowMirror) => Promise<void>,
): Promise<void> {
  await inScratch(async (directory) => {
    const mirror = await SlowMirror.start(4 * MIB);
    await using _ = mirror.server;
    writeFiles(directory, {
      "pacman.conf": `[options]\nArchitecture = x86_64\nDBPath = ${directory}/db\n` +
        `CacheDir = ${directory}/cache\n[core]\nServer = ${mirror.server.base}$repo\n`,
      "cache/": "",
      "db/sync/": "",
      "state/counters.json": busyCounters(),
    });
    const words = ["--pacman-conf", `${directory}/pacman.conf`, "--spool-directory", directory];
    words.push("--state-directory", `${directory}/state`);
    await using server = await Served.start("pacserve", words);
    const transfer = fetch(`${server.address}/pacman/core/os/x86_64/${PACKAGE}`)
      .then((response) => response.bytes());
    const browser = await WatchedBrowser.start();
    try {
      await body(server, browser, mirror);
      mirror.finish();
      assertEquals((await transfer).length, 4 * MIB);
      assertEquals(browser.complaints, []);
    } finally {
      mirror.finish();
      await browser.browser.close();
    }
  });
}

async function textOf(page: Page, part: string): Promise<string> {
  return (await page.locator(`[data-live="${part}"]`).textContent() ?? "").replace(/\s+/g, " ");
}

Deno.test("?page=status shows the counters, and is updated without a reload", () =>
  withStatus(async (server, browser, mirror) => {
    const page = await browser.open({ viewport: { width: 1000, height: 1080 } });
    await page.goto(`${server.address}/`);
    await page.getByRole("link", { name: "Status" }).click();
    assertMatch(await page.title(), /^Status · /);
    const { origin } = new URL(server.address);
    assertMatch(
      await textOf(page, "running"),
      new RegExp(`^Running since .* at .*${origin}/.*\\.$`),
    );
    assertMatch(await textOf(page, "saved"), /Today 3\.1 GiB did not come over the internet/);
    assertMatch(await textOf(page, "problems"), /All is well/);
    assertEquals(await page.locator("svg rect").count(), 4 * 14);
    assertMatch(
      await page.getByRole("img").getAttribute("aria-label") ?? "",
      /^Downloads of the last 24 hours by source; at most 864 MiB in an hour\.$/,
    );
    const bar = page.getByRole("progressbar", { name: PACKAGE });
    await bar.waitFor();
    assertEquals(await bar.getAttribute("max"), String(4 * MIB));
    const shot = Deno.env.get("PACSERVE_SCREENSHOT");
    if (shot !== undefined) {
      await page.screenshot({ path: shot });
      assert((await Deno.stat(shot)).size < 150_000, "the screenshot is too large");
    }
    await page.getByText("As a table").click();
    await page.evaluate("window.isSame = true");
    mirror.finish();
    // When the file is complete, the bar disappears and the file is counted.
    await bar.waitFor({ state: "detached" });
    await page.getByText("4.0 MiB 1 file").first().waitFor();
    assertEquals(await page.evaluate("window.isSame"), true);
    assertEquals(await page.locator("details").getAttribute("open"), "");
  }));

Deno.test("?page=status shows a notice while the server does not answer, and recovers", () =>
  withStatus(async (server, browser, mirror) => {
    const page = await browser.open();
    await page.goto(`${server.address}/?page=status`);
    mirror.finish();
    const notice = page.getByText("The server does not answer at the moment.");
    assert(!await notice.isVisible());
    await page.route("**/*", (route) => route.abort());
    await notice.waitFor();
    await page.unroute("**/*");
    await notice.waitFor({ state: "hidden" });
    // Ignore the browser's errors about the requests that this test blocked.
    browser.complaints.length = 0;
  }));

Deno.test("axe-core and html-validate find no fault on ?page=status, light or dark, on a desktop and on a phone", () =>
  withStatus(async (server, browser) => {
    const path = `${server.address}/?page=status`;
    for (
      const options of [
        { colorScheme: "light" },
        { colorScheme: "dark", viewport: { width: 360, height: 640 }, isMobile: true },
      ] as const
    ) {
      const page = await browser.open({ ...options, bypassCSP: true });
      await page.goto(path);
      await page.getByText("As a table").click();
      await page.addScriptTag({ content: axe.source });
      const { violations } = await page.evaluate<axe.AxeResults>("axe.run()");
      assertEquals(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), []);
      const surplus = "document.documentElement.scrollWidth - innerWidth";
      assertEquals(await page.evaluate(surplus), 0, options.colorScheme);
    }
    const validator = new HtmlValidate({
      extends: ["html-validate:standard"],
      rules: { "no-trailing-whitespace": "off" },
    });
    const html = await (await fetch(path, { headers: { Accept: "text/html" } })).text();
    const { results } = await validator.validateString(html);
    const found = results.flatMap(({ messages }) =>
      messages.map(({ ruleId, message, line }) => `${line} ${ruleId}: ${message}`)
    );
    assertEquals(found, []);
  }));

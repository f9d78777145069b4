/** Every page is without a fault that axe-core finds, and is valid HTML by html-validate. */

import axe from "axe-core";
import { HtmlValidate } from "html-validate";
import { assertEquals } from "../assert.ts";
import { Served } from "../program.ts";
import { inScratch, writeFiles } from "../scratch.ts";
import { WatchedBrowser } from "./browser.ts";

/** What a page is asked for; the last one is an error. */
const paths = [
  "/",
  "/share/",
  "/share/?sort=size&order=desc",
  "/share/empty/",
  "/inbox/",
  "/?page=about",
  "/?page=peers",
  "/?page=upload",
  "/none",
];

/** Rules of style that are not of the standard, and what the standard leaves to us. */
const validator = new HtmlValidate({
  extends: ["html-validate:standard"],
  rules: {
    "long-title": "off",
    // The rows are written without a break; the rest is indented as the code is.
    "no-trailing-whitespace": "off",
  },
});

/** Serves files with names of all kinds, with everything that pages may show. */
async function withPages(body: (server: Served) => Promise<void>): Promise<void> {
  await inScratch(async (directory) => {
    writeFiles(directory, {
      'share/a "q" <b>&amp;.txt': "x",
      "share/empty/": "",
      "share/it's.png": "x",
      "inbox/x": "x",
      motd: "Hello\n",
    });
    const words = ["--motd", `${directory}/motd`, "--upload", `${directory}/inbox`];
    words.push("--peer", "http://127.0.0.1:9/", "--tar", "none", "zip", "--");
    words.push(`${directory}/share`, `${directory}/inbox`);
    await using server = await Served.start("quickserve", words);
    await body(server);
  });
}

Deno.test("axe-core finds nothing on any page, light or dark, on a desktop and on a phone", () =>
  withPages(async (server) => {
    const browser = await WatchedBrowser.start();
    try {
      for (
        const options of [
          { colorScheme: "light" },
          { colorScheme: "dark", viewport: { width: 360, height: 640 }, isMobile: true },
        ] as const
      ) {
        const page = await browser.open({ ...options, bypassCSP: true });
        for (const path of paths) {
          await page.goto(server.address + path);
          await page.addScriptTag({ content: axe.source });
          const { violations } = await page.evaluate<axe.AxeResults>("axe.run()");
          const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
          assertEquals([path, options.colorScheme, ...found], [path, options.colorScheme]);
        }
      }
    } finally {
      await browser.browser.close();
    }
  }));

Deno.test("html-validate finds nothing on any page", () =>
  withPages(async (server) => {
    for (const path of paths) {
      const html = await server.text(path, { headers: { Accept: "text/html" } });
      const report = await validator.validateString(html);
      const found = report.results.flatMap(({ messages }) =>
        messages.map(({ ruleId, message, line }) => `${line} ${ruleId}: ${message}`)
      );
      assertEquals([path, ...found], [path]);
    }
  }));

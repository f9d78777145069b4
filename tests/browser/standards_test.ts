/** Checks all pages with axe-core for accessibility, and with html-validate for valid HTML. */

import { Buffer } from "node:buffer";
import axe from "axe-core";
import { HtmlValidate } from "html-validate";
import { assertEquals } from "../assert.ts";
import { Served } from "../program.ts";
import { inScratch, writeFiles } from "../scratch.ts";
import { WatchedBrowser } from "./browser.ts";

/** The paths of the pages; the last ones are errors. */
const paths = [
  "/",
  "/share/",
  "/share/?sort=size&order=desc",
  "/?search=a",
  "/share/?search=none+such&sort=time",
  "/many/",
  "/share/empty/",
  "/inbox/",
  "/?page=about",
  "/?page=peers",
  "/?page=upload",
  "/none",
  "/?search=a+b+c+d+e+f+g+h+i+j+k",
];

/** Turns off rules of style that do not come from the HTML standard. */
const validator = new HtmlValidate({
  extends: ["html-validate:standard"],
  rules: {
    "long-title": "off",
    // Rows have no line breaks between them; other HTML has the indentation of the code.
    "no-trailing-whitespace": "off",
  },
});

/** Serves files with names of all kinds, with all features of the pages. */
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
    words.push(`${directory}/share`, `${directory}/inbox`, `${directory}/many`);
    // Create more entries than a page has rows.
    const many = Array.from({ length: 2001 }, (_, index) => [`many/<!--<script>${index}`, ""]);
    writeFiles(directory, Object.fromEntries(many));
    await using server = await Served.start("quickserve", words);
    await body(server);
  });
}

Deno.test("axe-core finds no fault on any page, light or dark, on a desktop and on a phone", () =>
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
        const check = async (what: string): Promise<void> => {
          await page.addScriptTag({ content: axe.source });
          const { violations } = await page.evaluate<axe.AxeResults>("axe.run()");
          const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
          assertEquals([what, options.colorScheme, ...found], [what, options.colorScheme]);
        };
        // axe-core would take a minute for a long page.
        for (const path of paths.filter((path) => path !== "/many/")) {
          await page.goto(server.address + path);
          await check(path);
        }
        await page.goto(`${server.address}/`);
        await page.getByRole("searchbox").fill("a");
        await page.getByRole("searchbox").fill("a q");
        await page.getByText("In directories below").waitFor();
        await check("results below");
        await page.getByRole("button", { name: "QR code" }).click();
        await check("QR code");
        await page.goto(`${server.address}/?page=upload`);
        const files = ["a.txt", "../b"].map((name) => {
          return { name, mimeType: "text/plain", buffer: Buffer.from("x") };
        });
        await page.getByLabel("Files to upload").setInputFiles(files);
        // `submit` bypasses the page's script: the form is sent as without script.
        await page.evaluate("document.querySelector('[data-upload] form').submit()");
        await page.getByRole("heading", { name: /uploaded/ }).waitFor();
        await check("result of an upload");
      }
    } finally {
      await browser.browser.close();
    }
  }));

Deno.test("html-validate finds no fault on any page", () =>
  withPages(async (server) => {
    const headers = { Accept: "text/html" };
    const form = new FormData();
    form.append("file", new File(["x"], "a.txt"));
    form.append("file", new File(["x"], ".."));
    const result = { headers, method: "POST", body: form };
    for (const path of [...paths, "/?page=upload&result"]) {
      const html = await server.text(path, path.endsWith("result") ? result : { headers });
      const report = await validator.validateString(html);
      const found = report.results.flatMap(({ messages }) =>
        messages.map(({ ruleId, message, line }) => `${line} ${ruleId}: ${message}`)
      );
      assertEquals([path, ...found], [path]);
    }
  }));

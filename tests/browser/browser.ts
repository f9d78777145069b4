/** Chromium, with a record of the errors that it reports. */

import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

const switches = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Reports violations of a page's policy as errors on its console. */
const policyWatch = `document.addEventListener("securitypolicyviolation", (event) =>
  console.error("policy: " + event.violatedDirective + " " + event.blockedURI));`;

/** Chromium, and the errors of its pages. */
export class WatchedBrowser {
  readonly browser: Browser;
  /** Errors of scripts, violations of the policy, and failed loads. */
  readonly complaints: string[] = [];

  private constructor(browser: Browser) {
    this.browser = browser;
  }

  static async start(): Promise<WatchedBrowser> {
    return new WatchedBrowser(
      await chromium.launch({ executablePath: "/usr/bin/chromium", args: switches }),
    );
  }

  /** Opens a page in a fresh profile. */
  async open(options: BrowserContextOptions = {}): Promise<Page> {
    const viewport = { width: 1000, height: 800 };
    const context = await this.browser.newContext({ viewport, ...options });
    const page = await context.newPage();
    page.on("console", (message) => {
      const isBad = message.type() === "error" || message.type() === "warning";
      if (isBad) this.complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`${page.url()}: ${error.message}`));
    await page.addInitScript(policyWatch);
    return page;
  }
}

/** Returns the visible names in a listing. */
export async function shownNames(page: Page): Promise<string[]> {
  return await page.locator("table.listing tbody tr:visible:not(.parent) th > :first-child")
    .allTextContents();
}

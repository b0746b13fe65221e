// What the tests of the page against the server in memory share: a browser, and a page that complains to nobody.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const client = join(dirname(fileURLToPath(import.meta.url)), "../../client/package.json");
const { chromium } = createRequire(client)("playwright-core");
/** How long a test waits for what has to come; also where several programs share a slow machine. */
const patienceMs = 30_000;
const flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];

export async function startBrowser(after) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags });
  after(() => browser.close());
  return browser;
}

/** `expected`: complaints of the browser that belong to the test. */
export async function openOn(browser, url, { expected = /Failed to load resource/, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 760 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error.stack)));
  page.on("console", (message) => message.type() === "error" && !expected.test(message.text()) && page.complaints.push(message.text()));
  page.setDefaultTimeout(patienceMs);
  await page.goto(url);
  return page;
}

/** Where a picture of the page goes if PICTURES names a folder: to be looked at. */
export async function picture(page, name) {
  if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, `${name}.png`) });
}

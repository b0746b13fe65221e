// Rotating a volume view in the real page (headless Chromium, loopback): pictures a second while the mouse moves 60 times
// a second, from an input to the first picture that shows it, and how soon the full picture and the still are there.
// node benchmarks/drag_bench.mjs [IMAGE]: without one a generated 512^3. NORA_PROGRAM: another nora to compare with.
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { launch, percentile, row, startNora, writePhantom } from "./page_support.mjs";

const wanted = { width: Number(process.env.W ?? 1280), height: Number(process.env.H ?? 720) };
const dragMs = 4000;
const intervalMs = 1000 / 60;

const framesAfter = (page, frame) =>
  page.evaluate((first) => window.nora.trace.filter((f) => f.view === "3d" && f.frame > first && f.tPresent !== null), frame);
const lastFrame = (page) => page.evaluate(() => window.nora.trace.at(-1)?.frame ?? 0);
const isStill = (page) => page.waitForFunction(() => window.nora.isStill("3d"), null, { timeout: 60000, polling: 20 });

/** The volume view alone, in the wanted size. */
async function openPage(browser, url) {
  const page = await browser.newPage({ viewport: { width: 1800, height: 1000 } });
  await page.goto(url);
  await page.waitForFunction(() => window.nora?.lastPresented("3d"), null, { timeout: 60000 });
  await page.keyboard.press("4");
  for (let i = 0; i < 6; ++i) {
    await page.waitForTimeout(700);
    await isStill(page);
    const now = await page.evaluate(() => window.nora.pictures["3d"]);
    if (now.width === wanted.width && now.height === wanted.height) return page;
    const view = page.viewportSize();
    await page.setViewportSize({ width: view.width + wanted.width - now.width, height: view.height + wanted.height - now.height });
  }
  throw new Error("the view does not get its size");
}

async function drag(page) {
  await isStill(page);
  const first = await lastFrame(page);
  const { x, y } = await page.evaluate(() => {
    const box = document.querySelector("nora-viewport[data-view='3d']").getBoundingClientRect();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  });
  await page.mouse.move(x, y);
  await page.mouse.down();
  const start = performance.now();
  for (let i = 1; performance.now() - start < dragMs; ++i) {
    await page.mouse.move(x + 200 * Math.sin(i / 40), y + 60 * Math.sin(i / 60));
    await new Promise((done) => setTimeout(done, Math.max(0, start + i * intervalMs - performance.now())));
  }
  const seconds = (performance.now() - start) / 1000;
  const moving = await framesAfter(page, first);
  await page.mouse.up();
  await isStill(page);
  const all = await framesAfter(page, first);
  const end = Math.max(...all.filter((f) => f.tEvent !== null).map((f) => f.tEvent));
  const until = (is) => all.find((f) => f.tPresent > end && is(f)).tPresent - end;
  const steady = moving.slice(Math.floor(moving.length / 4));
  return {
    perSecond: moving.length / seconds,
    photon: steady.filter((f) => f.tEvent !== null).map((f) => f.tPresent - f.tEvent),
    render: steady.map((f) => f.renderUs / 1000),
    width: steady.map((f) => f.width),
    changes: steady.filter((f, i) => i > 0 && f.width !== steady[i - 1].width).length,
    fullMs: until((f) => f.width === wanted.width),
    stillMs: until((f) => f.quality === "lossless"),
    after: all.filter((f) => f.tPresent > end).map((f) => `${f.quality} ${f.width} at ${Math.round(f.tPresent - end)}`),
  };
}

function rowsOf(what, d) {
  const name = `rotating ${image ? basename(image) : "512^3 phantom"}, ${what}, ${wanted.width}x${wanted.height}`;
  process.stderr.write(`${name}, after the last input: ${d.after.join(", ")}\n`);
  return [
    row("Q5", `${name}: pictures`, d.perSecond, "1/s"),
    row("", `${name}: input to picture, p50`, percentile(d.photon, 50), "ms"),
    row("", `${name}: input to picture, p95`, percentile(d.photon, 95), "ms"),
    row("", `${name}: drawing, p50`, percentile(d.render, 50), "ms"),
    row("", `${name}: width of the pictures, p50`, percentile(d.width, 50), "pixels"),
    row("", `${name}: changes of size`, d.changes, ""),
    row("", `${name}: last input to the first full picture`, d.fullMs, "ms"),
    row("", `${name}: last input to the still`, d.stillMs, "ms"),
  ];
}

const folder = mkdtempSync(join(tmpdir(), "nora-drag-"));
const image = process.argv[2];
if (image) copyFileSync(image, join(folder, basename(image)));
else writePhantom(join(folder, "phantom.nii"), 512);
const { server, url } = await startNora(folder);
const browser = await launch();
try {
  const page = await openPage(browser, url);
  const rows = [];
  await drag(page); // the bricks are there now, and what a picture takes is known
  rows.push(...rowsOf("shaded", await drag(page)));
  await page.keyboard.press("m");
  await page.waitForFunction(() => window.nora.scene.views[3].mode === "maximum");
  rows.push(...rowsOf("maximum", await drag(page)));
  process.stdout.write(JSON.stringify(rows) + "\n");
} finally {
  await browser.close();
  server.removeAllListeners("exit");
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}

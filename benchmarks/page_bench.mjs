// Input to photon (Q1): the real page in headless Chromium scrolls through slices at 1280x720, on loopback. Beside it, in
// the same run, the floor: a WebSocket that answers each input with one JPEG made before, decoded and drawn the same way.
// Photon: the first animation frame after the picture was drawn, on the clock of the input event.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFloor } from "./page_floor.mjs";
import { launch, percentile, program, row, startNora, writePhantom } from "./page_support.mjs";

const inputs = 200;
const wanted = { width: 1280, height: 720 };
const size = 256;

/** One input, going up and down: a wheel click or an arrow key. */
const give = {
  wheel: (page, i) => page.mouse.wheel(0, i % 80 < 40 ? 100 : -100),
  key: (page, i) => page.keyboard.press(i % 80 < 40 ? "ArrowUp" : "ArrowDown"),
};

async function measureFloor(browser, jpeg, kind) {
  const floor = await startFloor(jpeg);
  const page = await browser.newPage({ viewport: wanted });
  await page.goto(floor.url);
  await page.mouse.move(400, 400);
  await page.waitForTimeout(300);
  for (let i = 0; i < inputs; ++i) {
    await give[kind](page, i);
    await page.waitForFunction((n) => window.photons.length >= n, i + 1, { polling: 5 });
    await page.waitForTimeout(10 + ((i * 7) % 23));
  }
  const times = await page.evaluate(() => window.photons);
  await page.close();
  floor.server.close();
  floor.server.closeAllConnections();
  return times.slice(20);
}

/** Opens the page so that one slice view has exactly the wanted size. */
async function openPage(browser, url) {
  const page = await browser.newPage({ viewport: { width: 1800, height: 1000 } });
  await page.goto(url);
  await page.waitForFunction(() => window.nora?.lastPresented("axial"), null, { timeout: 60000 });
  await page.keyboard.press("1"); // the axial view alone
  for (let i = 0; i < 6; ++i) {
    await page.waitForTimeout(700);
    const now = await page.evaluate(() => {
      const frame = window.nora.lastPresented("axial");
      return { width: frame.width, height: frame.height };
    });
    if (now.width === wanted.width && now.height === wanted.height) return page;
    const view = page.viewportSize();
    await page.setViewportSize({ width: view.width + wanted.width - now.width, height: view.height + wanted.height - now.height });
  }
  throw new Error("the view does not get its size");
}

async function measureNora(page, kind) {
  // One animation frame is asked for after each drawing; a standing loop of frames would load the page.
  await page.evaluate(() => {
    const { prototype } = CanvasRenderingContext2D;
    const original = (window.drawImage ??= prototype.drawImage);
    prototype.drawImage = function (...values) {
      original.apply(this, values);
      requestAnimationFrame(() => {
        const entry = window.nora.trace.findLast((f) => f.tPresent !== null);
        if (entry?.tEvent !== null) window.photon?.({ ...entry, photon: performance.now() - entry.tEvent });
      });
    };
  });
  const box = await page.evaluate(() => {
    const largest = [...document.querySelectorAll("canvas")].map((c) => c.getBoundingClientRect()).sort((a, b) => b.width - a.width)[0];
    return { x: largest.x + largest.width / 2, y: largest.y + largest.height / 2 };
  });
  await page.mouse.move(box.x, box.y);
  const photons = [];
  const stages = { "event to sent": [], queue: [], render: [], encode: [], wait: [], "sent to received": [], decode: [], "drawn to photon": [], bytes: [] };
  for (let i = 0; i < inputs; ++i) {
    await page.evaluate(() => {
      window.seen = new Promise((resolve) => (window.photon = resolve));
    });
    await give[kind](page, i);
    const value = await page.evaluate(() => Promise.race([window.seen, new Promise((resolve) => setTimeout(resolve, 5000))]));
    if (!value) throw new Error("no picture within 5 s of an input");
    photons.push(value.photon);
    stages["event to sent"].push(value.tSend - value.tEvent);
    stages["sent to received"].push(value.tReceive - value.tSend);
    stages.decode.push(value.tDecoded - value.tReceive);
    stages["drawn to photon"].push(value.tEvent + value.photon - value.tPresent);
    stages.wait.push(value.waitUs / 1000);
    stages.queue.push(value.queueUs / 1000);
    stages.render.push(value.renderUs / 1000);
    stages.encode.push(value.encodeUs / 1000);
    stages.bytes.push(value.bytes);
    await page.waitForTimeout(10 + ((i * 7) % 23));
  }
  return { photons: photons.slice(20), stages };
}

const folder = mkdtempSync(join(tmpdir(), "nora-bench-"));
writePhantom(join(folder, "phantom.nii"), size);
const { server, url } = await startNora(folder);
const browser = await launch();
try {
  const page = await openPage(browser, url);
  const nora = { key: await measureNora(page, "key"), wheel: await measureNora(page, "wheel") };
  await page.close();
  execFileSync(program, ["render", join(folder, "phantom.nii"), "-o", join(folder, "still.png"), "--size", "1280x720"]);
  // The floor's JPEG is the same slice at the same quality.
  const script = "import sys,io;from PIL import Image;b=io.BytesIO();Image.open(sys.argv[1]).save(b,'JPEG',quality=80);sys.stdout.buffer.write(b.getvalue())";
  const jpeg = execFileSync("/usr/bin/python3", ["-c", script, join(folder, "still.png")]);
  const rows = [];
  for (const kind of ["key", "wheel"]) {
    const floor = await measureFloor(browser, jpeg, kind);
    const { photons } = nora[kind];
    const name = `input (${kind}) to photon, slices 1280x720, JPEG, loopback`;
    rows.push(row("Q1", `${name}, p50`, percentile(photons, 50), "ms", 25, "floor: echo of a ready JPEG", percentile(floor, 50)));
    rows.push(row("Q1", `${name}, p99`, percentile(photons, 99), "ms", 50, "floor: echo of a ready JPEG", percentile(floor, 99)));
  }
  const { stages } = nora.key;
  for (const [stage, values] of Object.entries(stages)) {
    const isSize = stage === "bytes";
    rows.push(row("", isSize ? "size of a frame, p50" : `of that: ${stage}, p50`, percentile(values, 50) / (isSize ? 1024 : 1), isSize ? "KiB" : "ms"));
  }
  process.stdout.write(JSON.stringify(rows) + "\n");
} finally {
  await browser.close();
  server.removeAllListeners("exit");
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}

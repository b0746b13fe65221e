// Opening: the first picture, grey levels against nibabel, files that cannot be opened, a server that goes and comes.
import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import {
  assertNoComplaints, checkPixels, openEntry, openPage, picture, pixels, scene, serve, slices, start, still, viewport, views,
} from "./support.mjs";

const here = await start(after);

async function setWindow(page, low, high) {
  for (const [end, value] of [["high", high], ["low", low]]) {
    await page.locator(`[data-window=${end}]`).fill(String(value));
    await page.locator(`[data-window=${end}]`).press("Enter");
  }
  await still(page);
}

test("the page opens a T1 by itself and shows four pictures that are not black", async () => {
  const page = await openPage(here);
  const { layers } = await scene(page);
  assert.match(layers[0].source.path, /^[^/]+\/sub-01\/anat\/sub-01_T1w\.nii\.gz$/);
  for (const view of views) {
    const { width, height } = await picture(page, view);
    const line = Array.from({ length: 60 }, (_, i) => [Math.floor((width * i) / 60), Math.floor(height / 2)]);
    const greys = (await pixels(page, view, line)).map(([r]) => r);
    assert.ok(Math.max(...greys) > 60, `${view} is black: ${greys}`);
    assert.ok(Math.min(...greys) < 30, `${view} has no background: ${greys}`);
    const box = await viewport(page, view).boundingBox();
    assert.ok(Math.abs(width - box.width) < 1 && Math.abs(height - box.height) < 1, `${width} x ${height} in ${view}`);
  }
  const lossless = await page.evaluate(() => window.nora.trace.filter((f) => f.quality === "lossless" && f.tPresent));
  assert.ok(lossless.length >= 4);
  for (const frame of lossless) assert.notEqual(frame.verified, false, `frame ${frame.frame} arrived changed`);
  assert.ok(lossless.some((frame) => frame.verified === true));
  assertNoComplaints(page);
  await page.close();
});

test("a still picture has the trilinear grey levels that nibabel computes", async () => {
  const page = await openPage(here);
  await openEntry(page, "smooth.nii");
  await setWindow(page, -60, 90);
  const { layers } = await scene(page);
  assert.deepEqual([layers[0].windowLow, layers[0].windowHigh], [-60, 90]);
  for (const view of slices) await checkPixels(page, view, join(here.folder, "sub-02/smooth.nii"), { low: -60, high: 90 });
  assertNoComplaints(page);
  await page.close();
});

test("a still picture without interpolation has the grey levels of the nearest voxels", async () => {
  const page = await openPage(here);
  await openEntry(page, "noise.nii");
  await setWindow(page, 0, 999);
  await page.locator("[data-fold=More] .fold-head").click();
  await page.locator("select[id^=interpolation]").selectOption("nearest");
  await page.locator("nora-viewport[data-view=axial]").focus();
  await page.keyboard.press("Escape");
  await page.locator("[title^='Centre the crosshair']").click(); // from between two voxels onto one
  await still(page);
  const file = join(here.folder, "sub-02/noise.nii");
  for (const view of slices) await checkPixels(page, view, file, { low: 0, high: 999, mode: "nearest" });
  await page.close();
});

test("a file that is cut off is listed with its reason, and opening it says why", async () => {
  const page = await openPage(here);
  const row = page.locator(".row.entry", { hasText: "truncated.nii.gz" });
  assert.match(await row.getAttribute("class"), /failed|unsupported/);
  assert.match(await row.getAttribute("title"), /Cannot be opened: \S/);
  await row.click({ force: true }); // it says that it is disabled
  const toast = page.locator(".toast.error");
  await toast.waitFor();
  assert.match(await toast.textContent(), /truncated\.nii\.gz cannot be opened: \S/);
  await row.click({ force: true });
  assert.equal(await toast.count(), 1, "it is said once");
  await openEntry(page, "noise.nii");
  assert.equal(await toast.count(), 0, "its cause is gone");
  await page.getByRole("button", { name: /^Problems/ }).click();
  await page.locator(".row .reason").first().waitFor();
  assert.ok((await page.locator(".row .reason").first().textContent()).length > 5);
  assertNoComplaints(page);
  await page.close();
});

test("an image that is gone since the scan is refused by name, and the open one stays", async () => {
  const page = await openPage(here);
  const before = await scene(page);
  const file = join(here.folder, "sub-01/anat/sub-01_flipped.nii.gz");
  renameSync(file, `${file}.away`);
  try {
    await page.locator(".row.entry", { hasText: "sub-01_flipped" }).click();
    const failure = page.locator(".opening.failure");
    await failure.waitFor();
    assert.match(await failure.textContent(), /sub-01_flipped\.nii\.gz could not be opened\.\s+\S/);
    await failure.getByRole("button", { name: "Close" }).click();
    await failure.waitFor({ state: "detached" });
    assert.deepEqual(await scene(page), before);
  } finally {
    renameSync(`${file}.away`, file);
  }
  await page.close();
});

test("the picture of another image is not shown under a new name", async () => {
  let delayMs = 0;
  const prepare = (page) => page.routeWebSocket(/stream/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      if (typeof message === "string" || delayMs === 0) socket.send(message);
      else setTimeout(() => socket.send(message), delayMs);
    });
  });
  const page = await openPage(here, { prepare });
  delayMs = 700;
  await page.locator(".row.entry", { hasText: "noise.nii" }).click();
  await page.waitForFunction(() => window.nora.scene.layers[0].source.path.endsWith("noise.nii"));
  for (const view of views) {
    assert.equal(await viewport(page, view).locator(".quality").textContent().then((t) => t.trim()), "", view);
    const shown = await viewport(page, view).evaluate((v) => {
      const { width, height } = v.querySelector("canvas.picture");
      return v.querySelector("canvas.picture").getContext("2d").getImageData(0, 0, width, height).data.some((c, i) => i % 4 !== 3 && c > 0);
    });
    assert.equal(shown, false, `${view} shows the old picture`);
  }
  delayMs = 0;
  await still(page);
  assert.equal(await viewport(page, "3d").locator(".quality").textContent().then((t) => t.trim()), "lossless");
  assertNoComplaints(page);
  await page.close();
});

test("a file name that looks like markup is shown as text", async () => {
  const page = await openPage(here);
  const row = page.locator(".row.entry", { hasText: "onerror" });
  assert.match(await row.locator(".name").textContent(), /^<img src=x onerror=/);
  await openEntry(page, "onerror");
  await page.waitForTimeout(100);
  assert.equal(await page.title(), "nora");
  assert.equal(await page.locator("img").count(), 0);
  assert.match(await page.locator(".layer-name").textContent(), /<img src=x/);
  assertNoComplaints(page);
  await page.close();
});

test("when the server goes the page says so, and goes on with its scene when it is back", async () => {
  const server = await serve(here.folder);
  const page = await openPage({ browser: here.browser, server });
  await openEntry(page, "noise.nii");
  await page.locator("select[id^=map]").selectOption("viridis");
  await still(page);
  const before = await scene(page);
  await server.stop();
  await page.locator(".banner").waitFor();
  assert.match(await page.locator(".banner").textContent(), /connection/i);
  const again = await serve(here.folder, server.port);
  try {
    await page.locator(".banner").waitFor({ state: "detached" });
    await page.waitForFunction(() => Object.values(window.nora.images).every((image) => image.state === "ready"));
    await still(page);
    assert.deepEqual(await scene(page), before);
    const { width, height } = await picture(page, "axial");
    const [[r, g, b]] = await pixels(page, "axial", [[width >> 1, height >> 1]]);
    assert.ok(Math.max(r, g, b) - Math.min(r, g, b) > 10, "the colours are gone");
  } finally {
    await page.close();
    await again.stop();
  }
});

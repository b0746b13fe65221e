// Layers: overlays, thresholds, colours, windows by hand, order, time.
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { after } from "node:test";
import {
  assertNoComplaints, checkPixels, clickWorld, openEntry, openPage, picture, pixelOf, pixels, readValues, scene, start, still,
  viewport,
} from "./support.mjs";

const here = await start(after);

async function fill(page, selector, value) {
  await page.locator(selector).fill(String(value));
  await page.locator(selector).press("Enter");
  await still(page);
}

async function colourAt(page, view, world) {
  const [x, y] = pixelOf(await picture(page, view), world).map(Math.floor);
  const [colour] = await pixels(page, view, [[x, y]]);
  return colour;
}

const isGrey = ([r, g, b]) => Math.max(r, g, b) - Math.min(r, g, b) <= 2;

test("an overlay is drawn above its threshold and the background below it", async () => {
  const page = await openPage(here);
  await openEntry(page, "stat-t_statmap", true);
  const { layers, crosshairMm } = await scene(page);
  assert.equal(layers.length, 2);
  await clickWorld(page, "axial", [20, 0, crosshairMm[2]]);
  await page.locator("select[id^=map]").selectOption("green");
  await fill(page, "[data-window=high]", 10);
  await fill(page, "[data-window=low]", 0);
  await fill(page, "[data-threshold=thresholdLow]", 5);
  const plane = (await scene(page)).crosshairMm[2];
  const inside = await colourAt(page, "axial", [20, 0, plane]);
  assert.ok(inside[1] > 100 && inside[1] > inside[0] + 60, `no green in ${inside}`);
  const below = await colourAt(page, "axial", [20, 27, plane]);
  assert.ok(isGrey(below), `${below} is not the grey of the background`);
  assert.ok(below[0] > 20, "the background is not drawn below the overlay");
  await page.getByRole("button", { name: "clear" }).click();
  await still(page);
  assert.ok(!isGrey(await colourAt(page, "axial", [20, 18, plane])), "clearing the threshold shows nothing more");

  await page.locator(".layer.selected .eye").click();
  await still(page);
  assert.ok(isGrey(await colourAt(page, "axial", [20, 0, plane])), "a hidden layer is drawn");
  await page.locator(".layer.selected .eye").click();
  await page.locator("input[id^=opacity]").fill("0.5");
  await still(page);
  const half = await colourAt(page, "axial", [20, 0, plane]);
  assert.ok(half[0] > 20 && half[1] > half[0] + 20, `half opacity gives ${half}`);
  assertNoComplaints(page);
  await page.close();
});

test("the read-out lists every layer in its own grid", async () => {
  const page = await openPage(here);
  await openEntry(page, "noise.nii", true);
  await clickWorld(page, "coronal", [11, (await scene(page)).crosshairMm[1], 9]);
  await page.waitForFunction(() => {
    const { values, scene: s } = window.nora;
    return values.crosshair?.layers.length === 2 && values.crosshair.mm.every((v, i) => v === s.crosshairMm[i]);
  });
  const { crosshairMm } = await scene(page);
  const cells = await page.locator("tr[data-reading=crosshair] .value").allTextContents();
  const files = ["sub-01/anat/sub-01_T1w.nii.gz", "sub-02/noise.nii"];
  files.forEach((file, i) => {
    const [expected] = readValues(join(here.folder, file), [crosshairMm]);
    assert.equal(Number(cells[i].replace("−", "-")), expected.value, file);
  });
  await page.close();
});

test("W + drag windows the selected layer and the picture follows", async () => {
  const page = await openPage(here);
  await openEntry(page, "smooth.nii");
  await fill(page, "[data-window=high]", 80);
  await fill(page, "[data-window=low]", -80);
  const box = await viewport(page, "axial").boundingBox();
  const at = { x: box.x + 150, y: box.y + 150 };
  for (const button of ["left", "middle"]) {
    const before = (await scene(page)).layers[0];
    const { crosshairMm } = await scene(page);
    if (button === "left") await page.keyboard.down("w");
    await page.mouse.move(at.x, at.y);
    await page.mouse.down({ button });
    await page.mouse.move(at.x + 50, at.y - 25, { steps: 5 });
    await page.mouse.up({ button });
    if (button === "left") await page.keyboard.up("w");
    await still(page);
    const after = (await scene(page)).layers[0];
    const width = before.windowHigh - before.windowLow;
    const grown = (after.windowHigh - after.windowLow) / width;
    assert.ok(Math.abs(grown - Math.exp(0.2)) < 1e-6, `the width grew by ${grown}`);
    const level = (after.windowHigh + after.windowLow - before.windowHigh - before.windowLow) / 2;
    assert.ok(Math.abs(level + 0.1 * width) < 1e-6, `the level moved by ${level}`);
    assert.deepEqual((await scene(page)).crosshairMm, crosshairMm);
  }
  const { windowLow: low, windowHigh: high } = (await scene(page)).layers[0];
  await checkPixels(page, "axial", join(here.folder, "sub-02/smooth.nii"), { low, high });
  await page.close();
});

test("windows and thresholds that leave nothing are refused at their field", async () => {
  const page = await openPage(here);
  const range = async () => {
    const { windowLow, windowHigh, thresholdLow, thresholdHigh } = (await scene(page)).layers[0];
    return [windowLow, windowHigh, thresholdLow, thresholdHigh];
  };
  await fill(page, "[data-window=high]", 800);
  await fill(page, "[data-window=low]", 100);
  for (const [field, value] of [["low", 900], ["low", 800], ["high", 50]]) {
    await page.locator(`[data-window=${field}]`).fill(String(value));
    await page.locator(`[data-window=${field}]`).press("Enter");
    assert.match(await page.locator("[data-refusal=window]").textContent(), new RegExp(`${field} ${value} is not`));
    assert.deepEqual(await range(), [100, 800, null, null]);
    assert.equal(await page.locator(`[data-window=${field}]`).inputValue(), field === "low" ? "100" : "800");
  }
  await fill(page, "[data-window=low]", 200);
  assert.equal(await page.locator("[data-refusal]").count(), 0);
  await fill(page, "[data-threshold=thresholdLow]", 300);
  await page.locator("[data-threshold=thresholdHigh]").fill("200");
  await page.locator("[data-threshold=thresholdHigh]").press("Enter");
  assert.match(await page.locator("[data-refusal=threshold]").textContent(), /nothing would be drawn/);
  await fill(page, "[data-threshold=thresholdHigh]", 300); // one value is something
  assert.deepEqual(await range(), [200, 800, 300, 300]);
  const low = page.locator("[data-handle=low]");
  for (let i = 0; i < 40; ++i) await low.press("PageUp");
  const [from, to] = await range();
  assert.ok(from < to && to === 800, `the slider went from ${from} to ${to}`);
  assertNoComplaints(page);
  await page.close();
});

test("a time step shows the pixels of the other volume", async () => {
  const page = await openPage(here);
  assert.equal(await page.locator(".time").count(), 0);
  await openEntry(page, "series_bold.nii");
  await fill(page, "[data-window=high]", 1000);
  await fill(page, "[data-window=low]", 0);
  const file = join(here.folder, "sub-02/series_bold.nii");
  await viewport(page, "axial").focus(); // out of the field, which keeps its keys
  for (const time of [0, 1, 2]) {
    assert.equal((await scene(page)).layers[0].time, time);
    for (const view of ["axial", "sagittal"]) await checkPixels(page, view, file, { low: 0, high: 1000, time });
    await page.waitForFunction((v) => window.nora.values.crosshair?.layers[0]?.value === v, 100 + 400 * time);
    await page.keyboard.press("]");
    await still(page);
  }
  assert.equal((await scene(page)).layers[0].time, 0, "the last step goes on at the first volume");
  await page.locator(".time input[type=range]").fill("2");
  await still(page);
  await checkPixels(page, "axial", file, { low: 0, high: 1000, time: 2 });
  await page.locator(".time select").selectOption("20");
  await page.keyboard.press("Escape");
  await viewport(page, "axial").focus();
  await page.keyboard.press(" ");
  await page.waitForFunction(() => window.nora.trace.filter((f) => f.view === "axial" && f.quality !== "lossless").length > 3);
  await page.keyboard.press(" ");
  assertNoComplaints(page);
  await page.close();
});

test("layers change their order and go", async () => {
  const page = await openPage(here);
  await openEntry(page, "stat-t_statmap", true);
  const ids = (await scene(page)).layers.map((layer) => layer.id);
  await page.locator(".layer.selected").getByRole("button", { name: /^Move .* back$/ }).click();
  await still(page);
  assert.deepEqual((await scene(page)).layers.map((layer) => layer.id), [ids[1], ids[0]]);
  await page.locator(`.layer[data-layer="${ids[1]}"]`).getByRole("button", { name: /^Remove/ }).click();
  await still(page);
  assert.deepEqual((await scene(page)).layers.map((layer) => layer.id), [ids[0]]);
  await page.locator(".layer").getByRole("button", { name: /^Remove/ }).click();
  await page.locator(".readout", { hasText: "Nothing is open." }).waitFor();
  assertNoComplaints(page);
  await page.close();
});

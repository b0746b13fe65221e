// Moving about: crosshair, scroll, zoom, pan, rotate, one view alone; by mouse, keys and finger.
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { after, before } from "node:test";
import {
  assertNoComplaints, clickWorld, openEntry, openPage, pagePoint, picture, pixelOf, pixels, readValues, scene, start, still,
  viewport, worldAt,
} from "./support.mjs";

const here = await start(after);
const noise = join(here.folder, "sub-02/noise.nii");
let page;

before(async () => {
  page = await openPage(here);
  await openEntry(page, "noise.nii");
  await page.keyboard.press("c"); // from between two voxels onto one
  await still(page);
});

/** What the read-out says under the crosshair, once the server has answered for where it is now. */
async function readOut() {
  await page.waitForFunction(() => {
    const at = window.nora.values.crosshair?.mm;
    return at !== undefined && at.every((v, i) => v === window.nora.scene.crosshairMm[i]);
  });
  const row = page.locator("tr[data-reading=crosshair]");
  const number = (text) => Number(text.replace("−", "-"));
  return {
    mm: (await row.locator(".mm").textContent()).split(",").map(number),
    voxel: (await row.locator(".voxel").textContent()).split(",").map(number),
    value: number(await row.locator(".value").first().textContent()),
  };
}

const near = (a, b, tolerance, what) =>
  a.forEach((v, i) => assert.ok(Math.abs(v - b[i]) <= tolerance, `${what}: ${a} is not ${b}`));

async function middleOf(view) {
  const box = await viewport(page, view).boundingBox();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

test("a click moves the crosshair there, keeps the plane, and the read-out is the file's", async () => {
  for (const [view, plane, world] of [["axial", 2, [-20, 31, 0]], ["coronal", 1, [14, 0, -22]], ["sagittal", 0, [0, -40, 25]]]) {
    const { crosshairMm } = await scene(page);
    const target = world.map((v, i) => (i === plane ? crosshairMm[i] : v));
    await clickWorld(page, view, target);
    const moved = (await scene(page)).crosshairMm;
    near(moved, target, 1e-3, `crosshair after a click on ${view}`);
    const shown = await readOut();
    const [expected] = readValues(noise, [moved]);
    assert.deepEqual(shown.voxel, expected.voxel);
    assert.equal(shown.value, expected.value);
    near(shown.mm, moved, 0.051, "read-out");
  }
  assertNoComplaints(page);
});

test("a drag moves the crosshair with the hand and the other views follow", async () => {
  await page.keyboard.press("c");
  await still(page);
  const from = await pagePoint(page, "axial", [0, 0, 0]);
  const coronal = (await picture(page, "coronal")).origin[1];
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  for (let i = 1; i <= 10; ++i) await page.mouse.move(from.x + 4 * i, from.y - 3 * i);
  await page.mouse.up();
  await still(page);
  const { crosshairMm } = await scene(page);
  const at = pixelOf(await picture(page, "axial"), crosshairMm);
  const box = await viewport(page, "axial").boundingBox();
  near(at, [from.x + 40 - box.x, from.y - 30 - box.y], 0.6, "crosshair in the axial view");
  const followed = (await picture(page, "coronal")).origin[1];
  assert.notEqual(followed, coronal);
  assert.ok(Math.abs(followed - crosshairMm[1]) < 1e-6);
});

test("a wheel click scrolls by exactly one voxel, five clicks by five", async () => {
  for (const [view, axis] of [["axial", 2], ["coronal", 1], ["sagittal", 0]]) {
    await page.keyboard.press("c");
    const { x, y } = await middleOf(view);
    await page.mouse.move(x, y);
    const start = (await readOut()).voxel;
    await page.mouse.wheel(0, -100);
    await page.waitForTimeout(50);
    const up = (await readOut()).voxel;
    assert.deepEqual(up.map((v, i) => v - start[i]), [0, 1, 2].map((i) => (i === axis ? 1 : 0)), view);
    for (let i = 0; i < 5; ++i) await page.mouse.wheel(0, 100);
    await page.waitForTimeout(100);
    const down = (await readOut()).voxel;
    assert.deepEqual(down.map((v, i) => v - up[i]), [0, 1, 2].map((i) => (i === axis ? -5 : 0)), view);
  }
});

test("wheel and keys end at the middle of the first and the last slice", async () => {
  const { dims } = (await page.evaluate(() => Object.values(window.nora.images)[0])).info;
  for (const [view, axis] of [["axial", 2], ["coronal", 1], ["sagittal", 0]]) {
    const { x, y } = await middleOf(view);
    await page.mouse.move(x, y);
    for (const [wheel, key, end] of [[-100, "PageUp", dims[axis] - 1], [100, "PageDown", 0]]) {
      for (let i = 0; i < 6; ++i) await page.keyboard.press(key);
      for (let i = 0; i < 3; ++i) await page.mouse.wheel(0, wheel);
      await still(page);
      const { crosshairMm } = await scene(page);
      const [{ at }] = readValues(noise, [crosshairMm]);
      assert.ok(Math.abs(at[axis] - end) < 1e-3, `${view}: voxel ${at[axis]} is not ${end}`);
    }
    await page.keyboard.press("c");
  }
});

test("the picture after a scroll is the next slice", async () => {
  await page.keyboard.press("c");
  const { x, y } = await middleOf("axial");
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -100);
  await still(page);
  const geometry = await picture(page, "axial");
  const { crosshairMm } = await scene(page);
  assert.ok(Math.abs(geometry.origin[2] - crosshairMm[2]) < 1e-6);
});

test("arrow keys scroll the view under the cursor", async () => {
  const { x, y } = await middleOf("coronal");
  await page.mouse.move(x, y);
  const start = (await readOut()).voxel;
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.waitForTimeout(50);
  const { voxel } = await readOut();
  assert.deepEqual(voxel.map((v, i) => v - start[i]), [0, 2, 0]);
});

test("ctrl + wheel zooms about the cursor", async () => {
  await page.keyboard.press("r");
  await still(page);
  const box = await viewport(page, "axial").boundingBox();
  const at = [Math.round(box.width * 0.7), Math.round(box.height * 0.3)];
  const before = await picture(page, "axial");
  const fixed = worldAt(before, at);
  await page.mouse.move(box.x + at[0] + 0.5, box.y + at[1] + 0.5);
  await page.keyboard.down("Control");
  for (let i = 0; i < 3; ++i) await page.mouse.wheel(0, -100);
  await page.keyboard.up("Control");
  await still(page);
  const after = await picture(page, "axial");
  const grown = before.right[0] / after.right[0];
  assert.ok(Math.abs(grown - 1.15 ** 3) < 1e-6, `zoomed by ${grown}`);
  near(pixelOf(after, fixed), [at[0] + 0.5, at[1] + 0.5], 0.6, "the point under the cursor");
  const other = (await scene(page)).views.find((view) => view.name === "coronal");
  assert.equal(other.zoom, 1);
});

test("a right drag moves the picture with the hand", async () => {
  await page.keyboard.press("r");
  await still(page);
  const box = await viewport(page, "sagittal").boundingBox();
  const before = await picture(page, "sagittal");
  const world = worldAt(before, [100, 100]);
  await page.mouse.move(box.x + 100.5, box.y + 100.5);
  await page.mouse.down({ button: "right" });
  await page.mouse.move(box.x + 120, box.y + 110, { steps: 4 });
  await page.mouse.move(box.x + 140.5, box.y + 75.5, { steps: 4 });
  await page.mouse.up({ button: "right" });
  await still(page);
  near(pixelOf(await picture(page, "sagittal"), world), [140.5, 75.5], 0.6, "the point under the hand");
  await page.keyboard.press("r");
});

test("dragging the 3D view turns it, the wheel zooms it", async () => {
  await still(page);
  const { x, y } = await middleOf("3d");
  const before = (await scene(page)).views.find((view) => view.kind === "volume");
  const { forward } = await picture(page, "3d");
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 60, y + 20, { steps: 6 });
  await page.mouse.up();
  await page.mouse.wheel(0, -100);
  await still(page);
  const after = (await scene(page)).views.find((view) => view.kind === "volume");
  assert.ok(Math.abs(after.azimuthDeg - before.azimuthDeg + 24) < 1e-6, `azimuth ${after.azimuthDeg}`);
  assert.ok(Math.abs(after.elevationDeg - before.elevationDeg - 8) < 1e-6, `elevation ${after.elevationDeg}`);
  assert.ok(after.zoom > before.zoom);
  const turned = (await picture(page, "3d")).forward;
  assert.ok(turned.reduce((sum, v, i) => sum + v * forward[i], 0) < 0.99);
});

test("a double click shows one view alone, Escape shows all again", async () => {
  const { x, y } = await middleOf("coronal");
  const { crosshairMm } = await scene(page);
  await page.mouse.dblclick(x + 30, y - 20);
  await still(page);
  assert.equal(await page.locator("nora-viewport:visible").count(), 1);
  assert.deepEqual((await scene(page)).crosshairMm, crosshairMm, "it is no click");
  const { width } = await picture(page, "coronal");
  const box = await viewport(page, "coronal").boundingBox();
  assert.equal(width, Math.round(box.width));
  assert.ok(width > 500);
  await page.keyboard.press("Escape");
  await still(page);
  assert.equal(await page.locator("nora-viewport:visible").count(), 4);
});

test("the value under the cursor is read without moving the crosshair", async () => {
  await page.keyboard.press("c");
  await readOut();
  const { crosshairMm } = await scene(page);
  const world = [22.5, -13.5, crosshairMm[2]]; // the middle of a voxel
  const { x, y } = await pagePoint(page, "axial", world);
  await page.mouse.move(x - 5, y);
  await page.mouse.move(x, y);
  await page.waitForFunction((w) => window.nora.values.cursor?.mm.every((v, i) => Math.abs(v - w[i]) < 0.01), world);
  const [expected] = readValues(noise, [world]);
  const text = await page.locator("tr[data-reading=cursor] .value").textContent();
  assert.equal(Number(text), expected.value);
  assert.deepEqual((await scene(page)).crosshairMm, crosshairMm);
});

test("a tap moves the crosshair, two fingers zoom and move", async () => {
  const touch = await openPage(here, { hasTouch: true });
  await openEntry(touch, "noise.nii");
  const target = [15, 20, (await scene(touch)).crosshairMm[2]];
  const tap = await pagePoint(touch, "axial", target);
  await touch.touchscreen.tap(tap.x, tap.y);
  near((await scene(touch)).crosshairMm, target, 1, "crosshair after a tap");
  const box = await viewport(touch, "axial").boundingBox();
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const client = await touch.context().newCDPSession(touch);
  const fingers = (spread) => [-spread, spread].map((d, id) => ({ x: middle.x + d, y: middle.y, id }));
  await client.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: fingers(30) });
  for (let spread = 35; spread <= 60; spread += 5) {
    await client.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: fingers(spread) });
  }
  await client.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await still(touch);
  const after = await scene(touch);
  assert.ok(Math.abs(after.views[0].zoom - 2) < 0.1, `zoom ${after.views[0].zoom}`);
  near(after.crosshairMm, target, 1, "crosshair after a pinch");
  await touch.close();
});

test("after an image was opened by a click the arrow keys are the views'", async () => {
  await openEntry(page, "noise.nii");
  const before = (await scene(page)).crosshairMm;
  await page.keyboard.press("ArrowUp");
  assert.notDeepEqual((await scene(page)).crosshairMm, before);
  await page.locator(".row.group").first().click(); // closes it, and the list has the keys
  await page.locator(".row.group").first().click();
  const { crosshairMm } = await scene(page);
  await page.keyboard.press("ArrowDown");
  assert.deepEqual((await scene(page)).crosshairMm, crosshairMm);
  assert.match(await page.locator("#row-current").textContent(), /\S/);
  await still(page);
});

test("? opens the help and closes it", async () => {
  await viewport(page, "axial").focus();
  await page.keyboard.press("?");
  await page.locator("dialog.help[open]").waitFor();
  await page.keyboard.press("?");
  await page.locator("dialog.help").waitFor({ state: "detached" });
});

test("every frame is acknowledged and no complaint was made", async () => {
  const black = await pixels(page, "axial", [[0, 0]]);
  assert.equal(black.length, 1);
  const trace = await page.evaluate(() => window.nora.trace);
  assert.ok(trace.filter((frame) => frame.tPresent !== null && frame.tEvent !== null).length > 20);
  for (const frame of trace) {
    assert.ok(frame.tDecoded === null || frame.tDecoded >= frame.tReceive);
    assert.notEqual(frame.verified, false);
  }
  assertNoComplaints(page);
});

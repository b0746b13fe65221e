// The controls of layers and views: the folds, slabs, 3D modes and cuts, the curve of a volume, by mouse and keys.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { assertNoComplaints, clickWorld, openEntry, openPage, scene, slices, start, still, viewport } from "./support.mjs";

const here = await start(after);

const openFold = (page, name) => page.locator(`[data-fold="${name}"] .fold-head`).click();
const layerOf = async (page) => (await scene(page)).layers[0];
const viewOf = async (page, name) => (await scene(page)).views.find((view) => view.name === name);

/** Views of which pictures come while something is done. */
async function drawnBy(page, work) {
  await still(page);
  const before = await page.evaluate(() => window.nora.trace.at(-1).frame);
  await work();
  await still(page);
  return page.evaluate((frame) => [...new Set(window.nora.trace.filter((f) => f.frame > frame && f.ahead === 0).map((f) => f.view))].sort(), before);
}

const bytesOf = (page, view) =>
  viewport(page, view).evaluate((v) => {
    const { data } = v.querySelector("canvas.picture").getContext("2d").getImageData(0, 0, 400, 300);
    return data.reduce((sum, byte, i) => (sum * 31 + byte * (i % 7)) % 1000003, 0);
  });

test("a slab changes the slices and nothing else, by keys and by hand", async () => {
  const page = await openPage(here);
  await viewport(page, "axial").hover();
  await viewport(page, "axial").focus();
  assert.deepEqual(await drawnBy(page, () => page.keyboard.press("m")), [...slices].sort());
  assert.deepEqual((({ slabMm, slabMode }) => [slabMm, slabMode])(await viewOf(page, "coronal")), [10, "maximum"]);
  assert.equal(await viewport(page, "axial").locator(".shows").textContent(), "10 mm maximum");
  await page.keyboard.press(".");
  assert.equal((await viewOf(page, "axial")).slabMm, 15);
  await page.keyboard.press(",");
  for (const mode of ["minimum", "mean"]) {
    await page.keyboard.press("m");
    assert.equal((await viewOf(page, "axial")).slabMode, mode);
  }
  await page.keyboard.press("m");
  assert.equal((await viewOf(page, "axial")).slabMm, 0);
  await openFold(page, "Slices");
  await page.getByLabel("Thickness of the slab").fill("7.5");
  await page.getByLabel("Thickness of the slab").press("Enter");
  assert.equal((await viewOf(page, "sagittal")).slabMm, 7.5);
  assert.deepEqual(await drawnBy(page, () => page.getByRole("button", { name: "Minimum", exact: true }).click()), [...slices].sort());
  assertNoComplaints(page);
  await page.close();
});

test("the 3D view has modes, slices, cuts that follow the crosshair, and a crop box", async () => {
  const page = await openPage(here);
  await page.locator("[data-window=low]").fill("0"); // the mean along a ray is low
  await page.locator("[data-window=low]").press("Enter");
  await still(page);
  await openFold(page, "3D view");
  const pictures = new Set([await bytesOf(page, "3d")]);
  for (const mode of ["maximum", "minimum", "mean", "isosurface", "shaded"]) {
    const drawn = await drawnBy(page, () => page.locator("#volume-mode").selectOption(mode));
    assert.deepEqual(drawn, ["3d"], mode);
    pictures.add(await bytesOf(page, "3d"));
  }
  assert.equal(pictures.size, 5, "two modes look alike, or shaded does not come back");
  await page.getByRole("button", { name: "Cut off right" }).click();
  await page.getByRole("button", { name: "Cut off left" }).click();
  let { clipPlanes } = await viewOf(page, "3d");
  assert.deepEqual(clipPlanes.map(({ normal }) => normal), [[-1, 0, 0]]);
  await clickWorld(page, "axial", [12, 10, 0]);
  const { crosshairMm } = await scene(page);
  ({ clipPlanes } = await viewOf(page, "3d"));
  assert.deepEqual(clipPlanes[0].pointMm, crosshairMm);
  await page.getByRole("button", { name: "Cut off left" }).click();
  await page.getByRole("button", { name: "axial slice in 3D" }).click();
  assert.deepEqual((await viewOf(page, "3d")).slices, ["axial"]);
  const whole = await bytesOf(page, "3d");
  await page.getByRole("button", { name: "Box" }).click();
  const handle = page.getByRole("slider", { name: "Crop left – right, high" });
  await handle.focus();
  for (let n = 0; n < 5; ++n) await page.keyboard.press("PageDown");
  await still(page);
  const { crop } = await viewOf(page, "3d");
  assert.ok(crop.highMm[0] < 50 && crop.lowMm[0] === -60, JSON.stringify(crop));
  assert.notEqual(await bytesOf(page, "3d"), whole);
  assert.match(await viewport(page, "3d").locator(".shows").textContent(), /cropped/);
  await page.getByRole("button", { name: "Box" }).click();
  assert.equal((await viewOf(page, "3d")).crop, null);
  await page.getByRole("button", { name: "Box" }).click();
  assert.deepEqual((await viewOf(page, "3d")).crop, crop, "the switch brings the box back");
  assertNoComplaints(page);
  await page.close();
});

test("points of the curve are dragged, added and taken away, and the 3D view alone follows", async () => {
  const page = await openPage(here);
  await openFold(page, "In 3D");
  await page.locator(".transfer").scrollIntoViewIfNeeded();
  const start = await bytesOf(page, "3d");
  const automatic = await page.locator(".transfer-point").count();
  const middle = async (index) => {
    const box = await page.locator(`.transfer-point[data-point="${index}"]`).boundingBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const drag = async (index, dx, dy) => {
    const [x, y] = await middle(index);
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + dx / 2, y + dy / 2);
    await page.mouse.move(x + dx, y + dy);
    await page.mouse.up();
  };
  const rises = (points) => points.every((p, i) => i === 0 || p.value > points[i - 1].value);
  assert.deepEqual(await drawnBy(page, () => drag(2, 300, -20)), ["3d"], "a curve is no part of a slice");
  let { points } = (await layerOf(page)).transfer;
  assert.equal(points.length, automatic);
  assert.ok(rises(points), "a point stops at its neighbour");
  assert.notEqual(await bytesOf(page, "3d"), start);

  const box = await page.locator(".transfer").boundingBox();
  await page.mouse.dblclick(box.x + box.width * 0.8, box.y + box.height * 0.5);
  ({ points } = (await layerOf(page)).transfer);
  assert.equal(points.length, automatic + 1);
  assert.ok(rises(points));
  const added = Number(await page.locator(".transfer-point.selected").getAttribute("data-point"));
  assert.ok(Math.abs(points[added].opacity - 0.25) < 0.02, "the height is the root of the opacity");
  await page.locator(".transfer-point.selected").focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowLeft");
  const moved = (await layerOf(page)).transfer.points[added];
  assert.ok(moved.opacity > points[added].opacity && moved.value < points[added].value);
  await page.getByLabel("Colour of the point").fill("#00ff00");
  assert.equal((await layerOf(page)).transfer.points[added].colour, "#00ff00");
  await page.locator(".transfer-point.selected").focus();
  await page.keyboard.press("Delete");
  assert.equal((await layerOf(page)).transfer.points.length, automatic);
  await drag(1, 0, 300);
  assert.equal((await layerOf(page)).transfer.points.length, automatic - 1, "dragged off");

  await page.locator("select[id^=transfer]").selectOption("mr-t1");
  await still(page);
  assert.deepEqual((await layerOf(page)).transfer, { preset: "mr-t1", points: [] });
  assert.equal(await page.locator(".transfer-point").count(), 4);
  await page.locator('[data-fold="In 3D"]').getByRole("button", { name: "auto" }).click();
  await still(page);
  assert.equal(await bytesOf(page, "3d"), start, "auto is where it began");
  assertNoComplaints(page);
  await page.close();
});

test("gamma, interpolation, the surface's value and the way into 3D are set in the layer's card", async () => {
  const page = await openPage(here);
  await openEntry(page, "smooth.nii");
  await openFold(page, "More");
  const before = await bytesOf(page, "axial");
  await page.locator("input[id^=gamma]").focus();
  for (let n = 0; n < 10; ++n) await page.keyboard.press("ArrowRight");
  await still(page);
  assert.ok(Math.abs((await layerOf(page)).gamma - Math.SQRT2) < 0.01);
  assert.notEqual(await bytesOf(page, "axial"), before);
  await page.locator("select[id^=interpolation]").selectOption("cubic");
  assert.equal((await layerOf(page)).interpolation, "cubic");
  await openFold(page, "3D view");
  await page.locator("#volume-mode").selectOption("isosurface");
  await openFold(page, "In 3D");
  const surface = await bytesOf(page, "3d");
  const drawn = await drawnBy(page, async () => {
    await page.getByLabel("Value of the surface").fill("25");
    await page.getByLabel("Value of the surface").press("Enter");
  });
  assert.deepEqual(drawn, ["3d"]);
  assert.equal((await layerOf(page)).isoValue, 25);
  assert.notEqual(await bytesOf(page, "3d"), surface);
  await page.locator('[data-fold="In 3D"] select[id^=volume-]').selectOption("false");
  assert.equal((await layerOf(page)).inVolume, false);
  assertNoComplaints(page);
  await page.close();
});

// Drag and drop from the list of files onto a view.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { assertNoComplaints, openPage, scene, start, still, viewport } from "./support.mjs";

const here = await start(after);
const row = (page, name) => page.locator(".row.entry", { hasText: name }).first();

async function dragTo(page, name, view) {
  const from = await row(page, name).boundingBox();
  const to = await viewport(page, view).boundingBox();
  await page.mouse.move(from.x + 40, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + 80, to.y + 80, { steps: 4 });
  await page.mouse.move(to.x + 90, to.y + 90, { steps: 2 });
}

test("an image that is dropped on a view becomes an overlay", async () => {
  const page = await openPage(here);
  const { crosshairMm } = await scene(page);
  await dragTo(page, "noise.nii", "coronal");
  await page.locator("nora-viewport.drop[data-view=coronal]").waitFor();
  await page.mouse.up();
  await page.waitForFunction(() => window.nora.scene.layers.length === 2);
  await still(page);
  assert.match((await scene(page)).layers[1].source.path, /noise\.nii$/);
  assert.deepEqual((await scene(page)).crosshairMm, crosshairMm, "a drop is no click");
  assert.equal(await page.locator(".drop").count(), 0);
  assertNoComplaints(page);
  await page.close();
});

test("what cannot be an overlay cannot be dragged, and a drag that leaves does nothing", async () => {
  const page = await openPage(here);
  for (const name of ["truncated.nii.gz", "notes.txt"]) assert.equal(await row(page, name).getAttribute("draggable"), "false");
  await dragTo(page, "noise.nii", "axial");
  const outside = await page.locator(".toolbar").boundingBox();
  await page.mouse.move(outside.x + 500, outside.y + 10, { steps: 3 });
  assert.equal(await page.locator(".drop").count(), 0);
  await page.mouse.up();
  await page.waitForTimeout(200);
  assert.equal((await scene(page)).layers.length, 1);
  await page.close();
});

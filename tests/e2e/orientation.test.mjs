// Left and right: a ball at the patient's left and one at the front, through files of two storage orders, to the page.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { assertNoComplaints, letters, openEntry, openPage, scene, start, still, viewport } from "./support.mjs";

const here = await start(after);
const radiological = {
  axial: ["R", "L", "A", "P"],
  coronal: ["R", "L", "S", "I"],
  sagittal: ["A", "P", "S", "I"],
};
const neurological = { ...radiological, axial: ["L", "R", "A", "P"], coronal: ["L", "R", "S", "I"] };

/** Centre of the pixels whose grey is in a range, as a fraction of the picture. */
function centreOf(page, view, low, high) {
  return viewport(page, view).evaluate(
    (v, [from, to]) => {
      const canvas = v.querySelector("canvas.picture");
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
      let n = 0;
      let sx = 0;
      let sy = 0;
      for (let y = 0; y < height; ++y) {
        for (let x = 0; x < width; ++x) {
          const grey = data[(y * width + x) * 4];
          if (grey < from || grey > to) continue;
          ++n;
          sx += x + 0.5;
          sy += y + 0.5;
        }
      }
      return { n, x: sx / n / width, y: sy / n / height };
    },
    [low, high],
  );
}

async function prepare(page, name) {
  await openEntry(page, name);
  for (const [end, value] of [["high", 1000], ["low", 0]]) {
    await page.locator(`[data-window=${end}]`).fill(String(value));
    await page.locator(`[data-window=${end}]`).press("Enter");
  }
  await page.locator("[data-fold=More] .fold-head").click();
  await page.locator("select[id^=interpolation]").selectOption("nearest");
  await page.locator("nora-viewport[data-view=axial]").focus();
  await page.keyboard.press("Escape");
  await still(page);
}

async function checkSides(page, expected, leftIsRight) {
  for (const view of ["axial", "coronal", "sagittal"]) assert.deepEqual(await letters(page, view), expected[view], view);
  for (const view of ["axial", "coronal"]) {
    const ball = await centreOf(page, view, 240, 255);
    assert.ok(ball.n > 50, `no ball in ${view}`);
    assert.equal(ball.x > 0.5, leftIsRight, `the left ball is at ${ball.x} of ${view}`);
    assert.ok(Math.abs(ball.y - 0.5) < 0.06, `the left ball is at height ${ball.y} of ${view}`);
  }
  const front = await centreOf(page, "axial", 170, 190);
  assert.ok(front.n > 20 && front.y < 0.4, `the front ball is at height ${front.y} of the axial view`);
  const side = await centreOf(page, "sagittal", 170, 190);
  assert.ok(side.n > 20 && side.x < 0.4, `the front ball is at ${side.x} of the sagittal view`);
}

for (const name of ["sub-01_T1w.nii.gz", "sub-01_flipped.nii.gz"]) {
  test(`${name}: the patient's left is at the right, with the letter L; neurological mirrors it`, async () => {
    const page = await openPage(here);
    await prepare(page, name);
    assert.equal((await scene(page)).convention, "radiological");
    assert.match(await page.locator(".convention").textContent(), /radiological/);
    await checkSides(page, radiological, true);
    const before = await centreOf(page, "axial", 240, 255);
    await page.locator(".convention").click();
    await still(page);
    assert.match(await page.locator(".convention").textContent(), /neurological/);
    await checkSides(page, neurological, false);
    const mirrored = await centreOf(page, "axial", 240, 255);
    assert.ok(Math.abs(mirrored.x - (1 - before.x)) < 0.01, `${before.x} is mirrored to ${mirrored.x}`);
    await page.keyboard.press("n");
    await still(page);
    await checkSides(page, radiological, true);
    assertNoComplaints(page);
    await page.close();
  });
}

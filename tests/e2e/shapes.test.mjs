// Surfaces, values at their vertices and streamlines: opened from the list, drawn where and as they should be, picked, changed, removed.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import { assertNoComplaints, openPage, pagePoint, picture, pixelOf, pixels, scene, start, still, viewport } from "./support.mjs";

/** From 10 to 40 mm at the patient's right, 15 mm to the front, back, top and bottom. */
const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => [i & 1 ? 40 : 10, i & 2 ? 15 : -15, i & 4 ? 15 : -15]);
const triangles = [
  [0, 2, 3], [0, 3, 1], [4, 5, 7], [4, 7, 6], [0, 1, 5], [0, 5, 4], [2, 6, 7], [2, 7, 3], [0, 4, 6], [0, 6, 2], [1, 3, 7], [1, 7, 5],
];

function cube() {
  return [
    "ply", "format ascii 1.0", "element vertex 8", "property float x", "property float y", "property float z",
    "element face 12", "property list uchar int vertex_indices", "end_header",
    ...corners.map((corner) => corner.join(" ")), ...triangles.map((triangle) => `3 ${triangle.join(" ")}`), "",
  ].join("\n");
}

/** 0 at the bottom, 1 at the top. */
function height() {
  const values = corners.map(([, , z]) => (z + 15) / 30).join(" ");
  return `<?xml version="1.0" encoding="UTF-8"?><GIFTI Version="1.0" NumberOfDataArrays="1"><MetaData/><LabelTable/>
<DataArray Intent="NIFTI_INTENT_SHAPE" DataType="NIFTI_TYPE_FLOAT32" ArrayIndexingOrder="RowMajorOrder" Dimensionality="1" Dim0="8" Encoding="ASCII" Endian="LittleEndian" ExternalFileName="" ExternalFileOffset="0">
<MetaData><MD><Name>Name</Name><Value>height</Value></MD></MetaData><Data>${values}</Data></DataArray></GIFTI>`;
}

/** Ten streamlines upwards at the patient's left, ten to the front at the right. */
function tracts() {
  const lines = [];
  for (let i = 0; i < 10; ++i) {
    lines.push([-30, -20, -10, 0, 10, 20, 30].map((z) => [-30 + 0.2 * i, 0, z]));
    lines.push([-30, -20, -10, 0, 10, 20, 30].map((y) => [30 + 0.2 * i, y, 0]));
  }
  const numbers = lines.flatMap((line) => [...line.flat(), NaN, NaN, NaN]).concat([Infinity, Infinity, Infinity]);
  const header = `mrtrix tracks\ndatatype: Float32LE\ncount: ${lines.length}\nfile: . 100\nEND\n`;
  return Buffer.concat([Buffer.from(header.padEnd(100, "\0")), Buffer.from(new Float32Array(numbers).buffer)]);
}

const here = await start(after, (folder) => {
  for (const [name, content] of [
    ["sub-01/surf/cube.ply", cube()], ["sub-01/surf/height.shape.gii", height()], ["sub-01/dwi/bundles.tck", tracts()],
    ["lone/alone.ply", cube()], ["lone/values.shape.gii", height()], ["other/lines.tck", tracts()],
  ]) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
});

const row = (page, name) => page.locator(".row.entry", { hasText: name }).first();
const names = async (page) => (await scene(page)).layers.map(({ source }) => source.path.split("/").pop());

async function waitForLayers(page, wanted) {
  await page.waitForFunction((paths) => {
    const { layers } = window.nora.scene;
    return layers.length === paths.length && layers.every((layer, i) => layer.source.path.endsWith(`/${paths[i]}`));
  }, wanted).catch(async (error) => assert.deepEqual(await names(page), wanted, String(error)));
  await still(page);
}

/** The strongest of each channel within two pixels of a world point: lines are thin. */
async function near(page, view, world) {
  const [x, y] = pixelOf(await picture(page, view), world).map(Math.floor);
  const at = [];
  for (let dy = -2; dy <= 2; ++dy) for (let dx = -2; dx <= 2; ++dx) at.push([x + dx, y + dy]);
  const seen = await pixels(page, view, at);
  return [0, 1, 2].map((channel) => Math.max(...seen.map((colour) => colour[channel])));
}

async function setColour(page, colour) {
  await page.locator(".layer.selected input[type=color]").fill(colour);
  await still(page);
}

test("a surface without an image is drawn in 3D and cut in slices, in the colour that is chosen", async () => {
  const page = await openPage(here);
  await row(page, "alone.ply").dblclick();
  await waitForLayers(page, ["alone.ply"]);
  const [front, inside, edge] = [[25, 15, 0], [25, 0, 0], [10, 5, 0]];
  const before = await near(page, "3d", front);
  assert.ok(Math.min(...before) > 80, `no surface at ${before}`);
  assert.deepEqual(await near(page, "3d", [70, 15, 0]), [0, 0, 0], "something is beside the surface");
  await setColour(page, "#ff0000");
  const [red, green, blue] = await near(page, "3d", front);
  assert.ok(red > 120 && green < 60 && blue < 60, `not red: ${[red, green, blue]}`);
  assert.deepEqual(await near(page, "axial", edge), [255, 0, 0], "the slice is not cut there");
  assert.deepEqual(await near(page, "axial", inside), [0, 0, 0], "there is something within the cut");
  const { origin, right } = await picture(page, "axial");
  const middle = origin[0] + (right[0] * (await picture(page, "axial")).width) / 2;
  assert.ok(right[0] < 0 && Math.abs(middle - 25) < 1, "the patient's right is not at the left");
  await page.locator(".layer.selected input[id^=edge]").fill("0");
  await still(page);
  assert.deepEqual(await near(page, "axial", edge), [0, 0, 0], "the line that is off is drawn");
  assertNoComplaints(page);
  await page.getByRole("button", { name: /^Remove/ }).click();
  await page.locator(".readout", { hasText: "Nothing is open." }).waitFor();
  await page.close();
});

test("slices through shapes alone go by a millimetre and stay within them", async () => {
  const page = await openPage(here);
  await row(page, "alone.ply").click();
  await waitForLayers(page, ["alone.ply"]);
  await viewport(page, "axial").focus();
  const at = async () => (await scene(page)).crosshairMm;
  assert.deepEqual(await at(), [25, 0, 0]);
  await page.keyboard.press("ArrowUp");
  assert.deepEqual(await at(), [25, 0, 1]);
  for (let i = 0; i < 5; ++i) await page.keyboard.press("PageUp");
  assert.deepEqual(await at(), [25, 0, 15]);
  await page.keyboard.press("c");
  assert.deepEqual(await at(), [25, 0, 0]);
  await still(page);
  const axial = await pagePoint(page, "axial", [25, 0, 0]);
  await page.mouse.move(axial.x, axial.y);
  await page.mouse.down({ button: "middle" });
  await page.mouse.move(axial.x + 50, axial.y + 20, { steps: 3 });
  await page.mouse.up({ button: "middle" });
  await page.keyboard.press("]");
  await still(page);
  assert.equal((await scene(page)).layers[0].windowLow, null, "a window without values");
  assertNoComplaints(page);
  await page.close();
});

test("values are opened with the mesh that they fit, and colour it", async () => {
  const page = await openPage(here);
  await row(page, "values.shape.gii").dblclick();
  await waitForLayers(page, ["alone.ply", "values.shape.gii"]);
  const selected = page.locator(".layer.selected");
  await selected.locator("select[id^=map]").selectOption("green");
  await selected.locator("[data-window=low]").fill("0");
  await selected.locator("[data-window=low]").press("Enter");
  await selected.locator("[data-window=high]").fill("1");
  await selected.locator("[data-window=high]").press("Enter");
  await still(page);
  for (const [z, wanted] of [[-12, 0.1], [0, 0.5], [12, 0.9]]) {
    const [red, green, blue] = await near(page, "coronal", [10, 0, z]);
    assert.ok(red === 0 && blue === 0 && Math.abs(green / 255 - wanted) < 0.06, `${green} at ${z}`);
  }
  const [top, bottom] = [await near(page, "3d", [25, 15, 12]), await near(page, "3d", [25, 15, -12])];
  assert.ok(top[1] > bottom[1] + 50 && top[0] < 60, `top ${top}, bottom ${bottom}`);
  await selected.locator(".eye").click();
  await still(page);
  const bare = await near(page, "3d", [25, 15, 0]);
  assert.ok(Math.min(...bare) > 80, `hidden values leave ${bare}`);
  assertNoComplaints(page);
  await page.close();
});

test("a double click in 3D moves the crosshair to what is there and says what it is", async () => {
  const page = await openPage(here);
  await row(page, "values.shape.gii").click();
  await waitForLayers(page, ["alone.ply", "values.shape.gii"]);
  const wanted = [30, 15, 6]; // on the front
  const { x, y } = await pagePoint(page, "3d", wanted);
  await page.mouse.dblclick(x, y);
  await page.locator("tr[data-reading=crosshair]", { hasText: "vertex 7" }).waitFor();
  const { crosshairMm } = await scene(page);
  crosshairMm.forEach((mm, i) => assert.ok(Math.abs(mm - wanted[i]) < 0.6, `${crosshairMm}`));
  assert.match(await page.locator("tr[data-reading=crosshair]").textContent(), /height 1/);
  const box = await viewport(page, "3d").boundingBox();
  await page.mouse.dblclick(box.x + 8, box.y + box.height - 8);
  await page.waitForTimeout(300);
  assert.deepEqual((await scene(page)).crosshairMm, crosshairMm, "nothing was hit, and the crosshair moved");
  assert.equal(await page.locator("nora-viewport:not([hidden])").count(), 4);
  assertNoComplaints(page);
  await page.close();
});

test("streamlines are where they are, in the colours of their directions, groups of controls change them", async () => {
  const page = await openPage(here);
  await row(page, "lines.tck").dblclick();
  await waitForLayers(page, ["lines.tck"]);
  const up = await near(page, "coronal", [-30, 0, 20]);
  assert.ok(up[2] > 200 && up[0] < 60 && up[1] < 60, `upwards is not blue: ${up}`);
  const front = await near(page, "axial", [30.4, 20, 0]);
  assert.ok(front[1] > 200 && front[0] < 60 && front[2] < 60, `to the front is not green: ${front}`);
  assert.deepEqual(await near(page, "axial", [-30, 20, 0]), [0, 0, 0], "left and right are confused");
  const left = await near(page, "3d", [-29, 0, 20]);
  assert.ok(left[2] > 120 && left[1] < 80, `nothing blue at the left: ${left}`);
  const selected = page.locator(".layer.selected");
  await selected.locator("select[id^=colourby]").selectOption("single");
  await setColour(page, "#ff00ff");
  assert.deepEqual(await near(page, "coronal", [-30, 0, 20]), [255, 0, 255]);
  await selected.locator("[data-fold=Which] .fold-head").click();
  await selected.getByLabel("Shortest").fill("61");
  await selected.getByLabel("Shortest").press("Enter");
  await still(page);
  assert.deepEqual(await near(page, "coronal", [-30, 0, 20]), [0, 0, 0], "streamlines of 60 mm are longer than 61");
  await selected.getByLabel("Shortest").fill("");
  await selected.getByLabel("Shortest").press("Enter");
  await selected.getByLabel("Slab in 3D").fill("10");
  await selected.getByLabel("Slab in 3D").press("Enter");
  await still(page);
  assert.deepEqual(await near(page, "3d", [-29, 0, 20]), [0, 0, 0], "the slab leaves what is beyond it");
  assertNoComplaints(page);
  await page.close();
});

test("shapes come with the T1 of their subject, and join it", async () => {
  const page = await openPage(here);
  await row(page, "noise.nii").click();
  await waitForLayers(page, ["noise.nii"]);
  await row(page, "cube.ply").dblclick();
  await waitForLayers(page, ["sub-01_T1w.nii.gz", "cube.ply"]);
  await row(page, "bundles.tck").click();
  await waitForLayers(page, ["sub-01_T1w.nii.gz", "cube.ply", "bundles.tck"]);
  await row(page, "bundles.tck").click();
  await page.waitForTimeout(300);
  assert.equal((await names(page)).length, 3, "what is there is added once more");
  await row(page, "height.shape.gii").click();
  await waitForLayers(page, ["sub-01_T1w.nii.gz", "cube.ply", "bundles.tck", "height.shape.gii"]);
  await row(page, "lines.tck").hover();
  await row(page, "lines.tck").getByRole("button", { name: "Add" }).click();
  await waitForLayers(page, ["sub-01_T1w.nii.gz", "cube.ply", "bundles.tck", "height.shape.gii", "lines.tck"]);
  const cut = await near(page, "axial", [10, 5, (await scene(page)).crosshairMm[2]]);
  assert.ok(Math.max(...cut) > 100, `no line in the image: ${cut}`);
  await row(page, "lines.tck").click();
  assert.equal((await names(page)).length, 5);
  await page.keyboard.press("i");
  await page.locator(".sheet", { hasText: "Streamlines" }).waitFor();
  assertNoComplaints(page);
  await page.close();
});

test("the 3D view has a cube and the edges of its crop box", async () => {
  const page = await openPage(here);
  await row(page, "alone.ply").click();
  await waitForLayers(page, ["alone.ply"]);
  await page.locator("[data-fold='3D view'] .fold-head").click();
  for (const name of ["Orientation cube", "Box", "Edges"]) await page.getByRole("button", { name, exact: true }).click();
  await still(page);
  const { showCrop, orientationCube, crop } = (await scene(page)).views.find(({ kind }) => kind === "volume");
  assert.ok(showCrop && orientationCube);
  assert.deepEqual(crop, { lowMm: [9.5, -15.5, -15.5], highMm: [40.5, 15.5, 15.5] });
  assertNoComplaints(page);
  await page.close();
});

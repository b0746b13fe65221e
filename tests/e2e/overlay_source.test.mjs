// A structure set opens over the images that it was drawn on; they are opened first where another image is shown.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { assertNoComplaints, openPage, scene, serve, start, still } from "./support.mjs";

const files = join(dirname(fileURLToPath(import.meta.url)), "../data/formats");
const here = await start(after);
const folder = mkdtempSync(join(tmpdir(), "nora-overlay-"));
for (const name of ["phantom.dcm", ...[0, 1, 2, 3].map((i) => `image_${i}.dcm`)]) {
  cpSync(join(files, "dicom_rtstruct", name), join(folder, "case", name), { recursive: true });
}
cpSync(join(files, "dicom_rtstruct/dose.dcm"), join(folder, "dose/dose.dcm"), { recursive: true });
const server = await serve(folder);
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const row = (page, name) => page.locator(".row.entry", { hasText: name }).first();

async function waitForSeries(page, ends) {
  await page.waitForFunction((wanted) => {
    const { layers } = window.nora.scene;
    return layers.length === wanted.length && layers.every((l, i) => l.source.series.includes(wanted[i]));
  }, ends);
  await still(page);
}

const images = ".77.1.1#0", structures = ".77.3.1#0", dose = ".77.3.9#0";
const drawn = [structures, structures, structures]; // a layer for each component: structures overlap

test("a structure set goes over its images, on their grid", async () => {
  const page = await openPage({ ...here, server });
  assert.equal((await scene(page)).layers.length, 1);
  await row(page, "phantom").first().waitFor();
  await row(page, "phantom structures").click();
  await waitForSeries(page, [images, ...drawn]);
  const { layers } = await scene(page);
  assert.deepEqual(layers.slice(1).map((layer) => layer.component), [0, 1, 2]);
  const info = await page.evaluate((id) => window.nora.images[id].info, layers[1].id);
  assert.deepEqual(info.dims.slice(0, 3), [20, 16, 4]);
  assertNoComplaints(page);
  await page.close();
});

test("where another image is shown its images come first", async () => {
  const page = await openPage({ ...here, server });
  await row(page, "series 0").click(); // the dose has no description
  await waitForSeries(page, [dose]);
  await row(page, "phantom structures").click();
  await waitForSeries(page, [images, ...drawn]);
  assertNoComplaints(page);
  await page.close();
});

test("who wants it over another image gets it there", async () => {
  const page = await openPage({ ...here, server });
  await row(page, "series 0").click();
  await waitForSeries(page, [dose]);
  await row(page, "phantom structures").click({ modifiers: ["Shift"] });
  await waitForSeries(page, [dose, ...drawn]);
  await page.close();
});

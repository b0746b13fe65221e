// Tables, documents and look-up tables in their panel; what is known of images and surfaces; names of labels.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { assertNoComplaints, clickWorld, openEntry, openPage, pixels, picture, pixelOf, scene, start, still } from "./support.mjs";

const formats = join(dirname(fileURLToPath(import.meta.url)), "../data/formats");
const here = await start(after, (folder) => {
  const documents = join(folder, "docs");
  mkdirSync(documents);
  for (const name of ["participants.tsv", "latin1_semicolon.csv", "pages.tif", "rgb.png", "two_pages.pdf"]) {
    cpSync(join(formats, "documents", name), join(documents, name));
  }
  cpSync(join(formats, "labels/FreeSurfer_colorlut_sample.txt"), join(documents, "FreeSurferColorLUT.txt"));
  cpSync(join(formats, "sidecars/dwi_philips_2mm.json"), join(documents, "protocol.json"));
  writeFileSync(join(documents, "notes.txt"), "Gr\u00fc\u00dfe\nof a lab");
  writeFileSync(join(documents, "evil.html"), "<script>window.parent.evil = true</script><h1>shown as text</h1>");
  writeFileSync(join(documents, "damaged.png"), Buffer.from("\x89PNG\r\n\x1a\n no", "latin1"));
  writeFileSync(join(documents, "atlas.nii"), atlas());
  writeFileSync(join(documents, "atlas_LUT.txt"), "1 Left Half 200 40 10 255\n2 Right Half 10 60 220 255\n");
  writeFileSync(join(documents, "atlas.json"), '{"EchoTime": 0.03}');
  const rows = Array.from({ length: 100_000 }, (_, i) => `${i},${(i * 7919) % 100_000}`);
  writeFileSync(join(documents, "long.csv"), ["number,shuffled", ...rows, ""].join("\n"));
});

/** A NIfTI file of int16 voxels of 2 mm: value 1 in the left half of the body, 2 in the right, 9 at the front. */
function atlas() {
  const [nx, ny, nz] = [40, 40, 30];
  const file = Buffer.alloc(352 + nx * ny * nz * 2);
  file.writeInt32LE(348, 0);
  [3, nx, ny, nz, 1, 1, 1, 1].forEach((n, i) => file.writeInt16LE(n, 40 + 2 * i));
  file.writeInt16LE(4, 70); // int16
  file.writeInt16LE(16, 72);
  [1, 2, 2, 2, 1, 1, 1, 1].forEach((n, i) => file.writeFloatLE(n, 76 + 4 * i));
  file.writeFloatLE(352, 108);
  file.writeInt16LE(1, 254); // sform
  [2, 0, 0, -39, 0, 2, 0, -39, 0, 0, 2, -29].forEach((n, i) => file.writeFloatLE(n, 280 + 4 * i));
  file.write("n+1\0", 344, "latin1");
  for (let i = 0; i < nx * ny * nz; ++i) {
    const [x, y] = [i % nx, Math.floor(i / nx) % ny];
    file.writeInt16LE(y > 35 ? 9 : x < nx / 2 ? 1 : 2, 352 + 2 * i);
  }
  return file;
}

const sheet = (page) => page.locator(".sheet");
const row = (page, name) => page.locator(".row.entry", { hasText: name }).first();

/** The list shows only the rows in sight. */
async function openSheet(page, name) {
  await page.locator(".search input").fill(name);
  await row(page, name).click();
  await sheet(page).locator("header h2", { hasText: name }).waitFor();
}

test("a table opens beside the views, sorts by a column, and Esc closes it", async () => {
  const page = await openPage(here);
  await openSheet(page, "participants.tsv");
  await page.locator(".data-row").first().waitFor();
  assert.deepEqual(await page.locator(".data-head button").allTextContents().then((t) => t.map((s) => s.trim())), ["participant_id", "sex", "age"]);
  assert.match(await sheet(page).locator("header").textContent(), /TSV · 13 rows · 3 columns/);
  const ages = () => page.locator(".data-row > :nth-child(3)").allTextContents();
  await page.locator(".data-head button", { hasText: "age" }).click();
  const up = (await ages()).map(Number);
  assert.deepEqual(up, [...up].sort((a, b) => a - b));
  await page.locator(".data-head button", { hasText: "age" }).click();
  assert.deepEqual((await ages()).map(Number), [...up].reverse());
  await page.keyboard.press("Escape");
  assert.equal(await sheet(page).count(), 0);
  await openSheet(page, "latin1_semicolon.csv");
  await page.locator(".data-row").first().waitFor();
  assert.equal(await page.locator(".data-row > :nth-child(1)").first().textContent(), "Müller; A.");
  assertNoComplaints(page);
  await page.close();
});

test("of a hundred thousand rows only those in sight are in the page", async () => {
  const page = await openPage(here);
  await openSheet(page, "long.csv");
  await page.locator(".data-row").first().waitFor();
  assert.ok((await page.locator(".data-row").count()) < 100);
  await page.locator(".data-head button", { hasText: "shuffled" }).click();
  await page.locator(".data-table").evaluate((t) => (t.scrollTop = t.scrollHeight));
  await page.waitForFunction(() => document.querySelector(".data-row:last-child > :nth-child(2)")?.textContent === "99999");
  assert.ok((await page.locator(".data-row").count()) < 100);
  assertNoComplaints(page);
  await page.close();
});

test("JSON folds, text is text, and nothing in a document runs", async () => {
  const page = await openPage(here);
  await openSheet(page, "protocol.json");
  await page.locator(".json-leaf", { hasText: "EchoTime: 0.069355" }).waitFor();
  const types = page.locator(".json details details", { hasText: "ImageType" });
  assert.equal(await types.locator(".json-leaf").count(), 6);
  await types.locator("summary").click();
  await types.locator(".json-leaf").first().waitFor({ state: "detached" });
  await openSheet(page, "notes.txt");
  await page.waitForFunction(() => document.querySelector(".sheet pre")?.textContent === "Gr\u00fc\u00dfe\nof a lab");
  await openSheet(page, "evil.html");
  await page.waitForFunction(() => document.querySelector(".sheet pre")?.textContent?.includes("<script>"));
  assert.equal(await page.evaluate(() => window.evil), undefined);
  assertNoComplaints(page);
  await page.close();
});

test("pictures fit, zoom and turn pages; a damaged one says so", async () => {
  const page = await openPage(here);
  await openSheet(page, "pages.tif");
  await page.waitForFunction(() => document.querySelector(".sheet img")?.naturalWidth === 41);
  assert.match(await sheet(page).locator(".pages").textContent(), /page 1 of 3/);
  const first = await sheet(page).locator("img").getAttribute("src");
  await sheet(page).locator("[aria-label='Next page']").click();
  await page.waitForFunction((before) => document.querySelector(".sheet img")?.src !== before, first);
  assert.match(await sheet(page).locator(".pages").textContent(), /page 2 of 3/);
  await sheet(page).locator("button", { hasText: "100 %" }).click();
  assert.equal(await sheet(page).locator("img").evaluate((img) => img.width), 41);
  await sheet(page).locator("[aria-label=Larger]").click();
  assert.equal(await sheet(page).locator("img").evaluate((img) => Math.round(img.width)), 62);
  await openSheet(page, "damaged.png");
  await sheet(page).locator("[role=alert]", { hasText: "damaged or cut short" }).waitFor();
  page.complaints = page.complaints.filter((text) => !/status of 400/.test(text)); // the browser's own line on the answer
  assertNoComplaints(page);
  await page.close();
});

test("a PDF shows in a frame", async () => {
  const page = await openPage(here);
  await openSheet(page, "two_pages.pdf");
  const frame = sheet(page).locator("iframe");
  await frame.waitFor();
  assert.match(await frame.getAttribute("src"), /^blob:/);
  assertNoComplaints(page);
  await page.close();
});

test("look-up tables show their names and colours", async () => {
  const page = await openPage(here);
  await openSheet(page, "FreeSurferColorLUT.txt");
  const left = page.locator(".data-row", { hasText: "Left-Lateral-Ventricle" });
  await left.waitFor();
  assert.equal(await left.locator(".label-colour").evaluate((e) => getComputedStyle(e).backgroundColor), "rgb(120, 18, 134)");
  assertNoComplaints(page);
  await page.close();
});

test("a label map has the colours of the table beside it, and the read-out its names", async () => {
  const page = await openPage(here);
  await page.locator(".search input").fill("atlas");
  assert.equal(await row(page, "atlas.json").count(), 0); // it belongs to the image
  await openEntry(page, "atlas.nii");
  const geometry = await picture(page, "axial");
  const shown = async (mm) => (await pixels(page, "axial", [pixelOf(geometry, mm).map(Math.floor)]))[0];
  const z = (await scene(page)).crosshairMm[2];
  assert.deepEqual(await shown([-20.2, -10.2, z]), [200, 40, 10]);
  assert.deepEqual(await shown([20.2, -10.2, z]), [10, 60, 220]);
  await clickWorld(page, "axial", [-20.2, -10.2, z]);
  await page.waitForFunction(() => document.querySelector("[data-reading=crosshair] .value")?.textContent === "1 Left Half");
  await still(page);
  await page.keyboard.press("i");
  await sheet(page).locator(".data-row", { hasText: "Right Half" }).waitFor();
  await sheet(page).locator(".facts", { hasText: "EchoTime" }).waitFor();
  assertNoComplaints(page);
  await page.close();
});

test("the information on an image opens by key I, from the header to the matrix", async () => {
  const page = await openPage(here);
  await page.keyboard.press("i");
  await sheet(page).locator(".facts", { hasText: "NIfTI-1" }).waitFor();
  const { layers } = await scene(page);
  const info = await page.evaluate((id) => window.nora.images[id].info, layers[0].id);
  assert.match(await sheet(page).locator(".facts").first().textContent(), new RegExp(info.dims.join(" × ")));
  assert.equal(await sheet(page).locator(".matrix td").count(), 16);
  await page.keyboard.press("i");
  assert.equal(await sheet(page).count(), 0);
  assertNoComplaints(page);
  await page.close();
});

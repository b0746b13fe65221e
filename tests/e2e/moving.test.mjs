// Pictures while something moves, and after it: smaller ones in time, then better ones up to the lossless still.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import { assertNoComplaints, openEntry, openPage, picture, program, scene, start, still, viewport } from "./support.mjs";

process.env.NORA_FRAME_BUDGET_MS = "5"; // less than a full picture of this volume takes
const here = await start(after);

/** Rotates the volume for a while; the frames that came meanwhile and until the still. */
async function rotate(page, steps = 40) {
  const from = (await page.evaluate(() => window.nora.trace.at(-1).frame)) + 1;
  const box = await viewport(page, "3d").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  for (let i = 1; i <= steps; ++i) {
    await page.mouse.move(box.x + box.width / 2 + 3 * i, box.y + box.height / 2 + i);
    await page.waitForTimeout(16);
  }
  await page.mouse.up();
  await still(page);
  await page.waitForFunction(() => window.nora.trace.filter((f) => f.view === "3d").at(-1).verified !== undefined);
  return page.evaluate((first) => window.nora.trace.filter((f) => f.view === "3d" && f.frame >= first), from);
}

const canvasHash = (page) =>
  viewport(page, "3d").evaluate(async (v) => {
    const canvas = v.querySelector("canvas.picture");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return [...new Uint8Array(await crypto.subtle.digest("SHA-256", data))].map((b) => b.toString(16).padStart(2, "0")).join("");
  });

function renderedHash(shown, { width, height }) {
  const file = join(here.folder, "scene.json");
  const out = join(here.folder, "still.png");
  const layers = shown.layers.map((layer) => ({ ...layer, source: { ...layer.source, path: layer.source.path.replace(/^[^/]*\//, "") } }));
  writeFileSync(file, JSON.stringify({ ...shown, layers })); // without the project's name
  execFileSync(program, ["render", file, "--view", "3d", "--size", `${width}x${height}`, "--backend", "cpu", "-o", out]);
  const script = "import sys;from PIL import Image;sys.stdout.buffer.write(Image.open(sys.argv[1]).convert('RGBA').tobytes())";
  const pixels = execFileSync("/usr/bin/python3", ["-c", script, out], { maxBuffer: 1 << 28 });
  return createHash("sha256").update(pixels).digest("hex");
}

test("a drag in 3D is drawn smaller, and ends with the lossless still of nora render", async () => {
  const page = await openPage(here);
  await openEntry(page, "noise.nii");
  await page.keyboard.press("4"); // the volume alone
  await still(page);
  await rotate(page);
  const frames = await rotate(page); // what it takes is known now
  const size = await picture(page, "3d");
  const moving = frames.filter((f) => f.quality === "moving");
  assert.ok(moving.length >= 5, `${moving.length} pictures of the drag`);
  assert.ok(moving.every((f) => f.width < size.width && f.height < size.height), "a full picture takes too long");
  assert.ok(moving.every((f) => f.width >= Math.floor(size.width / 6)));
  const last = frames.at(-1);
  assert.equal(last.quality, "lossless");
  assert.equal(last.verified, true);
  assert.deepEqual([last.width, last.height], [size.width, size.height]);
  assert.equal(frames.filter((f) => f.quality === "lossless").length, 1, "none while it moved");
  assert.equal(await canvasHash(page), renderedHash(await scene(page), size));
  assertNoComplaints(page);
  await page.close();
});

test("a smaller picture shows the same millimetres as the still after it", async () => {
  const page = await openPage(here);
  await page.keyboard.press("4");
  await still(page);
  const before = await picture(page, "3d");
  await page.evaluate(() => {
    window.seen = [];
    const { present } = document.querySelector("nora-viewport[data-view='3d']").constructor.prototype;
    document.querySelector("nora-viewport[data-view='3d']").present = function (bitmap, header) {
      present.call(this, bitmap, header);
      window.seen.push({ small: bitmap.width < header.viewportWidth, picture: structuredClone(window.nora.pictures["3d"]) });
    };
  });
  await rotate(page, 20);
  const seen = await page.evaluate(() => window.seen);
  const small = seen.filter((s) => s.small);
  assert.ok(small.length > 0);
  const length = (v) => Math.hypot(...v);
  for (const { picture: shown } of small) {
    assert.deepEqual([shown.width, shown.height], [before.width, before.height]);
    assert.ok(Math.abs(length(shown.right) - length(before.right)) < 1e-9 * length(before.right));
    assert.ok(Math.abs(length(shown.down) - length(before.down)) < 1e-9 * length(before.down));
  }
  await page.close();
});

test("a view that is larger than pictures may be keeps its shape", async () => {
  const page = await openPage(here);
  await page.setViewportSize({ width: 5000, height: 900 });
  await page.keyboard.press("1");
  await still(page);
  const [drawn, seen] = await viewport(page, "axial").evaluate((v) => {
    const canvas = v.querySelector("canvas.picture");
    const box = canvas.getBoundingClientRect();
    return [canvas.width / canvas.height, box.width / box.height];
  });
  assert.ok(Math.abs(drawn / seen - 1) < 0.005, `${drawn} for ${seen}`);
  assertNoComplaints(page);
  await page.close();
});

// Two viewers and less memory than their images need: the second is told why, the first looks on undisturbed.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import test, { after } from "node:test";
import { openEntry, openPage, picture, scene, start, still, viewport } from "./support.mjs";

process.env.NORA_CACHE_MIB = "64";
const script = `
import sys, nibabel, numpy
for name in ("large_a", "large_b"):
    voxels = numpy.random.default_rng(1).integers(0, 1000, (280, 280, 280)).astype(numpy.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, numpy.eye(4)), f"{sys.argv[1]}/{name}.nii")
`;
const here = await start(after, (folder) => execFileSync("/usr/bin/python3", ["-c", script, folder]));

test("an image that finds no room beside what another viewer looks at is refused aloud, and evicts nothing", async () => {
  const first = await openPage(here);
  await openEntry(first, "large_a.nii");
  const second = await openPage(here);
  await second.locator(".row.entry", { hasText: "large_b.nii" }).first().click();
  await second.getByText(/memory for images is full of what is being looked at/).first().waitFor();
  assert.ok(!(await scene(second)).layers.some((layer) => layer.source.path.includes("large_b")));

  const before = await picture(first, "axial");
  const box = await viewport(first, "axial").boundingBox();
  await first.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let i = 0; i < 5; ++i) await first.mouse.wheel(0, -100);
  await still(first);
  assert.equal(Math.round((await picture(first, "axial")).origin[2] - before.origin[2]), 5);
  assert.equal(await first.getByText(/memory for images/).count(), 0);

  await first.close(); // its image is nobody's now
  await second.waitForTimeout(500);
  await openEntry(second, "large_b.nii");
  await second.close();
});

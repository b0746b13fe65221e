import test from "node:test";
import assert from "node:assert/strict";
import {
  clampTo, edgeLetters, intoPlane, orientationLetters, pixelFromWorld, sliceStepMm, voxelFromWorld, worldBounds,
  worldFromPixel, worldFromVoxel, type Geometry, type Vec3,
} from "../src/geometry.ts";
import { draggedWindow, scrollNormal, zoomedCentre } from "../src/navigation.ts";
import { scaleBar } from "../src/overlay.ts";

const radiologicalAxial: Geometry = { origin: [90, 100, 5], right: [-0.5, 0, 0], down: [0, -0.5, 0], forward: [0, 0, 1] };
const close = (a: readonly number[], b: readonly number[], tolerance = 1e-9): void =>
  a.forEach((v, i) => assert.ok(Math.abs(v - b[i]!) < tolerance, `${a.join()} is not ${b.join()}`));

test("a radiological axial picture has R at the left and A at the top", () => {
  assert.deepEqual(edgeLetters(radiologicalAxial), { left: "R", right: "L", top: "A", bottom: "P" });
});

test("an oblique direction gets two letters, a slightly tilted one gets one", () => {
  assert.equal(orientationLetters([-0.8, 0.6, 0]), "LA");
  assert.equal(orientationLetters([0.99, 0.1, 0]), "R");
  assert.equal(orientationLetters([0, 0, 0]), "");
});

test("pixel and world invert each other", () => {
  const world = worldFromPixel(radiologicalAxial, 33.5, 71.25);
  close(world, [73.25, 64.375, 5]);
  close(pixelFromWorld(radiologicalAxial, world), [33.5, 71.25]);
});

test("a point moves into a plane along the normal only", () => {
  close(intoPlane([1, 2, 3], [0, 0, 1], [9, 9, 12]), [1, 2, 12]);
});

test("one step scrolls by exactly one voxel, also through an oblique image", () => {
  const c = Math.cos(0.3);
  const s = Math.sin(0.3);
  const affine = [[2, 0, 0, -10], [0, 2 * c, -3 * s, 4], [0, 2 * s, 3 * c, 7], [0, 0, 0, 1]];
  const step = sliceStepMm(affine, [0, 0, 1]);
  const from = voxelFromWorld(affine, [1, 2, 3]);
  const to = voxelFromWorld(affine, [1, 2, 3 + step]);
  assert.ok(Math.abs(to[2] - from[2] - 1) < 1e-9);
});

test("voxel and world invert each other", () => {
  const affine = [[-1.5, 0.2, 0, 80], [0.1, 2, 0.3, -100], [0, -0.4, 3, -50], [0, 0, 0, 1]];
  close(voxelFromWorld(affine, worldFromVoxel(affine, [10, 20, 30])), [10, 20, 30]);
});

test("bounds are the outer faces of the voxels", () => {
  const bounds = worldBounds([[-2, 0, 0, 10], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], [5, 4, 3]);
  close(bounds.low, [1, -0.5, -0.5]);
  close(bounds.high, [11, 3.5, 2.5]);
  close(clampTo(bounds, [20, 1, -9]), [11, 1, -0.5]);
});

test("scrolling goes to the right, anterior and superior whichever way the viewer looks", () => {
  assert.deepEqual(scrollNormal([0, 0, -1]).map(Math.abs), [0, 0, 1]);
  assert.ok(scrollNormal([0, 0, -1])[2] > 0);
  assert.ok(scrollNormal([0, -1, 0])[1] > 0);
});

test("the point under the cursor stays when the zoom changes", () => {
  const fixed: Vec3 = [10, 0, 0];
  const centre = zoomedCentre([0, 0, 0], fixed, 2);
  // its distance from the centre in pixels: mm times zoom
  assert.equal((fixed[0] - centre[0]) * 2, fixed[0] * 1);
});

test("a window drag to the right widens, up lowers the level", () => {
  const window = draggedWindow({ low: 0, high: 100 }, 250, 0);
  assert.ok(Math.abs(window.high - window.low - 100 * Math.E) < 1e-9);
  const brighter = draggedWindow({ low: 0, high: 100 }, 0, -125);
  close([brighter.low, brighter.high], [-50, 50]);
});

test("a scale bar is a round length not longer than asked for", () => {
  assert.deepEqual(scaleBar(0.5, 90), { mm: 20, px: 40 });
  assert.equal(scaleBar(0, 90), null);
});

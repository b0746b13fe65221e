import test from "node:test";
import assert from "node:assert/strict";
import { lookOf } from "../src/looks.ts";
import { completeScene, type Scene } from "../src/scene.ts";
import { SceneStore } from "../src/store.ts";
import { describeView, isCut, nextSlabMm, withCut } from "../src/view-settings.ts";

function scene(): Scene {
  return completeScene({
    layers: [{ id: "a", source: { path: "a.nii" } }] as Scene["layers"],
    views: [{ name: "axial", kind: "slice" }, { name: "3d", kind: "volume" }] as Scene["views"],
  });
}

test("of two opposite sides only one is cut away", () => {
  const right = withCut([], 0, 1, [1, 2, 3]);
  assert.deepEqual(right, [{ pointMm: [1, 2, 3], normal: [1, 0, 0] }]);
  const both = withCut(right, 2, -1, [1, 2, 3]);
  assert.equal(both.length, 2);
  const left = withCut(both, 0, -1, [1, 2, 3]);
  assert.ok(isCut(left, 0, -1) && isCut(left, 2, -1) && !isCut(left, 0, 1));
  assert.equal(withCut(left, 0, -1, [1, 2, 3]).length, 1, "and once more gives it back");
});

test("a cut through the crosshair follows it, one elsewhere does not", () => {
  const sent: unknown[] = [];
  const store = new SceneStore({ sendPatch: (patch) => sent.push(...patch), changed: () => undefined }, () => undefined);
  store.adopt(scene());
  store.setView("3d", "clipPlanes", [...withCut([], 0, 1, [0, 0, 0]), { pointMm: [9, 9, 9], normal: [0, 1, 0] }], 0);
  store.setCrosshair([1, 2, 3], 0);
  assert.deepEqual(store.scene.views[1]!.clipPlanes!.map(({ pointMm }) => pointMm), [[1, 2, 3], [9, 9, 9]]);
});

test("slabs step through their list and start from any thickness", () => {
  assert.equal(nextSlabMm(0, 1), 1);
  assert.equal(nextSlabMm(4, 1), 5);
  assert.equal(nextSlabMm(4, -1), 3);
  assert.equal(nextSlabMm(0, -1), 0);
  assert.equal(nextSlabMm(500, 1), 500);
});

test("a view says what is not plain about it", () => {
  const [axial, volume] = scene().views;
  assert.equal(describeView(axial!), "");
  assert.equal(describeView({ ...axial!, slabMm: 20, slabMode: "mean" }), "20 mm mean");
  assert.equal(describeView({ ...volume!, mode: "minimum", crop: { lowMm: [0, 0, 0], highMm: [1, 1, 1] } }), "minimum, cropped");
});

/** Names of the views that look different after an edit. */
function changed(edit: (scene: Scene) => void, start: (scene: Scene) => void = () => undefined): string[] {
  const before = scene();
  start(before);
  const after = structuredClone(before);
  edit(after);
  return after.views.filter((view, i) => lookOf(before, before.views[i]!) !== lookOf(after, view)).map(({ name }) => name);
}

test("an edit changes the looks of the views that show it, as the server has it", () => {
  assert.deepEqual(changed((s) => (s.layers[0]!.transfer.preset = "ct-bone")), ["3d"]);
  assert.deepEqual(changed((s) => (s.layers[0]!.isoValue = 4)), []);
  assert.deepEqual(changed((s) => (s.layers[0]!.isoValue = 4), (s) => (s.views[1]!.mode = "isosurface")), ["3d"]);
  assert.deepEqual(changed((s) => (s.layers[0]!.outlinePixels = 4)), ["axial"]);
  assert.deepEqual(changed((s) => (s.layers[0]!.outlinePixels = 4), (s) => (s.views[1]!.slices = ["axial"])), ["axial", "3d"]);
  assert.deepEqual(changed((s) => (s.layers[0]!.gamma = 2)), ["axial", "3d"]);
  assert.deepEqual(changed((s) => (s.layers[0]!.gamma = 2), (s) => (s.layers[0]!.visible = false)), []);
  assert.deepEqual(changed((s) => (s.views[0]!.slabMm = 9)), ["axial"]);
  assert.deepEqual(changed((s) => (s.crosshairMm = [0, 0, 5]), (s) => (s.views[1]!.slices = ["axial"])), ["axial", "3d"]);
  assert.deepEqual(changed((s) => (s.crosshairMm = [5, 0, 0])), []);
});

test("a shape's look, too, changes the views that show it", () => {
  const surface = (change: Partial<Scene["layers"][0]["surface"]>) => changed((s) => Object.assign(s.layers[0]!.surface, change));
  const streamlines = (change: Partial<Scene["layers"][0]["streamlines"]>) => changed((s) => Object.assign(s.layers[0]!.streamlines, change));
  assert.deepEqual(surface({ colour: "#ff0000" }), ["axial", "3d"]);
  assert.deepEqual(surface({ shading: "flat" }), ["3d"]);
  assert.deepEqual(surface({ edgePixels: 3 }), ["axial"]);
  assert.deepEqual(streamlines({ every: 3 }), ["axial", "3d"]);
  assert.deepEqual(streamlines({ tubeMm: 1 }), ["3d"]);
  assert.deepEqual(streamlines({ slabMm: 9, slabPlane: "sagittal" }), ["3d"]);
  assert.deepEqual(streamlines({ sliceMm: 4 }), ["axial"]);
  const slab = (s: Scene) => Object.assign(s.layers[0]!.streamlines, { slabMm: 9, slabPlane: "sagittal" });
  assert.deepEqual(changed((s) => (s.crosshairMm = [5, 0, 0]), slab), ["3d"], "the slab goes with the crosshair");
  assert.deepEqual(changed((s) => (s.crosshairMm = [0, 5, 0]), slab), []);
  assert.deepEqual(changed((s) => (s.views[1]!.orientationCube = true)), ["3d"]);
});

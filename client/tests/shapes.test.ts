import test from "node:test";
import assert from "node:assert/strict";
import { sliceRangeMm, sliceStepMm } from "../src/geometry.ts";
import type { Pick } from "../src/protocol.ts";
import { completeScene, type Layer, type Scene } from "../src/scene.ts";
import { fits, gridAround, pickedText, shownData, type Shape } from "../src/shapes.ts";

function layer(change: { surface?: Partial<Layer["surface"]>; streamlines?: Partial<Layer["streamlines"]> } = {}): Layer {
  const [whole] = completeScene({ layers: [{ id: "a", source: { path: "a" } }] as Scene["layers"] }).layers as [Layer];
  return { ...whole, surface: { ...whole.surface, ...change.surface }, streamlines: { ...whole.streamlines, ...change.streamlines } };
}
const data = (name: string, role = "scalar") => ({ name, role, components: 1 });
const mesh: Shape = { kind: "surface", vertices: 8, structure: "CortexLeft", boundsMm: [[0, 0, 0], [10, 20, 30]], data: [] };
const thickness: Shape = { kind: "surface", vertices: 8, structure: "", data: [data("thickness")] };
const tracts: Shape = { kind: "tracts", boundsMm: [[-5, 0, 0], [3, 1, 1]], perPoint: [data("fa")], perStreamline: [data("weight")] };

test("a mesh shows the first values that colour it: colours, labels, numbers", () => {
  const many = { ...mesh, data: [data("n", "normal"), data("curv"), data("parc", "label"), data("depth")] };
  assert.equal(shownData(layer(), many)?.name, "parc");
  assert.equal(shownData(layer({ surface: { data: "depth" } }), many)?.name, "depth");
  assert.equal(shownData(layer({ surface: { data: "n" } }), many), null);
  assert.equal(shownData(layer({ surface: { bare: true } }), many), null);
  assert.equal(shownData(layer({ surface: { bare: true } }), thickness)?.name, "thickness", "values are nothing else");
});

test("streamlines show values only if they are coloured by them", () => {
  assert.equal(shownData(layer(), tracts), null);
  assert.equal(shownData(layer({ streamlines: { colourBy: "data" } }), tracts)?.name, "fa");
  assert.equal(shownData(layer({ streamlines: { colourBy: "data", data: "weight" } }), tracts)?.name, "weight");
});

test("values fit a mesh of as many vertices and no other hemisphere", () => {
  assert.ok(fits(thickness, mesh));
  assert.ok(!fits({ ...thickness, vertices: 7 }, mesh));
  assert.ok(fits({ ...thickness, vertices: 7, verticesAtLeast: true }, mesh));
  assert.ok(!fits({ ...thickness, structure: "CortexRight" }, mesh));
  assert.ok(!fits(thickness, thickness) && !fits(thickness, tracts));
  const both = { ...thickness, data: [{ ...data("curv"), structure: "CortexLeft" }, { ...data("curv"), structure: "CortexRight" }] };
  assert.ok(fits(both, mesh));
});

test("shapes alone are stepped through by a millimetre, from their middle and within them", () => {
  const grid = gridAround([mesh, thickness, tracts])!;
  assert.deepEqual(grid.dims, [16, 21, 31]);
  assert.equal(sliceStepMm(grid.affine, [1, 0, 0]), 1);
  assert.deepEqual(sliceRangeMm(grid.affine, grid.dims, [1, 0, 0]), [-5, 10]);
  const uneven = gridAround([{ ...mesh, boundsMm: [[0, 0, 0], [2.6, 0, 0.4]] }])!;
  assert.deepEqual(uneven.dims, [3, 1, 1]);
  const [low, high] = sliceRangeMm(uneven.affine, uneven.dims, [1, 0, 0]);
  assert.ok(Math.abs(low - 0.3) < 1e-12 && Math.abs(high - 2.3) < 1e-12);
  assert.equal(gridAround([thickness]), null);
});

test("what was picked is told layer by layer", () => {
  const hit: Pick = {
    mm: [1, 2, 3], kind: "surface", layer: "a", vertex: 7,
    values: [{ layer: "a", name: "curv", value: -0.25 }, { layer: "b", name: "aparc", value: 3, label: "insula" }],
  };
  assert.equal(pickedText(layer(), hit), "vertex 7, curv −0.25");
  assert.equal(pickedText({ ...layer(), id: "b" }, hit), "aparc 3 insula");
  assert.equal(pickedText({ ...layer(), id: "c" }, hit), "");
  assert.equal(pickedText(layer(), { mm: [0, 0, 0], kind: "tracts", layer: "a", streamline: 0, values: [] }), "streamline 0");
  assert.equal(pickedText(layer(), null), "");
});

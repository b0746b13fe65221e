import test from "node:test";
import assert from "node:assert/strict";
import { applyOperation, completeScene, type Operation, type Scene } from "../src/scene.ts";
import { SceneStore } from "../src/store.ts";

function scene(): Scene {
  const layer = (id: string) => ({ id, source: { path: `${id}.nii` } });
  return completeScene({
    layers: [layer("a"), layer("b"), layer("c")] as Scene["layers"],
    views: [{ name: "axial", kind: "slice", plane: "axial", zoom: 1, centreMm: null }],
  });
}

function storeWithLog() {
  const sent: Operation[][] = [];
  const frames: (() => void)[] = [];
  const store = new SceneStore(
    { sendPatch: (patch) => sent.push(structuredClone(patch)), changed: () => undefined },
    (callback) => void frames.push(callback),
  );
  store.adopt(scene());
  return { sent, store, nextFrame: () => frames.shift()?.() };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test("the first edit leaves at once, those of the same animation frame together with the next", async () => {
  const { sent, store, nextFrame } = storeWithLog();
  store.setCrosshair([1, 0, 0], 0);
  await settle();
  assert.equal(sent.length, 1);
  for (let i = 2; i < 9; ++i) store.setCrosshair([i, 0, 0], 0);
  await settle();
  assert.equal(sent.length, 1);
  nextFrame();
  assert.deepEqual(sent[1], [{ op: "replace", path: "/crosshairMm", value: [8, 0, 0] }]);
  nextFrame();
  assert.equal(sent.length, 2);
});

test("values that belong together leave in one message", async () => {
  const { sent, store } = storeWithLog();
  store.setLayer("b", "windowLow", 1, 0);
  store.setLayer("b", "windowHigh", 2, 0);
  await settle();
  assert.deepEqual(sent, [[
    { op: "replace", path: "/layers/1/windowLow", value: 1 },
    { op: "replace", path: "/layers/1/windowHigh", value: 2 },
  ]]);
});

test("a value set after a layer moved goes to the layer's new place", async () => {
  const { sent, store } = storeWithLog();
  store.setLayer("a", "opacity", 0.5, 0);
  store.moveLayer("a", 1);
  store.setLayer("a", "opacity", 0.7, 0);
  store.removeLayer("b");
  await settle();
  const served = scene();
  for (const operation of sent[0]!) applyOperation(served, structuredClone(operation));
  assert.deepEqual(served, store.scene);
  assert.deepEqual(store.scene.layers.map((layer) => [layer.id, layer.opacity]), [["a", 0.7], ["c", 1]]);
});

test("edits that crossed a scene on the wire are applied to it again", async () => {
  const { store, nextFrame } = storeWithLog();
  store.setCrosshair([1, 2, 3], 0); // input 1
  await settle();
  nextFrame();
  store.setLayer("c", "opacity", 0.25, 0); // input 2
  await settle();
  store.adopt(scene(), 1);
  assert.deepEqual(store.scene.crosshairMm, [0, 0, 0]);
  assert.equal(store.scene.layers[2]!.opacity, 0.25);
  store.adopt({ ...scene(), layers: [] }, 1); // the edit does not fit any more
  assert.equal(store.scene.layers.length, 0);
});

test("a patch on a path that is not there is refused", () => {
  for (const path of ["/layers/7/opacity", "/layers/3", "/nothing", "/views/0/nothing"]) {
    assert.throws(() => applyOperation(scene(), { op: "replace", path, value: 1 }), path);
  }
  assert.throws(() => applyOperation(scene(), { op: "remove", path: "/layers/3" }));
});

test("a view's zoom counts as shown once a frame has seen the edit", async () => {
  const { store } = storeWithLog();
  assert.ok(store.showsZoom("axial", 0));
  store.setView("axial", "zoom", 2, 0);
  assert.ok(!store.showsZoom("axial", 1000));
  await settle();
  assert.ok(store.showsZoom("axial", store.lastInput));
  assert.ok(!store.showsZoom("axial", store.lastInput - 1));
});

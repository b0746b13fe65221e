import test from "node:test";
import assert from "node:assert/strict";
import { firstImage, type Entry } from "../src/rows.ts";
import { planOpening, sourceEntry } from "../src/overlay-source.ts";

function entry(id: string, change: Partial<Entry>): Entry {
  return {
    id: [...id].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7), subjectId: 1, subject: "p", study: "", name: id, path: id, kind: "image", format: "DICOM", dims: [1, 1, 1],
    timePoints: 1, modality: "", description: "", instances: 1, sizeBytes: 1, source: { path: id, series: "" },
    sourceSeries: "", state: "ready", reason: "", warnings: [], ...change,
  };
}
const ct = entry("ct", { source: { path: "ct", series: "1.2#0" }, instances: 90 });
const scout = entry("scout", { source: { path: "ct", series: "1.2#1" }, instances: 2 });
const similar = entry("similar", { source: { path: "ct", series: "1.23#0" }, instances: 900 });
const seg = entry("seg", { source: { path: "seg.dcm", series: "7.7#0" }, sourceSeries: "1.2" });
const all = [scout, ct, similar, seg];

test("the source is the largest image of the series that the overlay names", () => {
  assert.equal(sourceEntry(seg, all), ct);
  assert.equal(sourceEntry(seg, [similar, seg]), null);
  assert.equal(sourceEntry(ct, all), null);
  assert.equal(sourceEntry(seg, [{ ...ct, state: "failed" }]), null);
});

test("an overlay opens its source first, unless that is shown", () => {
  assert.deepEqual(planOpening(seg, "new", [], all), { source: ct, as: "overlay" });
  assert.deepEqual(planOpening(seg, "new", [similar.source], all), { source: ct, as: "overlay" });
  assert.deepEqual(planOpening(seg, "new", [ct.source], all), { source: null, as: "overlay" });
  assert.deepEqual(planOpening(seg, "new", [], [seg]), { source: null, as: "new" });
});

test("who asks for an overlay over another image gets it", () => {
  assert.deepEqual(planOpening(seg, "overlay", [similar.source], all), { source: null, as: "overlay" });
  assert.deepEqual(planOpening(seg, "overlay", [], all), { source: ct, as: "overlay" });
});

test("other images open as before", () => {
  assert.deepEqual(planOpening(ct, "new", [similar.source], all), { source: null, as: "new" });
  assert.deepEqual(planOpening(ct, "overlay", [similar.source], all), { source: null, as: "overlay" });
  assert.deepEqual(planOpening(ct, "overlay", [], all), { source: null, as: "new" });
});

test("an overlay is not the first image that is shown", () => {
  assert.equal(firstImage([seg, ct])?.entry, ct);
});

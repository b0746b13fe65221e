import test from "node:test";
import assert from "node:assert/strict";
import { Catalogue, firstImage, naturalKey, type Entry } from "../src/catalogue.ts";
import { WheelSteps } from "../src/input.ts";
import { Probes } from "../src/probes.ts";
import { percentile } from "../src/trace.ts";

let ids = 0;
function entry(change: Partial<Entry>): Entry {
  const name = change.name ?? "image.nii";
  return {
    id: `id${++ids}`, revision: ids, subject: "sub-01", study: "", name, path: `sub-01/${name}`, kind: "image",
    format: "NIfTI-1", dims: [1, 1, 1], timePoints: 1, modality: "", description: "", instances: 1, sizeBytes: 1,
    source: { path: name }, sourceSeries: "", state: "ready", reason: "", warnings: [], ...change,
  };
}
const names = (catalogue: Catalogue, filter = "", shown: "all" | "images" | "problems" = "all"): string[] =>
  catalogue.rows(filter, shown).map((row) => (row.kind === "entry" ? row.entry.name : `[${row.name} ${row.count}]`));

test("names sort as people count", () => {
  assert.ok(naturalKey("image2") < naturalKey("image10"));
});

test("entries are listed below subject and study", () => {
  const catalogue = new Catalogue();
  catalogue.merge([
    entry({ name: "b10" }),
    entry({ subject: "sub-02", study: "ses-1", name: "x" }),
    entry({ name: "b9" }),
  ]);
  assert.deepEqual(names(catalogue), ["[sub-01 2]", "b9", "b10", "[sub-02 1]", "[ses-1 1]", "x"]);
});

test("a new revision of an entry takes the place of the old one, a removed one goes", () => {
  const catalogue = new Catalogue();
  const first = entry({ name: "a", state: "failed", reason: "short" });
  catalogue.merge([first, entry({ name: "b" })]);
  assert.equal(catalogue.problems, 1);
  assert.deepEqual(names(catalogue, "", "problems"), ["a"]); // no tree
  catalogue.merge([{ ...first, name: "c", state: "ready" }]);
  assert.deepEqual(names(catalogue), ["[sub-01 2]", "b", "c"]);
  assert.equal(catalogue.problems, 0);
  catalogue.merge([{ ...first, state: "removed" }]);
  assert.deepEqual(names(catalogue), ["[sub-01 1]", "b"]);
});

test("a layer's entry is found by its source, series and all", () => {
  const catalogue = new Catalogue();
  const first = entry({ name: "T1", source: { path: "dicom", series: "1.2#0" } });
  const second = entry({ name: "T2", source: { path: "dicom", series: "1.2#1" } });
  catalogue.merge([first, second]);
  assert.equal(catalogue.find({ path: "dicom", series: "1.2#1" }), second);
  assert.equal(catalogue.find({ path: "dicom", series: "" }), undefined);
  catalogue.merge([{ ...second, state: "removed" }]);
  assert.equal(catalogue.find({ path: "dicom", series: "1.2#1" }), undefined);
});

test("the filter looks at every word and opens what it finds", () => {
  const catalogue = new Catalogue();
  const many = Array.from({ length: 500 }, (_, i) => entry({ subject: `s${i % 5}`, name: `scan${i}.nii` }));
  catalogue.merge(many);
  assert.equal(names(catalogue).length, 5); // closed at first
  assert.deepEqual(names(catalogue, "S3 scan13."), ["[s3 1]", "scan13.nii"]);
  assert.deepEqual(names(catalogue, "", "problems"), []);
});

test("100,000 entries are merged and listed fast enough for a live list", () => {
  const catalogue = new Catalogue();
  const all = Array.from({ length: 100_000 }, (_, i) => entry({ subject: `sub-${i % 2000}`, name: `run-${i}.nii.gz` }));
  const start = performance.now();
  for (let i = 0; i < all.length; i += 5000) catalogue.merge(all.slice(i, i + 5000));
  catalogue.rows("", "all");
  assert.equal(catalogue.rows("run-99999", "all").length, 2);
  assert.ok(performance.now() - start < 3000, `${performance.now() - start} ms`);
});

test("the first image is a T1 by name, not its segmentation, else the first still image", () => {
  const bold = entry({ name: "sub-01_bold.nii.gz", timePoints: 100 });
  const other = entry({ name: "sub-01_zzz.nii.gz" });
  const t1 = entry({ name: "sub-09_T1w.nii.gz" });
  const seg = entry({ name: "sub-00_T1w_seg.nii.gz" });
  assert.equal(firstImage([bold, other, seg, t1])?.entry, t1);
  assert.equal(firstImage([bold, other, seg])?.entry, other);
  assert.equal(firstImage([bold])?.entry, bold);
  assert.equal(firstImage([entry({ state: "failed" }), entry({ kind: "tracts" })]), null);
});

test("a wheel click is one step, trackpad travel adds up", () => {
  const wheel = new WheelSteps();
  assert.equal(wheel.take({ deltaY: 100, deltaMode: 0 }), -1);
  assert.equal(wheel.take({ deltaY: -120, deltaMode: 0 }), 1);
  assert.equal(wheel.take({ deltaY: -3, deltaMode: 1 }), 1);
  assert.equal(wheel.take({ deltaY: -360, deltaMode: 0 }), 3);
  const small = Array.from({ length: 10 }, () => wheel.take({ deltaY: -6, deltaMode: 0 }));
  assert.equal(small.reduce((a, b) => a + b, 0), 2);
});

test("one probe is outstanding; the newest of each kind waits", () => {
  const sent: number[][] = [];
  const probes = new Probes((mm) => sent.push(mm), () => undefined);
  probes.ask("cursor", [1, 0, 0]);
  probes.ask("cursor", [2, 0, 0]);
  probes.ask("crosshair", [9, 0, 0]);
  probes.ask("cursor", [3, 0, 0]);
  assert.deepEqual(sent, [[1, 0, 0]]);
  probes.answered(1, { mm: [1, 0, 0], layers: [] });
  probes.answered(2, { mm: [9, 0, 0], layers: [] });
  assert.deepEqual(sent, [[1, 0, 0], [9, 0, 0], [3, 0, 0]]);
  assert.deepEqual(probes.readings.crosshair?.mm, [9, 0, 0]);
});

test("percentiles are by nearest rank", () => {
  const values = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.deepEqual([50, 95, 99].map((p) => percentile(values, p)), [50, 95, 99]);
  assert.ok(Number.isNaN(percentile([], 50)));
});

import test from "node:test";
import assert from "node:assert/strict";
import type { Entry } from "../src/rows.ts";
import { contentOf, fittingImage, hemisphereOf, meshesFor, planShape } from "../src/shape-source.ts";

function entry(path: string, change: Partial<Entry> = {}): Entry {
  const name = path.split("/").pop()!;
  const subject = /sub-\d+|fs\d+/.exec(path)?.[0] ?? path.split("/")[0]!;
  return {
    id: [...path].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 2 ** 40, 7), subjectId: 1, subject, study: "", name, path, kind: "image", format: "NIfTI", dims: [1, 1, 1], timePoints: 1,
    modality: "", description: "", instances: 1, sizeBytes: 1, source: { path, series: "" }, sourceSeries: "", state: "ready",
    reason: "", warnings: [], ...change,
  };
}
const surface = (path: string, format = "FreeSurfer surface") => entry(path, { kind: "surface", format });
const tracts = (path: string) => entry(path, { kind: "streamlines", format: "TCK" });

const t1 = entry("ds/sub-01/anat/sub-01_T1w.nii.gz");
const mniT1 = entry("ds/derivatives/prep/sub-01/anat/sub-01_space-MNI152_desc-preproc_T1w.nii.gz");
const bold = entry("ds/sub-01/func/sub-01_bold.nii.gz", { timePoints: 90 });
const seg = entry("ds/sub-01/anat/sub-01_T1w_seg.nii.gz");
const foreign = entry("other/sub-01/anat/sub-01_T1w.nii.gz");
const sub02 = entry("ds/sub-02/anat/sub-02_T1w.nii.gz");
const images = [bold, seg, mniT1, foreign, sub02, t1];
const bundle = tracts("ds/derivatives/tracts/sub-01/dwi/sub-01_bundle.tck");

test("the image of a shape is a T1 of the same subject of the same data set, in the same space", () => {
  assert.equal(fittingImage(bundle, images), t1);
  assert.equal(fittingImage(tracts("ds/derivatives/prep/sub-01/dwi/sub-01_space-MNI152_bundle.tck"), images), mniT1);
  assert.equal(fittingImage(tracts("ds/sub-03/dwi/sub-03.tck"), images), null);
  assert.equal(fittingImage(tracts("misc/standard.tck"), [...images, entry("misc/standard.nii.gz"), entry("misc/b.nii")])?.path, "misc/standard.nii.gz");
});

test("FreeSurfer's surfaces have FreeSurfer's image", () => {
  const mri = ["brain.mgz", "orig.mgz", "aseg.mgz"].map((name) => entry(`fs01/mri/${name}`));
  assert.equal(fittingImage(surface("fs01/surf/lh.pial"), mri)?.path, "fs01/mri/brain.mgz");
  assert.equal(fittingImage(surface("fs01/label/lh.aparc.annot"), [...mri, entry("fs01/mri/T1.mgz")])?.path, "fs01/mri/T1.mgz");
  assert.equal(fittingImage(surface("fs02/surf/lh.pial"), mri), null);
});

test("a shape comes with its image, joins the one that is shown, or stands alone", () => {
  const plan = (shape: Entry, shown: Entry[], as: "new" | "overlay" = "new") =>
    planShape(shape, as, shown, images).map((step) => [step.entry.path, step.as]);
  assert.deepEqual(plan(bundle, []), [[t1.path, "new"], [bundle.path, "overlay"]]);
  assert.deepEqual(plan(bundle, [sub02]), [[t1.path, "new"], [bundle.path, "overlay"]]);
  assert.deepEqual(plan(bundle, [foreign]), [[t1.path, "new"], [bundle.path, "overlay"]], "another sub-01");
  assert.deepEqual(plan(bundle, [bold]), [[bundle.path, "overlay"]]);
  assert.deepEqual(plan(bundle, [sub02], "overlay"), [[bundle.path, "overlay"]], "who asks for it gets it");
  const [pial, white] = [surface("meshes/a.pial"), surface("meshes/a.white")];
  assert.deepEqual(plan(pial, [t1]), [[pial.path, "new"]]);
  assert.deepEqual(plan(white, [pial]), [[white.path, "overlay"]]);
  assert.deepEqual(plan(white, [bundle]), [[white.path, "new"]]);
});

test("names tell hemispheres and values from meshes, where they do", () => {
  const sides = ["lh.pial", "rh.thickness", "pial_left.gii.gz", "fs_LR.32k.L.inflated.surf.gii", "fs_LR.32k.LR.curvature.dscalar.nii", "sub-01_hemi-R_pial.surf.gii"];
  assert.deepEqual(sides.map((name) => hemisphereOf(entry(name))), ["l", "r", "l", "l", "", "r"]);
  assert.equal(contentOf(surface("lh.thickness", "FreeSurfer curv")), "values");
  assert.equal(contentOf(surface("a.shape.gii", "GIFTI")), "values");
  assert.equal(contentOf(surface("a.surf.gii", "GIFTI")), "mesh");
  assert.equal(contentOf(surface("curv_left.gii.gz", "GIFTI")), "", "its bytes tell");
  assert.equal(contentOf(tracts("a.tck")), "mesh");
});

test("the meshes for values are of their folder and hemisphere, the best to look at first", () => {
  const surf = ["lh.sphere", "lh.inflated", "rh.pial", "lh.white", "lh.pial", "lh.other"].map((name) => surface(`fs01/surf/${name}`));
  const others = [surface("fs02/surf/lh.pial"), surface("fs01/surf/lh.sulc", "FreeSurfer curv"), entry("fs01/surf/lh.nii")];
  const found = (values: Entry) => meshesFor(values, [...surf, ...others]).map(({ name }) => name);
  assert.deepEqual(found(surface("fs01/surf/lh.thickness", "FreeSurfer curv")), ["lh.pial", "lh.white", "lh.inflated", "lh.other", "lh.sphere"]);
  assert.equal(found(surface("fs01/label/rh.aparc.annot", "FreeSurfer annotation"))[0], "rh.pial");
});

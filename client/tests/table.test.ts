import test from "node:test";
import assert from "node:assert/strict";
import { entryOf, firstImage, naturalKey, type Entry, type Row } from "../src/rows.ts";
import { cellText } from "../src/columns.ts";
import { decodeIds } from "../src/id-list.ts";
import { ScrollMap } from "../src/scroll-map.ts";
import { Selection } from "../src/selection.ts";
import { FlatLines, groupFiles, TreeLines } from "../src/table-lines.ts";

let ids = 0;
function row(change: Partial<Row>): Row {
  const name = change.name ?? "image.nii";
  return {
    id: ++ids, level: "files", name, tags: [], meta: {}, revision: 1, projectId: 1, project: "p", created: "", changed: "",
    subjectId: 1, subject: "sub-01", studyId: 0, study: "", path: `sub-01/${name}`, kind: "image", state: "present", ...change,
  };
}
const entry = (change: Partial<Entry>): Entry => ({ ...entryOf(row(change.name ? { name: change.name } : {})), ...change });

function pack(numbers: number[]): Uint8Array {
  const bytes: number[] = [];
  let last = 0;
  for (const id of numbers) {
    let value = id >= last ? (id - last) * 2 : (last - id) * 2 - 1;
    for (last = id; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
    bytes.push(value);
  }
  return Uint8Array.from(bytes);
}

test("names sort as people count", () => {
  assert.ok(naturalKey("image2") < naturalKey("image10"));
});

test("packed ids come back, also falling ones and those beyond 32 bits", () => {
  const numbers = [1, 2, 3, 1000, 5, 2 ** 40, 2 ** 40 + 1, 7, 2 ** 52];
  assert.deepEqual([...decodeIds(pack(numbers))], numbers);
  assert.deepEqual([...decodeIds(Uint8Array.from([0x02, 0x02, 0x03]))], [1, 2, 0]); // +1, +1, -2
  assert.equal(decodeIds(new Uint8Array()).length, 0);
  assert.throws(() => decodeIds(Uint8Array.from([2, 0x80])), /cut off/);
});

test("a million ids are unpacked", () => {
  const bytes = pack(Array.from({ length: 1_000_000 }, (_, i) => i + 1));
  assert.equal(decodeIds(bytes)[999_999], 1_000_000);
});

test("scrolling over more than a browser can: wheel steps are exact, both ends are reached, the bar jumps in proportion", () => {
  const map = new ScrollMap();
  map.resize(28_000_000, 700);
  assert.equal(map.height, 8_000_000);
  map.scrolled(100);
  assert.equal(map.top, 100);
  map.scrolled(200);
  assert.equal(map.top, 200);
  assert.equal(map.settle(), 57);
  map.scrolled(157);
  assert.equal(map.top, 300);
  map.scrolled(4_000_000);
  assert.ok(Math.abs(map.top - 14_000_000) < 3000, String(map.top));
  map.scrolled(map.height - 700);
  assert.equal(map.top, 28_000_000 - 700);
  assert.equal(map.place(map.top), map.height - 700);
  map.scrolled(0);
  assert.equal(map.top, 0);
  assert.ok(map.goTo(28) >= 1, "the bar does not stand at its end while there is a line above");
});

test("short lists scroll as they are", () => {
  const map = new ScrollMap();
  map.resize(2800, 700);
  map.scrolled(333);
  assert.equal(map.top, 333);
  assert.equal(map.settle(), 333);
  map.resize(700, 700);
  assert.equal(map.top, 0);
});

test("a tree has lines for what is open alone, and finds each of them", () => {
  const tree = new TreeLines("subjects", Float64Array.from([10, 20, 30, 40]), [99]);
  assert.equal(tree.count, 5);
  tree.setChildren({ level: "subjects", id: 20, children: [{ level: "studies", id: 5, children: [1, 2] }, 3] });
  tree.setChildren({ level: "subjects", id: 40, children: [7] });
  tree.setOpen("subjects", 20, true);
  tree.setOpen("studies", 5, true);
  tree.setOpen("subjects", 40, true);
  tree.rebuild();
  const all = Array.from({ length: tree.count }, (_, i) => tree.line(i)!);
  assert.deepEqual(all.map(({ level, id, depth }) => `${depth} ${level} ${id}`), [
    "0 subjects 10", "0 subjects 20", "1 studies 5", "2 files 1", "2 files 2", "1 files 3",
    "0 subjects 30", "0 subjects 40", "1 files 7", "0 files 99",
  ]);
  all.forEach(({ level, id }, at) => assert.equal(tree.indexOf(level, id), at));
  assert.equal(tree.line(10), undefined);
  assert.equal(tree.indexOf("files", 1234), -1);
});

test("found files are grouped below subject and study; those of no subject stand alone", () => {
  const files = [
    row({ id: 1, name: "b10" }), row({ id: 2, name: "b9" }), row({ id: 3, name: "x", studyId: 4 }),
    row({ id: 4, name: "y", subjectId: 2 }), row({ id: 5, name: "z", subjectId: 0 }),
  ];
  const { groups, loose } = groupFiles(files, "subjects");
  assert.deepEqual(groups.map(({ id, children }) => [id, children!.length]), [[1, 3], [2, 1]]);
  assert.deepEqual(groups[0]!.children!.filter((child) => typeof child === "number"), [2, 1]);
  assert.deepEqual(loose, [5]);
});

test("the whole result is chosen without its ids, and single rows can be taken out", () => {
  const selection = new Selection();
  selection.all("files");
  assert.ok(selection.has("files", 5) && !selection.has("studies", 5));
  assert.equal(selection.count(1_000_000), 1_000_000);
  selection.spellOut(Float64Array.from([4, 5, 6]));
  selection.set("files", 5, false);
  assert.deepEqual(selection.byLevel(), [["files", [4, 6]]]);
  assert.equal(new FlatLines("files", Float64Array.from([4, 5])).indexOf("files", 5), 1);
});

test("cells show nested metadata, keys with dots in them too", () => {
  const item = row({ meta: { scan: { tr: 2.5 }, "a.b": { c: "x" }, list: [1, 2], none: null } });
  assert.equal(cellText(item, "meta.scan.tr"), "2.5");
  assert.equal(cellText(item, "meta.a.b.c"), "x");
  assert.equal(cellText(item, "meta.list"), "[1,2]");
  assert.equal(cellText(item, "meta.none"), "");
  assert.equal(cellText(item, "meta.toString"), "");
});

test("the first image is a T1 by name, not its segmentation, else the first still image", () => {
  const bold = entry({ name: "sub-01_bold.nii.gz", timePoints: 100 });
  const other = entry({ name: "sub-01_zzz.nii.gz" });
  const t1 = entry({ name: "sub-09_T1w.nii.gz" });
  const seg = entry({ name: "sub-00_T1w_seg.nii.gz" });
  assert.equal(firstImage([bold, other, seg, t1])?.entry, t1);
  assert.equal(firstImage([bold, other, seg])?.entry, other);
  assert.equal(firstImage([bold])?.entry, bold);
  assert.equal(firstImage([entry({ state: "failed" }), entry({ kind: "streamlines" })]), null);
});


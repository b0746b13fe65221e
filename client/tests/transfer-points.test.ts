import test from "node:test";
import assert from "node:assert/strict";
import { mapColour, mixed } from "../src/colour-maps.ts";
import type { TransferPoint } from "../src/scene.ts";
import { addedPoint, colouredPoint, heightOf, movedPoint, opacityAt, scaleOf, withoutPoint } from "../src/transfer-points.ts";

const points: TransferPoint[] = [
  { value: 0, opacity: 0, colour: "#000000" },
  { value: 100, opacity: 0.5, colour: "#ff0000" },
  { value: 200, opacity: 1, colour: "#ffffff" },
];
const scale = { low: 0, high: 200 };
const rises = (list: TransferPoint[]): boolean => list.every((p, i) => i === 0 || p.value > list[i - 1]!.value);

test("a point never passes its neighbours, however far it is dragged", () => {
  for (const value of [-1e9, -1, 0, 50, 100, 200, 1e9]) {
    for (const index of [0, 1, 2]) assert.ok(rises(movedPoint(points, index, value, 0.5, scale)), `${index} to ${value}`);
  }
  assert.equal(movedPoint(points, 1, 60, 7, scale)[1]!.opacity, 1);
  assert.equal(movedPoint(points, 2, 500, 1, scale)[2]!.value, 500, "beyond the ends there is room");
});

test("a new point lies on its place in the order, with the colour of the curve", () => {
  const added = addedPoint(points, 150, 0.2)!;
  assert.equal(added.index, 2);
  assert.ok(rises(added.points));
  assert.equal(added.points[2]!.colour, "#ff8080");
  assert.equal(addedPoint(points, 100, 0.2), null, "two points of one value are no curve");
  const bare = points.map(({ value, opacity }) => ({ value, opacity }));
  assert.equal("colour" in addedPoint(bare, 300, 1)!.points[3]!, false);
});

test("two points always stay", () => {
  const two = withoutPoint(points, 1);
  assert.deepEqual(two.map(({ value }) => value), [0, 200]);
  assert.equal(withoutPoint(two, 0).length, 2);
});

test("one point's colour gives all points the colour that they had", () => {
  const bare = points.map(({ value, opacity }) => ({ value, opacity }));
  const coloured = colouredPoint(bare, 1, "#123456", (value) => mapColour("gray", value / 200));
  assert.deepEqual(coloured.map(({ colour }) => colour), ["#000000", "#123456", "#ffffff"]);
});

test("height and opacity are each other's inverse, and the scale holds values and points", () => {
  for (const opacity of [0, 0.01, 0.5, 1]) assert.ok(Math.abs(opacityAt(heightOf(opacity)) - opacity) < 1e-12);
  assert.deepEqual(scaleOf(points, { low: -50, high: 120 }), { low: -50, high: 200 });
  const flat = scaleOf([{ value: 3, opacity: 0 }], null);
  assert.ok(flat.low < 3 && flat.high > 3);
  assert.equal(mixed("#000", "#ffffff", 0.5), "#808080");
});

import test from "node:test";
import assert from "node:assert/strict";
import { sortedOrder } from "../src/table-order.ts";

const column = (...values: string[]): string[][] => values.map((value) => [value]);
const sorted = (values: string[], descending = false): string[] =>
  sortedOrder(column(...values), 0, descending).map((i) => values[i]!);

test("numbers sort by value, before texts, and nothing comes last either way", () => {
  assert.deepEqual(sorted(["10", "n/a", "9.5", "", "-1e2", "b"]), ["-1e2", "9.5", "10", "b", "n/a", ""]);
  assert.deepEqual(sorted(["10", "n/a", "9.5", "", "-1e2", "b"], true), ["10", "9.5", "-1e2", "b", "n/a", ""]);
});

test("texts sort as people do, equal ones stay in their order", () => {
  assert.deepEqual(sorted(["sub-10", "sub-9", "Sub-1"]), ["Sub-1", "sub-9", "sub-10"]);
  assert.deepEqual(sortedOrder([["a", "1"], ["b"], ["a", "2"]], 0, false), [0, 2, 1]);
  assert.deepEqual(sortedOrder([["a"], ["b", "1"], ["c", "0"]], 1, false), [2, 1, 0]); // short rows have nothing there
});

test("a hundred thousand rows are sorted", () => {
  const rows = Array.from({ length: 100_000 }, (_, i) => [`row ${(i * 7919) % 100_000}`]);
  const order = sortedOrder(rows, 0, false);
  assert.equal(rows[order[99_999]!]![0], "row 99999");
});

import assert from "node:assert/strict";
import test from "node:test";
import { stepsAhead } from "../src/ahead.ts";

test("the next slices in the direction of travel come first, then both ways in turn", () => {
  const steps = stepsAhead({ lead: 0, reach: 8, ahead: 100, behind: 100 });
  assert.deepEqual(steps.slice(0, 8), [1, 2, 3, 4, 5, -1, 6, -2]);
  assert.deepEqual([...steps].sort((a, b) => a - b), [-8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test("no slice is asked for that is not there", () => {
  assert.deepEqual(stepsAhead({ lead: 0, reach: 4, ahead: 1, behind: 0 }), [1]);
  assert.deepEqual(stepsAhead({ lead: 3, reach: 4, ahead: 2, behind: 0 }), [2, 1]);
});

test("slices that are passed before they can come are asked for last", () => {
  const steps = stepsAhead({ lead: 2, reach: 4, ahead: 100, behind: 100 });
  assert.deepEqual(steps, [3, 4, 5, -1, 6, -2, -3, -4, 2, 1]);
});

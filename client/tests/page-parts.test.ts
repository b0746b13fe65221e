import test from "node:test";
import assert from "node:assert/strict";
import { WheelSteps } from "../src/input.ts";
import { Probes } from "../src/probes.ts";
import { percentile } from "../src/trace.ts";

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

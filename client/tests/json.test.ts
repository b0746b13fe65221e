import test from "node:test";
import assert from "node:assert/strict";
import { checkMeta } from "../src/json-check.ts";
import { differences, sameJson } from "../src/json-diff.ts";

const at = (text: string): string => {
  const fault = checkMeta(text);
  return fault ? `${fault.line}:${fault.column} ${fault.text}` : "";
};

test("what JSON.parse takes as an object is taken, and nothing else", () => {
  const good = ["{}", ' { "a" : [1, -2.5e+3, true, false, null, "\\u00e9\\n", {}] } ', '{"ä":"😀"}', '{"": 0}'];
  const bad = [
    "", "[]", "1", "{", '{"a"}', '{"a":}', '{"a":01}', '{"a":1,}', "{a:1}", '{"a":1}x', '{"a":"\n"}', '{"a":"\\x"}', '{"a":.5}',
    '{"a":nul}', "{'a':1}", '{"a":[1 2]}', '{"a":+1}', '{"a":NaN}', '{"a":"b}',
  ];
  for (const text of good) {
    assert.doesNotThrow(() => JSON.parse(text));
    assert.equal(checkMeta(text), null, text);
  }
  for (const text of bad) assert.notEqual(checkMeta(text), null, text);
});

test("the place of a fault is told in lines and characters", () => {
  assert.match(at('{\n  "a": 1\n  "b": 2\n}'), /^3:3 expected , or }/);
  assert.match(at('{"😀": x}'), /^1:7 expected a value/);
  assert.match(at('{"a": {"b": 1}'), /^1:15 expected } for the { in line 1/);
  assert.match(at('{"a": 1, "a": 2}'), /^1:10 the key "a" is there twice/);
  assert.match(at('{"a": "long'), /^1:7 this text has no quote/);
  assert.match(at("[1]"), /^1:1 expected { : metadata are an object/);
});

test("too deep and too large are faults, and soon told", () => {
  const deep = (n: number): string => `${'{"a":'.repeat(n)}1${"}".repeat(n)}`;
  assert.equal(checkMeta(deep(31)), null);
  assert.match(at(deep(33)), /32 levels/);
  assert.match(at(`{"a":"${"x".repeat(1 << 20)}"}`), /more than the 1048576/);
  assert.notEqual(checkMeta("[".repeat(500_000)), null);
});

test("differences name what was added, changed and taken away", () => {
  const before = { age: 60, scan: { tr: 2, te: 3 }, list: [1, 2], gone: null };
  const after = { age: "60", scan: { te: 3, tr: 2.5 }, list: [1, 2, 3], fresh: true };
  assert.deepEqual(differences(before, after), [
    { path: "age", before: 60, after: "60" },
    { path: "scan.tr", before: 2, after: 2.5 },
    { path: "list.2", before: undefined, after: 3 },
    { path: "gone", before: null, after: undefined },
    { path: "fresh", before: undefined, after: true },
  ]);
  assert.deepEqual(differences({ a: { b: 1 } }, { a: { b: 1 } }), []);
  assert.ok(sameJson({ a: 1, b: [2] }, { b: [2], a: 1 }) && !sameJson({ a: [] }, { a: {} }));
  assert.deepEqual(differences([1], { 0: 1 }), [{ path: "", before: [1], after: { 0: 1 } }]);
});

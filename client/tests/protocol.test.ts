import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Fnv1a64, layerState, parseFrame, Parts } from "../src/protocol.ts";

function frameBytes(name: string, picture: number[]): ArrayBuffer {
  const text = new TextEncoder().encode(name);
  const buffer = new ArrayBuffer(192 + text.length + picture.length);
  const view = new DataView(buffer);
  "NORF".split("").forEach((c, i) => view.setUint8(i, c.charCodeAt(0)));
  view.setUint16(4, 2, true);
  view.setUint16(6, 192, true);
  view.setUint32(8, 7, true);
  view.setUint8(12, 2);
  view.setUint8(13, 2);
  [320, 240, 640, 480, text.length].forEach((v, i) => view.setUint16(14 + 2 * i, v, true));
  view.setBigUint64(24, 9007199254740991n, true);
  for (let i = 0; i < 12; ++i) view.setFloat64(32 + 8 * i, i + 0.5, true);
  [11, 12, 13, 14].forEach((v, i) => view.setUint32(128 + 4 * i, v, true));
  view.setBigUint64(144, 0xfedcba9876543210n, true);
  new Uint8Array(buffer, 192).set(text);
  new Uint8Array(buffer, 192 + text.length).set(picture);
  return buffer;
}

test("a frame gives back what was written", () => {
  const { header, picture } = parseFrame(frameBytes("3d·ü", [1, 2, 3]));
  assert.equal(header.frame, 7);
  assert.equal(header.quality, "lossless");
  assert.deepEqual([header.width, header.height, header.viewportWidth, header.viewportHeight], [320, 240, 640, 480]);
  assert.equal(header.input, Number.MAX_SAFE_INTEGER);
  assert.deepEqual([header.origin, header.right], [[0.5, 1.5, 2.5], [3.5, 4.5, 5.5]]);
  assert.deepEqual([header.down, header.forward], [[6.5, 7.5, 8.5], [9.5, 10.5, 11.5]]);
  assert.deepEqual([header.queueUs, header.renderUs, header.encodeUs, header.waitUs], [11, 12, 13, 14]);
  assert.equal(header.hash, 0xfedcba9876543210n);
  assert.equal(header.view, "3d·ü");
  assert.deepEqual([...picture], [1, 2, 3]);
});

test("a longer header of a later server is skipped", () => {
  const short = new Uint8Array(frameBytes("axial", [9]));
  const long = new Uint8Array(short.length + 8);
  long.set(short.subarray(0, 192));
  long.set(short.subarray(192), 200);
  new DataView(long.buffer).setUint16(6, 200, true);
  const { header, picture } = parseFrame(long.buffer);
  assert.equal(header.view, "axial");
  assert.deepEqual([...picture], [9]);
});

test("parts make the whole, and those that do not follow are refused", () => {
  const part = (frame: number, offset: number, total: number, bytes: number[]): ArrayBuffer => {
    const buffer = new ArrayBuffer(24 + bytes.length);
    const view = new DataView(buffer);
    "NORP".split("").forEach((c, i) => view.setUint8(i, c.charCodeAt(0)));
    [2, 24].forEach((v, i) => view.setUint16(4 + 2 * i, v, true));
    [frame, offset, total].forEach((v, i) => view.setUint32(8 + 4 * i, v, true));
    new Uint8Array(buffer, 24).set(bytes);
    return buffer;
  };
  const parts = new Parts();
  const whole = frameBytes("axial", [1]);
  assert.equal(parts.take(whole), whole);
  assert.equal(parts.take(part(1, 0, 9, [7, 7])), null); // given up
  assert.equal(parts.take(part(2, 0, 5, [1, 2])), null);
  assert.equal(parts.take(whole), whole); // between them
  assert.equal(parts.take(part(2, 2, 5, [3])), null);
  assert.deepEqual([...new Uint8Array(parts.take(part(2, 3, 5, [4, 5]))!)], [1, 2, 3, 4, 5]);
  assert.throws(() => parts.take(part(2, 5, 5, [6])));
  assert.equal(parts.take(part(3, 0, 5, [1])), null);
  assert.throws(() => parts.take(part(3, 2, 5, [1])));
  assert.throws(() => parts.take(part(4, 0, 0xffffffff, [1])));
});

test("every truncation of a frame is refused or has an empty picture", () => {
  const whole = frameBytes("axial", []);
  for (let n = 0; n < whole.byteLength; ++n) assert.throws(() => parseFrame(whole.slice(0, n)));
  assert.equal(parseFrame(whole).picture.length, 0);
});

test("a frame of another magic, version, codec or quality is refused", () => {
  for (const [offset, value] of [[0, 0x58], [4, 1], [6, 100], [12, 9], [13, 3]] as const) {
    const bytes = frameBytes("axial", []);
    new DataView(bytes).setUint8(offset, value);
    assert.throws(() => parseFrame(bytes), `byte ${offset}`);
  }
});

test("a layer's state is read defensively", () => {
  const ready = layerState({ name: "a", info: { dims: [1, 2, 3] }, window: { low: 1, high: 2 }, state: "ready" });
  assert.deepEqual([ready.state, ready.window?.high, ready.info?.dims.length], ["ready", 2, 3]);
  const odd = layerState({ window: { low: null, high: 2 }, error: { what: "too short", where: "a.nii" } });
  assert.deepEqual([odd.state, odd.window, odd.info, odd.error], ["loading", null, null, "a.nii: too short"]);
});

// The same bytes that the server's tests read.
interface Fixtures {
  frames: { name: string; hex: string; header: Record<string, unknown>; payload: string }[];
  malformed: { name: string; hex: string }[];
  fnv1a64: { bytes: string; hash: string }[];
}
const fixtures = JSON.parse(readFileSync("../tests/data/protocol/frames.json", "utf8")) as Fixtures;
const bytesOf = (hex: string): ArrayBuffer => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16)).buffer;

for (const { name, hex, header, payload } of fixtures.frames) {
  test(`the shared frame "${name}" is read as the server's tests read it`, () => {
    const read = parseFrame(bytesOf(hex));
    const quality = ["moving", "sharp", "lossless"][header["quality"] as number];
    assert.deepEqual(read.header, { ...header, quality, hash: BigInt(`0x${header["hash"]}`) });
    assert.deepEqual(new Uint8Array(read.picture), new Uint8Array(bytesOf(payload)));
  });
}

for (const { name, hex } of fixtures.malformed) {
  test(`the shared malformed frame "${name}" is refused`, () => {
    assert.throws(() => parseFrame(bytesOf(hex)));
  });
}

test("FNV-1a has its published values", () => {
  for (const { bytes, hash } of fixtures.fnv1a64) {
    const sum = new Fnv1a64();
    sum.add(new Uint8Array(bytesOf(bytes)));
    assert.equal(sum.value(), BigInt(`0x${hash}`));
  }
});

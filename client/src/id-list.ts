// The ids of all rows of a table, as the server packs them: differences to the one before, zig-zag, LEB128.

/** Throws an Error if the bytes end within a number. */
export function decodeIds(bytes: Uint8Array): Float64Array {
  let count = 0;
  for (const byte of bytes) if (byte < 0x80) ++count;
  if (bytes.length > 0 && bytes[bytes.length - 1]! >= 0x80) throw new Error("the list of ids is cut off");
  const ids = new Float64Array(count);
  let id = 0;
  for (let at = 0, i = 0; i < count; ++i) {
    let value = 0;
    let scale = 1;
    let byte = bytes[at++]!;
    while (byte >= 0x80) {
      value += (byte & 0x7f) * scale; // beyond 32 bits, where shifts would fail
      scale *= 128;
      byte = bytes[at++]!;
    }
    value += byte * scale;
    id += value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    ids[i] = id;
  }
  return ids;
}

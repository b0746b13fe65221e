// Is a lossless picture what the server rendered? Its hash is computed a little at a time, so that no input waits.
import { Fnv1a64 } from "./protocol.ts";

const bandRows = 32;
const sliceMs = 4; // of work between two looks at whether something else is to be done

export type Check = "right" | "wrong" | "overtaken";

/** Takes a copy of the picture at once; "overtaken" if `isWanted` says no before the end. */
export async function checkHash(picture: CanvasImageSource, width: number, height: number, hash: bigint, isWanted: () => boolean): Promise<Check> {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) return "overtaken";
  context.drawImage(picture, 0, 0);
  const sum = new Fnv1a64();
  let since = performance.now();
  for (let y = 0; y < height; y += bandRows) {
    sum.add(context.getImageData(0, y, width, Math.min(bandRows, height - y)).data);
    if (performance.now() - since < sliceMs) continue;
    await new Promise((resolve) => setTimeout(resolve));
    if (!isWanted()) return "overtaken";
    since = performance.now();
  }
  return sum.value() === hash ? "right" : "wrong";
}

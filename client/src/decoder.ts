// From an encoded picture to a bitmap, colours untouched: no profile, no premultiplication.
import { codecs } from "./protocol.ts";

const exactColours: ImageBitmapOptions = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

export async function decodePicture(codec: number, picture: Uint8Array<ArrayBuffer>): Promise<ImageBitmap> {
  const type = { [codecs.png]: "image/png", [codecs.webp]: "image/webp" }[codec] ?? "image/jpeg";
  return createImageBitmap(new Blob([picture], { type }), exactColours);
}

// The vector graphics over a picture: the crosshair, crisp at device pixels, with a dark halo and a gap at its centre.
// Its four arms are elements, not a canvas: moving them repaints a few pixels instead of the whole view.
import { pixelFromWorld, type Vec3 } from "./geometry.ts";
import type { Picture } from "./navigation.ts";

const gapCss = 9; // half of the gap around the centre
const marginCss = 27; // the orientation letters stand here

interface Arm {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The arms in css pixels; `density`: device pixels per css pixel. An arm that has no room has a size of 0. */
export function crosshairArms(picture: Picture, crosshair: Vec3, density: number): Arm[] {
  const [px, py] = pixelFromWorld(picture, crosshair);
  if (!Number.isFinite(px) || !Number.isFinite(py)) return [];
  const line = Math.max(1, Math.round(density)) / density;
  const x = Math.floor(px) / density;
  const y = Math.floor(py) / density;
  const width = picture.width / density;
  const height = picture.height / density;
  const across = (from: number, to: number): Arm => ({ left: from, top: y, width: Math.max(0, to - from), height: line });
  const along = (from: number, to: number): Arm => ({ left: x, top: from, width: line, height: Math.max(0, to - from) });
  const inside = (arm: Arm): Arm => {
    const visible = arm.left >= 0 && arm.top >= 0 && arm.left <= width && arm.top <= height;
    return visible ? arm : { ...arm, width: 0, height: 0 };
  };
  return [
    across(marginCss, Math.min(x - gapCss, width - marginCss)),
    across(Math.max(x + gapCss, marginCss), width - marginCss),
    along(marginCss, Math.min(y - gapCss, height - marginCss)),
    along(Math.max(y + gapCss, marginCss), height - marginCss),
  ].map(inside);
}

/** A round length for a scale bar of about `targetPx`, in mm, and how many pixels it takes. */
export function scaleBar(mmPerPixel: number, targetPx: number): { mm: number; px: number } | null {
  if (!(mmPerPixel > 0) || !Number.isFinite(mmPerPixel)) return null;
  const wanted = mmPerPixel * targetPx;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const mm = ([5, 2, 1].find((m) => m * power <= wanted) ?? 1) * power;
  return { mm, px: mm / mmPerPixel };
}

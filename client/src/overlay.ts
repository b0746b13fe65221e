// The vector graphics over a picture: the crosshair, crisp at device pixels, with a dark halo and a gap at its centre.
import { pixelFromWorld, type Vec3 } from "./geometry.ts";
import type { Picture } from "./navigation.ts";

const lineColour = "#4cd7ff";
const haloColour = "rgba(0, 0, 0, 0.6)";
const gapCss = 9; // half of the gap around the centre
const marginCss = 27; // the orientation letters stand here

function strokeLines(context: CanvasRenderingContext2D, lines: number[][], width: number, colour: string): void {
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.beginPath();
  for (const [x1, y1, x2, y2] of lines) {
    context.moveTo(x1!, y1!);
    context.lineTo(x2!, y2!);
  }
  context.stroke();
}

/** Draws the crosshair of a slice; `density`: device pixels per css pixel. */
export function drawCrosshair(canvas: HTMLCanvasElement, picture: Picture, crosshair: Vec3, density: number): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const [px, py] = pixelFromWorld(picture, crosshair);
  const line = Math.max(1, Math.round(density));
  const snap = (v: number): number => Math.floor(v) + (line % 2) / 2; // odd widths are crisp on half pixels
  const x = snap((px / picture.width) * width);
  const y = snap((py / picture.height) * height);
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  const gap = gapCss * density;
  const margin = marginCss * density;
  const lines = [
    [margin, y, x - gap, y],
    [x + gap, y, width - margin, y],
    [x, margin, x, y - gap],
    [x, y + gap, x, height - margin],
  ].filter(([x1, y1, x2, y2]) => x2! > x1! || y2! > y1!);
  strokeLines(context, lines, line * 3, haloColour);
  strokeLines(context, lines, line, lineColour);
}

export function clear(canvas: HTMLCanvasElement): void {
  canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
}

/** A round length for a scale bar of about `targetPx`, in mm, and how many pixels it takes. */
export function scaleBar(mmPerPixel: number, targetPx: number): { mm: number; px: number } | null {
  if (!(mmPerPixel > 0) || !Number.isFinite(mmPerPixel)) return null;
  const wanted = mmPerPixel * targetPx;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const mm = ([5, 2, 1].find((m) => m * power <= wanted) ?? 1) * power;
  return { mm, px: mm / mmPerPixel };
}

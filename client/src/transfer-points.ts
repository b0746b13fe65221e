// The points of a transfer function as the editor changes them. Every result is one that the server takes: values rise,
// two points at least, colours on all points or on none.
import { mixed } from "./colour-maps.ts";
import type { TransferPoint } from "./scene.ts";

export const fewestPoints = 2;
export const mostPoints = 64;
const smallestGap = 2000; // between two points: this part of the scale

export interface Scale {
  low: number;
  high: number;
}

/** Faint opacities matter most: the height is the root of the opacity. */
export const heightOf = (opacity: number): number => Math.sqrt(opacity);
export const opacityAt = (height: number): number => Math.min(1, Math.max(0, height)) ** 2;

/** Values and points both fit. */
export function scaleOf(points: TransferPoint[], ends: Scale | null): Scale {
  const values = [...points.map(({ value }) => value), ...(ends ? [ends.low, ends.high] : [])];
  const low = Math.min(...values);
  const high = Math.max(...values);
  return low < high ? { low, high } : { low: low - 0.5, high: low + 0.5 };
}

/** A point at another value and opacity; it stops short of its neighbours. */
export function movedPoint(points: TransferPoint[], index: number, value: number, opacity: number, scale: Scale): TransferPoint[] {
  const gap = (scale.high - scale.low) / smallestGap;
  const low = (points[index - 1]?.value ?? -Infinity) + gap;
  const high = (points[index + 1]?.value ?? Infinity) - gap;
  const between = low <= high ? Math.min(high, Math.max(low, value)) : points[index]!.value;
  return points.map((point, i) => (i === index ? { ...point, value: between, opacity: Math.min(1, Math.max(0, opacity)) } : point));
}

export function withoutPoint(points: TransferPoint[], index: number): TransferPoint[] {
  return points.length > fewestPoints ? points.filter((_, i) => i !== index) : points;
}

/** A new point, with the colour that the curve has there; null if there is no room for it. */
export function addedPoint(points: TransferPoint[], value: number, opacity: number): { points: TransferPoint[]; index: number } | null {
  if (points.length >= mostPoints || points.some((point) => point.value === value)) return null;
  const index = points.filter((point) => point.value < value).length;
  const [before, after] = [points[index - 1] ?? points[0]!, points[index] ?? points.at(-1)!];
  const point: TransferPoint = { value, opacity };
  if (before.colour && after.colour) {
    const span = after.value - before.value;
    point.colour = mixed(before.colour, after.colour, span > 0 ? (value - before.value) / span : 0);
  }
  return { points: points.toSpliced(index, 0, point), index };
}

/** A colour for one point; the others keep what they had from the colour map (`colourAt`). */
export function colouredPoint(
  points: TransferPoint[], index: number, colour: string, colourAt: (value: number) => string,
): TransferPoint[] {
  return points.map((point, i) => ({ ...point, colour: i === index ? colour : (point.colour ?? colourAt(point.value)) }));
}

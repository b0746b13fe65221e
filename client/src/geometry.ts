// Small vector maths: between pixels, world millimetres (RAS) and voxels, and the letters of orientation.

export type Vec3 = [number, number, number];
export type Matrix4 = number[][];

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec3, s: number): Vec3 => [a[0] * s, a[1] * s, a[2] * s];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const length = (a: Vec3): number => Math.hypot(a[0], a[1], a[2]);
export const isFiniteVector = (a: Vec3): boolean => a.every(Number.isFinite);

/** Where the pixels of a picture lie; `right` and `down` are one viewport pixel long. */
export interface Geometry {
  origin: Vec3;
  right: Vec3;
  down: Vec3;
  forward: Vec3;
}

export function worldFromPixel(g: Geometry, px: number, py: number): Vec3 {
  return add(g.origin, add(scale(g.right, px), scale(g.down, py)));
}

/** The pixel on which a world point falls, seen along `forward`. */
export function pixelFromWorld(g: Geometry, world: Vec3): [number, number] {
  const d = subtract(world, g.origin);
  return [dot(d, g.right) / dot(g.right, g.right), dot(d, g.down) / dot(g.down, g.down)];
}

/** `point` moved along the unit vector `normal` into the plane through `onPlane`. */
export function intoPlane(point: Vec3, normal: Vec3, onPlane: Vec3): Vec3 {
  return add(point, scale(normal, dot(subtract(onPlane, point), normal)));
}

const letterPairs = [
  ["R", "L"],
  ["A", "P"],
  ["S", "I"],
] as const;
const secondLetterFrom = 0.3; // sine of about 17 degrees

/** The anatomical direction into which a vector points: one letter, two if it is oblique ("AL"). */
export function orientationLetters(direction: Vec3): string {
  const size = length(direction);
  if (!(size > 0)) return "";
  return [0, 1, 2]
    .map((axis) => ({ axis, part: direction[axis]! / size }))
    .sort((a, b) => Math.abs(b.part) - Math.abs(a.part))
    .slice(0, 2)
    .filter((c, i) => i === 0 || Math.abs(c.part) > secondLetterFrom)
    .map((c) => letterPairs[c.axis]![c.part > 0 ? 0 : 1])
    .join("");
}

export interface EdgeLetters {
  left: string;
  right: string;
  top: string;
  bottom: string;
}

export function edgeLetters(g: Geometry): EdgeLetters {
  return {
    left: orientationLetters(scale(g.right, -1)),
    right: orientationLetters(g.right),
    top: orientationLetters(scale(g.down, -1)),
    bottom: orientationLetters(g.down),
  };
}

export function worldFromVoxel(affine: Matrix4, voxel: Vec3): Vec3 {
  const row = (r: number[]): number => r[0]! * voxel[0] + r[1]! * voxel[1] + r[2]! * voxel[2] + r[3]!;
  return [row(affine[0]!), row(affine[1]!), row(affine[2]!)];
}

/** Rows of the inverse of the upper 3x3 part. */
function inverse3(m: Matrix4): [Vec3, Vec3, Vec3] {
  const [a, b, c] = m[0] as Vec3;
  const [d, e, f] = m[1] as Vec3;
  const [g, h, i] = m[2] as Vec3;
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const s = 1 / determinant;
  return [
    [(e * i - f * h) * s, (c * h - b * i) * s, (b * f - c * e) * s],
    [(f * g - d * i) * s, (a * i - c * g) * s, (c * d - a * f) * s],
    [(d * h - e * g) * s, (b * g - a * h) * s, (a * e - b * d) * s],
  ];
}

export function voxelFromWorld(affine: Matrix4, world: Vec3): Vec3 {
  const rows = inverse3(affine);
  const d: Vec3 = [world[0] - affine[0]![3]!, world[1] - affine[1]![3]!, world[2] - affine[2]![3]!];
  return [dot(rows[0], d), dot(rows[1], d), dot(rows[2], d)];
}

/** How far to go along a unit vector until the voxel index that changes fastest has changed by exactly one, in mm. */
export function sliceStepMm(affine: Matrix4, normal: Vec3): number {
  const fastest = Math.max(...inverse3(affine).map((row) => Math.abs(dot(row, normal))));
  return fastest > 0 && Number.isFinite(fastest) ? 1 / fastest : 1;
}

export interface Bounds {
  low: Vec3;
  high: Vec3;
}

/** World points of the eight corners, `margin` voxels beyond the centres of the corner voxels. */
function corners(affine: Matrix4, dims: number[], margin: number): Vec3[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].map((corner) => {
    const at = (axis: number): number => ((corner >> axis) & 1 ? (dims[axis] ?? 1) - 1 + margin : -margin);
    return worldFromVoxel(affine, [at(0), at(1), at(2)]);
  });
}

/** From the first to the last voxel centres along a unit vector, mm. */
export function sliceRangeMm(affine: Matrix4, dims: number[], normal: Vec3): [number, number] {
  const along = corners(affine, dims, 0).map((corner) => dot(corner, normal));
  return [Math.min(...along), Math.max(...along)];
}

/** World bounds of the outer faces of an image's voxels. */
export function worldBounds(affine: Matrix4, dims: number[]): Bounds {
  const low: Vec3 = [Infinity, Infinity, Infinity];
  const high: Vec3 = [-Infinity, -Infinity, -Infinity];
  for (const world of corners(affine, dims, 0.5)) {
    for (let axis = 0; axis < 3; ++axis) {
      low[axis] = Math.min(low[axis]!, world[axis]!);
      high[axis] = Math.max(high[axis]!, world[axis]!);
    }
  }
  return { low, high };
}

export function clampTo(bounds: Bounds, p: Vec3): Vec3 {
  const one = (axis: number): number => Math.min(bounds.high[axis]!, Math.max(bounds.low[axis]!, p[axis]!));
  return [one(0), one(1), one(2)];
}

// Surfaces and streamlines: what the server tells of them, and which of their values a layer shows. The server decides
// by the same rules (render/scene/shape_layer.cpp).
import { formatValue } from "./format.ts";
import type { Vec3 } from "./geometry.ts";
import type { Pick } from "./protocol.ts";
import type { ImageInfo, Layer } from "./scene.ts";

/** Values at vertices, at points or of streamlines. */
export interface ShapeData {
  name: string;
  role: string;
  components: number;
  timePoints?: number;
  min?: number | null;
  max?: number | null;
  structure?: string;
}

/** What `nora info --json` says of a surface or of streamlines; the page reads these keys. */
export interface Shape {
  kind: string;
  boundsMm?: [Vec3, Vec3]; // not of values alone
  warnings?: string[];
  structure?: string;
  vertices?: number;
  verticesAtLeast?: boolean;
  data?: ShapeData[];
  perPoint?: ShapeData[];
  perStreamline?: ShapeData[];
  groups?: { name: string; count: number }[];
  lengthMm?: { min: number; max: number };
}

const drawnRoles = ["colour", "label", "scalar"];
const stepMm = 1; // of slices through shapes alone

export const isTracts = (shape: Shape): boolean => shape.kind === "tracts";

/** Values that are painted on the meshes that they fit. */
export const isValues = (shape: Shape): boolean => !isTracts(shape) && shape.boundsMm === undefined;

export function drawable(data: ShapeData[] = []): ShapeData[] {
  return data.filter(({ role }) => drawnRoles.includes(role));
}

function chosen(data: ShapeData[] | undefined, name: string): ShapeData | null {
  const all = drawable(data);
  if (name !== "") return all.find((one) => one.name === name) ?? null;
  return drawnRoles.flatMap((role) => all.filter((one) => one.role === role))[0] ?? null;
}

/** The values that give a layer its colours; null: it has one colour, or those of directions or groups. */
export function shownData(layer: Layer, shape: Shape): ShapeData | null {
  if (!isTracts(shape)) {
    const { bare, on, data } = layer.surface;
    return bare && on === "" && !isValues(shape) ? null : chosen(shape.data, data);
  }
  const { colourBy, data } = layer.streamlines;
  if (colourBy !== "data") return null;
  return chosen(shape.perPoint, data) ?? chosen(shape.perStreamline, data);
}

/** True if the values can be painted on the mesh. */
export function fits(values: Shape, mesh: Shape): boolean {
  if (isTracts(mesh) || isValues(mesh)) return false;
  const [count, vertices] = [values.vertices ?? 0, mesh.vertices ?? 0];
  if (values.verticesAtLeast ? count > vertices : count !== vertices) return false;
  return drawable(values.data).some((data) => {
    const structure = data.structure || values.structure;
    return !structure || !mesh.structure || structure === mesh.structure;
  });
}

/** A grid of whole millimetres around the middle of all that is shown, to step and stay within where there is no image. */
export function gridAround(shapes: Shape[]): ImageInfo | null {
  const bounds = shapes.flatMap(({ boundsMm }) => (boundsMm && boundsMm.flat().every(Number.isFinite) ? [boundsMm] : []));
  if (bounds.length === 0) return null;
  const axes = [0, 1, 2].map((axis) => {
    const low = Math.min(...bounds.map(([from]) => from[axis]!));
    const high = Math.max(...bounds.map(([, to]) => to[axis]!));
    const steps = Math.max(0, Math.floor((high - low) / stepMm));
    return { first: (low + high - steps * stepMm) / 2, count: steps + 1 };
  });
  const affine = axes.map(({ first }, row) => [...[0, 1, 2].map((column) => (row === column ? stepMm : 0)), first]);
  return { dims: axes.map(({ count }) => count), affine: [...affine, [0, 0, 0, 1]], orientation: "RAS" };
}

/** "vertex 1204, thickness 2.31", "streamline 17": what a double click in the 3D view met of a layer. */
export function pickedText({ id }: Layer, picked: Pick | null): string {
  if (!picked) return "";
  const { layer, vertex, streamline } = picked;
  const values = picked.values.filter((one) => one.layer === id).map(({ name, value, label }) => {
    const number = value === null ? "not a number" : formatValue(value);
    return `${name} ${number} ${label ?? ""}`.trim();
  });
  const place = layer !== id ? "" : streamline !== undefined ? `streamline ${streamline}` : vertex !== undefined ? `vertex ${vertex}` : "";
  return [place, ...values].filter(Boolean).join(", ");
}

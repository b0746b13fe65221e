// The scene as docs/SCENE.md describes it, and JSON Patch on the paths that the page edits.
import type { Matrix4, Vec3 } from "./geometry.ts";

export type Plane = "axial" | "coronal" | "sagittal" | "oblique";
export type Convention = "radiological" | "neurological";

export type SlabMode = "maximum" | "minimum" | "mean";
export type VolumeMode = "shaded" | SlabMode | "isosurface";
export type AxisPlane = "axial" | "coronal" | "sagittal";

export interface TransferPoint {
  value: number;
  opacity: number; // of a millimetre
  colour?: string; // "#rrggbb": all points have one, or none
}

export interface Transfer {
  preset: string;
  points: TransferPoint[]; // values rise
}

export interface ClipPlane {
  pointMm: Vec3;
  normal: Vec3; // towards what is cut away
}

export interface CropBox {
  lowMm: Vec3;
  highMm: Vec3;
}

/** How a surface is drawn, or values at the vertices of surfaces. */
export interface SurfaceLook {
  colour: string | null; // null: the file's, or a light grey
  data: string; // name of the values; "": the first that colours it
  bare: boolean; // the mesh without the values of its file
  on: string; // values: id of the layer that they are painted on; "": every mesh that they fit
  shading: "smooth" | "flat";
  edgePixels: number; // of the line in slices
}

export interface StreamlineLook {
  colourBy: "direction" | "ends" | "data" | "group" | "single";
  colour: string | null;
  data: string;
  groups: string[]; // only these; none: all
  widthPixels: number;
  tubeMm: number; // 0: thin lines
  minLengthMm: number;
  maxLengthMm: number; // 0: no limit
  every: number;
  sliceMm: number; // slices show what is so near in all
  slabMm: number; // 3D: only what is so near to the crosshair's plane in all; 0: all
  slabPlane: AxisPlane;
}

export interface Marker {
  kind: "point" | "arrow" | "box";
  atMm: Vec3;
  toMm: Vec3;
  sizeMm: number;
  colour: string;
  opacity: number;
}

export interface Layer {
  id: string;
  source: { path: string; series?: string };
  visible: boolean;
  opacity: number;
  colourMap: string;
  windowLow: number | null;
  windowHigh: number | null;
  thresholdLow: number | null;
  thresholdHigh: number | null;
  symmetric: boolean;
  gamma: number;
  interpolation: "linear" | "nearest" | "cubic";
  outlinePixels: number;
  vectors: "component" | "direction" | "sticks";
  modulatedBy: string; // id of a layer
  time: number;
  component: number;
  inVolume: boolean | null;
  transfer: Transfer;
  isoValue: number | null;
  surface: SurfaceLook;
  streamlines: StreamlineLook;
}

export interface View {
  name: string;
  kind: "slice" | "volume";
  zoom: number;
  centreMm: Vec3 | null;
  plane?: Plane;
  right?: Vec3; // of an oblique plane
  down?: Vec3;
  slabMm?: number;
  slabMode?: SlabMode;
  azimuthDeg?: number;
  elevationDeg?: number;
  mode?: VolumeMode;
  crop?: CropBox | null;
  clipPlanes?: ClipPlane[];
  slices?: AxisPlane[];
  showCrop?: boolean; // the edges of the crop box
  orientationCube?: boolean;
}

export interface Scene {
  version: number;
  convention: Convention;
  crosshairMm: Vec3;
  layers: Layer[];
  views: View[];
  markers: Marker[];
}

/** What `nora info --json` says of an image; the page reads these keys. */
export interface ImageInfo {
  dims: number[];
  timePoints?: number;
  components?: number;
  affine: Matrix4;
  orientation?: string; // "RAS": to where each voxel axis runs
  spacingMm?: number[];
  type?: string;
  format?: string;
  min?: number | null;
  max?: number | null;
  timeStepSeconds?: number;
  unit?: string;
  otherUnits?: [string, number][]; // the value in another unit: factor times it
  windowPresets?: [string, number, number][]; // name, low, high
  warnings?: string[];
}

export function emptyScene(): Scene {
  return { version: 1, convention: "radiological", crosshairMm: [0, 0, 0], layers: [], views: [], markers: [] };
}

const layerDefaults: Omit<Layer, "id" | "source"> = {
  visible: true,
  opacity: 1,
  colourMap: "gray",
  windowLow: null,
  windowHigh: null,
  thresholdLow: null,
  thresholdHigh: null,
  symmetric: false,
  gamma: 1,
  interpolation: "linear",
  outlinePixels: 0,
  vectors: "component",
  modulatedBy: "",
  time: 0,
  component: 0,
  inVolume: null,
  transfer: { preset: "", points: [] },
  isoValue: null,
  surface: { colour: null, data: "", bare: false, on: "", shading: "smooth", edgePixels: 1.5 },
  streamlines: {
    colourBy: "direction", colour: null, data: "", groups: [], widthPixels: 1.5, tubeMm: 0, minLengthMm: 0, maxLengthMm: 0,
    every: 1, sliceMm: 2, slabMm: 0, slabPlane: "axial",
  },
};

const sliceDefaults: Partial<View> = { plane: "axial", slabMm: 0, slabMode: "maximum" };
const volumeDefaults: Partial<View> = {
  azimuthDeg: 0, elevationDeg: 0, mode: "shaded", crop: null, clipPlanes: [], slices: [], showCrop: false, orientationCube: false,
};

/** A scene with every key that the page uses: a server may leave out what has its default. */
export function completeScene(scene: Partial<Scene>): Scene {
  const whole = { ...emptyScene(), ...structuredClone(scene) };
  whole.layers = whole.layers.map((layer) => ({ ...structuredClone(layerDefaults), ...layer }));
  whole.views = whole.views.map((view) => ({
    ...(view.kind === "slice" ? sliceDefaults : structuredClone(volumeDefaults)),
    ...{ zoom: 1, centreMm: null },
    ...view,
  }));
  return whole;
}

export type Operation = { op: "replace" | "add"; path: string; value: unknown } | { op: "remove"; path: string };

type Node = Record<string, unknown> | unknown[];

function parentOf(root: Node, path: string): { parent: Node; key: string } {
  const keys = path
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop();
  let parent: Node | undefined = root;
  for (const key of keys) {
    parent = (parent as Record<string, unknown>)[key] as Node | undefined;
    if (typeof parent !== "object" || parent === null) throw new Error(`no such path in the scene: ${path}`);
  }
  if (last === undefined) throw new Error("the whole scene cannot be patched");
  return { parent, key: last };
}

function applyToArray(array: unknown[], key: string, operation: Operation): void {
  const index = key === "-" && operation.op === "add" ? array.length : Number(key);
  const size = operation.op === "add" ? array.length : array.length - 1;
  if (!Number.isInteger(index) || index < 0 || index > size) {
    throw new Error(`no such path in the scene: ${operation.path}`);
  }
  if (operation.op === "add") array.splice(index, 0, operation.value);
  else if (operation.op === "replace") array[index] = operation.value;
  else array.splice(index, 1);
}

/** Applies one operation of a JSON Patch (RFC 6902: replace, add, remove) in place. */
export function applyOperation(scene: Scene, operation: Operation): void {
  const { parent, key } = parentOf(scene as unknown as Node, operation.path);
  if (Array.isArray(parent)) {
    applyToArray(parent, key, operation);
    return;
  }
  if (operation.op !== "add" && !(key in parent)) throw new Error(`no such path in the scene: ${operation.path}`);
  if (operation.op === "remove") delete parent[key];
  else parent[key] = operation.value;
}

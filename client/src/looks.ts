// Which pictures show the scene as it is now: everything that the pixels of a view depend on, by input.
// The server decides by the same rules (streaming/view_look.cpp).
import { cross, dot, length, type Vec3 } from "./geometry.ts";
import type { Quality } from "./protocol.ts";
import type { Layer, Scene, View } from "./scene.ts";

const planeAxis = { sagittal: 0, coronal: 1, axial: 2 } as const;
const looksKept = 500;

/** Slices are cut through surfaces and tubes, the 3D view has no such lines. */
function shapeAsSeen(view: View, layer: Layer): Layer {
  const flat = view.kind === "slice";
  return {
    ...layer,
    surface: { ...layer.surface, ...(flat ? { shading: "smooth" } : { edgePixels: 0 }) },
    streamlines: { ...layer.streamlines, ...(flat ? { tubeMm: 0, slabMm: 0, slabPlane: "axial" } : { sliceMm: 0 }) },
  };
}

/** A layer without what the view does not show of it. */
function asSeen(scene: Scene, view: View, layer: Layer): Partial<Layer> {
  const { id, source } = layer;
  const showsSlices = view.kind === "slice" || !!view.slices?.length;
  const darkens = showsSlices && scene.layers.some((other) => other.modulatedBy === id);
  if (!layer.visible && !darkens) return { id, source };
  const { inVolume, transfer, isoValue, outlinePixels, vectors, modulatedBy, ...both } = shapeAsSeen(view, layer);
  if (view.kind === "slice") return { ...both, outlinePixels, vectors, modulatedBy };
  const isSurface = view.mode === "isosurface";
  return {
    ...both,
    inVolume,
    ...(isSurface ? { isoValue } : {}),
    ...(isSurface || view.mode === "shaded" ? { transfer } : {}),
    ...(showsSlices ? { outlinePixels, vectors, modulatedBy } : {}),
  };
}

function alongNormal(mm: Vec3, { right = [-1, 0, 0], down = [0, -1, 0] }: View): number {
  const normal = cross(right, down);
  return dot(mm, normal) / length(normal);
}

/** Two equal looks are the same picture: moving the crosshair within a slice changes nothing in it. */
export function lookOf(scene: Scene, view: View): string {
  const planes = view.kind === "volume" ? (view.slices ?? []) : [view.plane ?? "axial"];
  const places = planes.map((plane) => {
    return plane === "oblique" ? alongNormal(scene.crosshairMm, view) : scene.crosshairMm[planeAxis[plane]];
  });
  if (view.kind === "volume") {
    for (const { visible, streamlines } of scene.layers) {
      if (visible && streamlines.slabMm > 0) places.push(scene.crosshairMm[planeAxis[streamlines.slabPlane]]);
    }
  }
  return JSON.stringify([view, scene.convention, places, scene.markers, scene.layers.map((layer) => asSeen(scene, view, layer))]);
}

function looksOf(scene: Scene): Map<string, string> {
  return new Map(scene.views.map((view) => [view.name, lookOf(scene, view)]));
}

export class Looks {
  private history: { input: number; looks: Map<string, string> }[] = [];
  private readonly shown = new Map<string, { look: string | undefined; quality: Quality }>();

  /** `scene` is what the server has after `input`. */
  sent(input: number, scene: Scene): void {
    this.history.push({ input, looks: looksOf(scene) });
    if (this.history.length > looksKept) this.history.shift();
  }

  /** The server put another scene in the place of the one that the inputs so far made. */
  replaced(scene: Scene): void {
    this.history = [{ input: 0, looks: looksOf(scene) }];
  }

  presented(view: string, input: number, quality: Quality): void {
    const at = this.history.findLast((entry) => entry.input <= input);
    this.shown.set(view, { look: at?.looks.get(view), quality });
  }

  /** True if the picture on the page shows the scene as it is now. */
  isShown(scene: Scene, name: string): boolean {
    const view = scene.views.find((other) => other.name === name);
    return view !== undefined && this.shown.get(name)?.look === lookOf(scene, view);
  }

  /** True if the lossless picture of the scene as it is now is on the page. */
  isStill(scene: Scene, name: string): boolean {
    const shown = this.shown.get(name);
    const view = scene.views.find((other) => other.name === name);
    return view !== undefined && shown?.quality === "lossless" && shown.look === lookOf(scene, view);
  }
}

// What the hand does to a view, as edits of the scene: crosshair, scroll, zoom, pan, rotate, window.
import {
  add, clampTo, dot, intoPlane, isFiniteVector, length, scale, sliceRangeMm, sliceStepMm, subtract, worldBounds,
  worldFromPixel, worldFromVoxel,
} from "./geometry.ts";
import type { Bounds, Geometry, Vec3 } from "./geometry.ts";
import type { ImageInfo, View } from "./scene.ts";
import type { Session } from "./session.ts";

export const zoomLimits = { low: 0.1, high: 100 };
const degreesPerPixel = 0.4; // css pixels
const roundingRoom = 1e-3; // of a slice
const windowPixels = 250; // a drag of so many css pixels multiplies the window by e, or moves it by its width

/** The last picture of a view: where it lies and how large it is, in device pixels. */
export interface Picture extends Geometry {
  width: number;
  height: number;
}

function boundsOf(info: ImageInfo | null): Bounds | null {
  return info ? worldBounds(info.affine, info.dims) : null;
}

function centreOf(info: ImageInfo | null): Vec3 | null {
  if (!info) return null;
  const middle = (axis: number): number => ((info.dims[axis] ?? 1) - 1) / 2;
  return worldFromVoxel(info.affine, [middle(0), middle(1), middle(2)]);
}

/** The world axis along which a slice view scrolls, towards right, anterior or superior. */
export function scrollNormal(forward: Vec3): Vec3 {
  const axis = [0, 1, 2].sort((a, b) => Math.abs(forward[b]!) - Math.abs(forward[a]!))[0]!;
  return scale(forward, forward[axis]! < 0 ? -1 : 1);
}

/** How many of the wanted steps stay between the first and the last slice; whole ones, so that slices stay slices. */
export function stepsWithin(range: [number, number], at: number, step: number, wanted: number): number {
  const room = wanted > 0 ? range[1] - at : at - range[0];
  const most = Math.max(0, Math.floor(room / step + roundingRoom));
  return Math.sign(wanted) * Math.min(Math.abs(wanted), most);
}

/** Window after a drag: right widens it, up makes the picture brighter. */
export function draggedWindow(start: { low: number; high: number }, dx: number, dy: number) {
  const width = start.high - start.low || 1;
  const level = (start.low + start.high) / 2 + (dy / windowPixels) * Math.abs(width);
  const newWidth = width * Math.exp(dx / windowPixels);
  return { low: level - newWidth / 2, high: level + newWidth / 2 };
}

/** The centre that keeps `fixed` in its place on the picture when the zoom grows by `factor`. */
export function zoomedCentre(centre: Vec3, fixed: Vec3, factor: number): Vec3 {
  return subtract(fixed, scale(subtract(fixed, centre), 1 / factor));
}

export class Navigation {
  /** Length of a pixel at zoom 1, by view, learned from pictures that show the present zoom. */
  private readonly baseMm = new Map<string, number>();

  constructor(private readonly session: Session) {}

  learnScale(name: string, picture: Picture, input: number): void {
    const view = this.view(name);
    if (view && this.session.store.showsZoom(name, input)) this.baseMm.set(name, length(picture.right) * view.zoom);
  }

  moveCrosshair(picture: Picture, px: number, py: number, tEvent: number): void {
    const { store } = this.session;
    const hit = this.worldAt(picture, px, py);
    const bounds = boundsOf(this.session.background());
    if (isFiniteVector(hit)) store.setCrosshair(bounds ? clampTo(bounds, hit) : hit, tEvent);
  }

  /** The world point under a pixel, in the plane of the crosshair: the picture may be one step behind. */
  worldAt(picture: Picture, px: number, py: number): Vec3 {
    return intoPlane(worldFromPixel(picture, px, py), picture.forward, this.session.scene.crosshairMm);
  }

  scroll(name: string, picture: Picture, slices: number, tEvent: number): void {
    const background = this.session.background();
    if (!background || slices === 0) return;
    const normal = scrollNormal(picture.forward);
    const step = sliceStepMm(background.affine, normal);
    const { crosshairMm } = this.session.scene;
    const steps = stepsWithin(sliceRangeMm(background.affine, background.dims, normal), dot(crosshairMm, normal), step, slices);
    if (steps === 0) return;
    this.session.ahead.scrolled(name, steps);
    this.session.store.setCrosshair(this.session.ahead.snap(add(crosshairMm, scale(normal, step * steps))), tEvent);
  }

  /** Zooms about a pixel: the point under it stays where it is. */
  zoomAt(name: string, picture: Picture, px: number, py: number, factor: number, tEvent: number): void {
    const view = this.view(name);
    if (!view) return;
    const zoom = Math.min(zoomLimits.high, Math.max(zoomLimits.low, view.zoom * factor));
    const fixed = this.presentWorldAt(view, picture, px, py);
    const centre = zoomedCentre(this.centre(view, picture), fixed, zoom / view.zoom);
    this.session.store.setView(name, "zoom", zoom, tEvent);
    if (isFiniteVector(centre)) this.session.store.setView(name, "centreMm", centre, tEvent);
  }

  /** Moves the picture by a number of device pixels. */
  pan(name: string, picture: Picture, dx: number, dy: number, tEvent: number): void {
    const view = this.view(name);
    if (!view) return;
    const shift = this.inPlane(view, picture, -dx, -dy);
    this.session.store.setView(name, "centreMm", add(this.centre(view, picture), shift), tEvent);
  }

  rotate(name: string, dxCss: number, dyCss: number, tEvent: number): void {
    const view = this.view(name);
    if (!view) return;
    const azimuth = ((((view.azimuthDeg ?? 0) - dxCss * degreesPerPixel + 180) % 360) + 360) % 360 - 180;
    const elevation = Math.min(90, Math.max(-90, (view.elevationDeg ?? 0) + dyCss * degreesPerPixel));
    this.session.store.setView(name, "azimuthDeg", azimuth, tEvent);
    this.session.store.setView(name, "elevationDeg", elevation, tEvent);
  }

  /** The window in force of a layer; null if there is none, or none yet. */
  layerWindow(id: string): { low: number; high: number } | null {
    const layer = this.session.layer(id);
    const isBare = this.session.images.get(id)?.shape && !this.session.shownData(id);
    if (!layer || isBare) return null;
    if (layer.windowLow !== null && layer.windowHigh !== null) return { low: layer.windowLow, high: layer.windowHigh };
    return this.session.images.get(id)?.window ?? null;
  }

  setWindow(id: string, window: { low: number; high: number }, tEvent: number): void {
    if (!(window.low < window.high) || !Number.isFinite(window.high - window.low)) return;
    this.session.store.setLayer(id, "windowLow", window.low, tEvent);
    this.session.store.setLayer(id, "windowHigh", window.high, tEvent);
  }

  resetViews(): void {
    const now = performance.now();
    for (const { name, kind } of this.session.scene.views) {
      this.session.store.setView(name, "zoom", 1, now);
      this.session.store.setView(name, "centreMm", null, now);
      if (kind !== "volume") continue;
      this.session.store.setView(name, "azimuthDeg", 30, now);
      this.session.store.setView(name, "elevationDeg", 20, now);
    }
  }

  /**
   * Onto the middle of the voxel at the centre: a slice between two voxels would be a mixture of both. Of two, the one
   * further to the right, front or top, where the server starts: the same place in whatever order voxels are stored.
   */
  centreCrosshair(): void {
    const info = this.session.background();
    if (!info) return;
    const backwards = (axis: number): number => ("LPI".includes(info.orientation?.[axis] ?? "?") ? 1 : 0);
    const middle = (axis: number): number => Math.floor(((info.dims[axis] ?? 1) - backwards(axis)) / 2);
    const centre = worldFromVoxel(info.affine, [middle(0), middle(1), middle(2)]);
    this.session.store.setCrosshair(centre, performance.now());
  }

  private view(name: string): View | undefined {
    return this.session.scene.views.find((view) => view.name === name);
  }

  /** Centre of a view's picture as the scene has it now, in the plane of the picture. */
  private centre(view: View, picture: Picture): Vec3 {
    const { width, height } = picture;
    const drawn = worldFromPixel(picture, width / 2, height / 2);
    const set = view.centreMm ?? centreOf(this.session.background());
    return set ? intoPlane(set, picture.forward, drawn) : drawn;
  }

  private inPlane(view: View, picture: Picture, dx: number, dy: number): Vec3 {
    const drawnMm = length(picture.right);
    const base = this.baseMm.get(view.name);
    const factor = base === undefined ? 1 : base / view.zoom / drawnMm;
    return add(scale(picture.right, dx * factor), scale(picture.down, dy * factor));
  }

  private presentWorldAt(view: View, picture: Picture, px: number, py: number): Vec3 {
    return add(this.centre(view, picture), this.inPlane(view, picture, px - picture.width / 2, py - picture.height / 2));
  }
}

// What the views show beside the plain slice and the plain volume: slabs, modes, cuts. As edits of the scene.
import type { Vec3 } from "./geometry.ts";
import type { AxisPlane, ClipPlane, Scene, SlabMode, View, VolumeMode } from "./scene.ts";
import type { Ui } from "./ui.ts";

/** Thicknesses of a slab that its slider and its keys step through, millimetres. */
export const slabStepsMm = [0, 1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 60, 80, 120, 200];
export const largestSlabMm = 500;
const firstSlabMm = 10; // if a mode is chosen before a thickness

export const slabModes: [SlabMode, string][] = [["maximum", "Maximum"], ["minimum", "Minimum"], ["mean", "Mean"]];
export const volumeModes: [VolumeMode, string][] = [["shaded", "Shaded"], ...slabModes, ["isosurface", "Isosurface"]];
export const axisPlanes: [AxisPlane, string][] = [["axial", "Ax"], ["coronal", "Cor"], ["sagittal", "Sag"]];

export const firstView = (scene: Scene, kind: View["kind"]): View | undefined => scene.views.find((view) => view.kind === kind);

/** The same for all views of a kind. */
export function setViews(ui: Ui, kind: View["kind"], key: keyof View, value: unknown, tEvent: number): void {
  for (const view of ui.session.scene.views) if (view.kind === kind) ui.session.store.setView(view.name, key, value, tEvent);
}

/** The step at, or next to, a thickness. */
export function slabStep(mm: number): number {
  const above = slabStepsMm.findIndex((step) => step >= mm);
  return above < 0 ? slabStepsMm.length - 1 : above;
}

export function nextSlabMm(mm: number, by: 1 | -1): number {
  const further = by > 0 ? slabStepsMm.find((step) => step > mm) : slabStepsMm.findLast((step) => step < mm);
  return further ?? mm;
}

export function stepSlab(ui: Ui, by: 1 | -1, tEvent: number): void {
  const mm = firstView(ui.session.scene, "slice")?.slabMm ?? 0;
  if (ui.session.scene.layers.length > 0) setViews(ui, "slice", "slabMm", nextSlabMm(mm, by), tEvent);
}

/** The next mode of the view's kind. Of slices: no slab, then each way to look through one. */
export function nextMode(ui: Ui, name: string, tEvent: number): void {
  const view = ui.session.scene.views.find((other) => other.name === name);
  if (!view || ui.session.scene.layers.length === 0) return;
  if (view.kind === "volume") {
    const at = volumeModes.findIndex(([mode]) => mode === view.mode);
    return setViews(ui, "volume", "mode", volumeModes[(at + 1) % volumeModes.length]![0], tEvent);
  }
  const thick = (view.slabMm ?? 0) > 0;
  const next = thick ? slabModes.findIndex(([mode]) => mode === view.slabMode) + 1 : 0;
  if (next === slabModes.length) return setViews(ui, "slice", "slabMm", 0, tEvent);
  setViews(ui, "slice", "slabMode", slabModes[next]![0], tEvent);
  if (!thick) setViews(ui, "slice", "slabMm", firstSlabMm, tEvent);
}

/** "20 mm maximum", "isosurface, cropped": what a view shows that a plain one does not; empty if nothing. */
export function describeView(view: View): string {
  if (view.kind === "slice") return view.slabMm ? `${view.slabMm} mm ${view.slabMode}` : "";
  const texts = [
    view.mode === "shaded" ? "" : view.mode,
    view.crop ? "cropped" : "",
    view.clipPlanes?.length ? "cut" : "",
  ];
  return texts.filter(Boolean).join(", ");
}

/** The sides of the crosshair that can be cut away: letter, what it means, axis and sign in RAS. */
export const sides = [
  ["R", "right", 0, 1], ["L", "left", 0, -1], ["A", "front", 1, 1],
  ["P", "back", 1, -1], ["S", "top", 2, 1], ["I", "bottom", 2, -1],
] as const;

function isSide(plane: ClipPlane, axis: number, sign: number): boolean {
  return plane.normal.every((n, i) => (i === axis ? n * sign > 0 : n === 0));
}

export const isCut = (planes: ClipPlane[], axis: number, sign: number): boolean => planes.some((plane) => isSide(plane, axis, sign));

/** Cuts a side away, or no longer. Of two opposite sides one stays: else nothing would be left. */
export function withCut(planes: ClipPlane[], axis: number, sign: number, crosshairMm: Vec3): ClipPlane[] {
  const others = planes.filter((plane) => !isSide(plane, axis, 1) && !isSide(plane, axis, -1));
  if (isCut(planes, axis, sign)) return others;
  const normal: Vec3 = [0, 0, 0];
  normal[axis] = sign;
  return [...others, { pointMm: [...crosshairMm], normal }];
}

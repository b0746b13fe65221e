// Which pictures show the scene as it is now: everything that the pixels of a view depend on, by input.
import type { Quality } from "./protocol.ts";
import type { Scene, View } from "./scene.ts";

const planeAxis = { sagittal: 0, coronal: 1, axial: 2 } as const;
const looksKept = 500;

/** Two equal looks are the same picture: moving the crosshair within a slice changes nothing in it. */
export function lookOf(scene: Scene, view: View): string {
  const planeMm = view.kind === "slice" ? scene.crosshairMm[planeAxis[view.plane ?? "axial"]] : null;
  return JSON.stringify([view, scene.convention, planeMm, scene.layers]);
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

  /** True if the lossless picture of the scene as it is now is on the page. */
  isStill(scene: Scene, name: string): boolean {
    const shown = this.shown.get(name);
    const view = scene.views.find((other) => other.name === name);
    return view !== undefined && shown?.quality === "lossless" && shown.look === lookOf(scene, view);
  }
}

// The page's copy of the scene, and the edits that are on their way: at most one message per animation frame.
//
// Every edit is applied here at once, so that crosshair and controls follow the hand, and sent as JSON Patch. The first
// edit of an animation frame leaves at once; later ones wait for the next frame, the newest value of a path winning.
import { applyOperation, completeScene, emptyScene, type Operation, type Scene } from "./scene.ts";
import type { Vec3 } from "./geometry.ts";

export interface Outbox {
  /** Sends a patch and returns its input id; 0 if there is no connection. */
  sendPatch(patch: Operation[], tEvent: number): number;
  /** False while nobody would draw what is changed: the change is not made. */
  canEdit?(): boolean;
  /** The user changed the scene; `changed` follows. */
  edited?(): void;
  changed(): void;
}

const sentKept = 200; // edits; more cannot be on the wire

export type FrameScheduler = (callback: () => void) => void;

export class SceneStore {
  scene: Scene = emptyScene();
  lastInput = 0; // of the newest edit sent
  private pending: Operation[] = [];
  private pendingSince = 0;
  private sentThisFrame = false;
  private flushQueued = false;
  private readonly sent: { input: number; patch: Operation[] }[] = []; // the last few
  /** View name -> the input that last changed its zoom; a frame is at that scale once it shows this input. */
  private readonly zoomInputs = new Map<string, number>();

  constructor(
    private readonly outbox: Outbox,
    private readonly nextFrame: FrameScheduler = (callback) => void requestAnimationFrame(callback),
  ) {}

  /**
   * Takes over a scene of the server, which has seen the inputs up to `applied`. Edits that crossed it on the wire will be
   * applied to it there, so they are here too; those that were not sent belong to the old scene and are dropped.
   */
  adopt(scene: Partial<Scene>, applied = Infinity): void {
    this.scene = completeScene(scene);
    this.pending = [];
    this.zoomInputs.clear();
    for (const { input, patch } of this.sent) if (input > applied) this.replay(patch);
    this.outbox.changed();
  }

  /** All or nothing, as the server does it; what does not fit is refused there, and the scene comes again. */
  private replay(patch: Operation[]): void {
    const before = structuredClone(this.scene);
    try {
      for (const operation of structuredClone(patch)) applyOperation(this.scene, operation);
    } catch {
      this.scene = before;
    }
  }

  /** True while an edit has not left yet. */
  get waiting(): boolean {
    return this.pending.length > 0;
  }

  set(path: string, value: unknown, tEvent: number = performance.now()): void {
    this.apply([{ op: "replace", path, value }], tEvent);
  }

  /** Clip planes that go through the crosshair stay on it. */
  setCrosshair(mm: Vec3, tEvent: number): void {
    if (!mm.every(Number.isFinite)) return;
    const before = String(this.scene.crosshairMm);
    const operations: Operation[] = [{ op: "replace", path: "/crosshairMm", value: mm }];
    this.scene.views.forEach(({ clipPlanes }, i) => {
      clipPlanes?.forEach((plane, j) => {
        if (String(plane.pointMm) !== before) return;
        operations.push({ op: "replace", path: `/views/${i}/clipPlanes/${j}/pointMm`, value: mm });
      });
    });
    this.apply(operations, tEvent);
  }

  setView(name: string, key: string, value: unknown, tEvent: number): void {
    const index = this.scene.views.findIndex((view) => view.name === name);
    if (index < 0) return;
    if (key === "zoom") this.zoomInputs.set(name, Infinity);
    this.set(`/views/${index}/${key}`, value, tEvent);
  }

  setLayer(id: string, key: string, value: unknown, tEvent: number = performance.now()): void {
    const index = this.scene.layers.findIndex((layer) => layer.id === id);
    if (index >= 0) this.set(`/layers/${index}/${key}`, value, tEvent);
  }

  removeLayer(id: string): void {
    const index = this.scene.layers.findIndex((layer) => layer.id === id);
    if (index >= 0) this.apply([{ op: "remove", path: `/layers/${index}` }], performance.now());
  }

  /** Moves a layer by one place: +1 is further to the front. */
  moveLayer(id: string, by: 1 | -1): void {
    const from = this.scene.layers.findIndex((layer) => layer.id === id);
    const layer = this.scene.layers[from];
    if (!layer || !this.scene.layers[from + by]) return;
    const remove: Operation = { op: "remove", path: `/layers/${from}` };
    this.apply([remove, { op: "add", path: `/layers/${from + by}`, value: layer }], performance.now());
  }

  /** True if a frame that shows `input` was drawn with the view's present zoom. */
  showsZoom(view: string, input: number): boolean {
    return input >= (this.zoomInputs.get(view) ?? 0);
  }

  private apply(operations: Operation[], tEvent: number): void {
    if (this.outbox.canEdit?.() === false) {
      this.outbox.changed(); // controls go back to what is shown
      return;
    }
    if (this.pending.length === 0) this.pendingSince = tEvent;
    for (const operation of operations) {
      applyOperation(this.scene, operation);
      this.enqueue(operation);
    }
    this.outbox.edited?.();
    this.outbox.changed();
    this.queueFlush();
  }

  /** A newer value takes the place of an older one of the same path, unless layers moved in between. */
  private enqueue(operation: Operation): void {
    const last = this.pending.findLastIndex((other) => other.op !== "replace");
    const same = this.pending.findIndex((other, i) => i > last && other.path === operation.path);
    if (operation.op === "replace" && same >= 0) this.pending[same] = operation;
    else this.pending.push(operation);
  }

  private queueFlush(): void {
    if (this.flushQueued || this.sentThisFrame) return;
    this.flushQueued = true;
    queueMicrotask(() => {
      this.flushQueued = false;
      this.flush();
    });
  }

  private flush(): void {
    if (this.pending.length === 0) return;
    const patch = this.pending;
    this.pending = [];
    this.lastInput = this.outbox.sendPatch(patch, this.pendingSince);
    this.sent.push({ input: this.lastInput, patch: structuredClone(patch) });
    if (this.sent.length > sentKept) this.sent.shift();
    for (const [view, input] of this.zoomInputs) if (input === Infinity) this.zoomInputs.set(view, this.lastInput);
    this.sentThisFrame = true;
    this.nextFrame(() => {
      this.sentThisFrame = false;
      this.flush();
    });
  }
}

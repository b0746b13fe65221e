// From mouse, pen and fingers on a viewport to navigation. Pointer moves: the newest wins; wheel clicks add up.
import type { Vec3 } from "./geometry.ts";
import { draggedWindow as draggedBy } from "./navigation.ts";
import type { Ui } from "./ui.ts";

type Gesture = "crosshair" | "rotate" | "pan" | "window";

export interface InputTarget extends HTMLElement {
  readonly name: string;
  readonly kind: "slice" | "volume";
}

interface Point {
  x: number;
  y: number;
}

const wheelClickPx = 50; // a wheel event of so many pixels is a click of a mouse wheel, less is a trackpad
const wheelPixelsPerClick = 120;
const trackpadPixelsPerSlice = 30;
const zoomPerClick = 1.15;
const doubleClickMs = 600; // longer than systems wait for the second click
const doubleClickPx = 12;

/** Wheel clicks or trackpad travel in whole steps; `rest` keeps what is less than a step. Up is positive. */
export class WheelSteps {
  private rest = 0;

  take(event: { deltaY: number; deltaMode: number }): number {
    const { deltaY, deltaMode } = event;
    if (deltaMode !== 0 || Math.abs(deltaY) >= wheelClickPx) {
      this.rest = 0;
      const clicks = deltaMode !== 0 ? Math.abs(deltaY) / 3 : Math.abs(deltaY) / wheelPixelsPerClick;
      return -Math.sign(deltaY) * Math.max(1, Math.round(clicks));
    }
    this.rest -= deltaY / trackpadPixelsPerSlice;
    const whole = Math.trunc(this.rest);
    this.rest -= whole;
    return whole;
  }
}

export function wheelZoomFactor(event: { deltaY: number; deltaMode: number }): number {
  const isClick = event.deltaMode !== 0 || Math.abs(event.deltaY) >= wheelClickPx;
  return isClick ? zoomPerClick ** -Math.sign(event.deltaY) : Math.exp(-event.deltaY * 0.01);
}

export class ViewportInput {
  private gesture: Gesture | null = null;
  private last: Point = { x: 0, y: 0 };
  private start: Point = { x: 0, y: 0 };
  private clicked = { at: { x: 0, y: 0 }, time: -Infinity, crosshair: [0, 0, 0] as Vec3 }; // the first of two clicks
  private downs: [number, number] = [-Infinity, -Infinity]; // times of the last two
  private startWindow: { low: number; high: number } | null = null;
  private readonly fingers = new Map<number, Point>();
  private readonly wheel = new WheelSteps();

  constructor(
    private readonly target: InputTarget,
    private readonly ui: Ui,
  ) {
    const options = { passive: false };
    target.addEventListener("pointerdown", (event) => this.down(event));
    // Raw updates come at once; pointermove waits for the next animation frame.
    const moved = "onpointerrawupdate" in target ? "pointerrawupdate" : "pointermove";
    target.addEventListener(moved, (event) => this.move(event as PointerEvent));
    target.addEventListener("pointerup", (event) => this.up(event));
    target.addEventListener("pointercancel", (event) => this.up(event));
    target.addEventListener("pointerleave", () => this.ui.session.probes.forgetCursor());
    target.addEventListener("pointerenter", () => (this.ui.activeView = target.name));
    target.addEventListener("wheel", (event) => this.turnWheel(event), options);
    target.addEventListener("dblclick", (event) => this.doubleClick(event));
    target.addEventListener("contextmenu", (event) => event.preventDefault());
    target.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault()); // no autoscroll
  }

  private picture() {
    return this.ui.pictures.get(this.target.name);
  }

  private pixelAt(at: Point): [number, number] {
    const box = this.target.getBoundingClientRect();
    const picture = this.picture();
    return [
      ((at.x - box.left) / box.width) * (picture?.width ?? 0),
      ((at.y - box.top) / box.height) * (picture?.height ?? 0),
    ];
  }

  /** Picture pixels per css pixel. */
  private density(): number {
    return (this.picture()?.width ?? 0) / (this.target.getBoundingClientRect().width || 1);
  }

  private gestureFor(event: PointerEvent): Gesture | null {
    const slice = this.target.kind === "slice";
    if (event.button === 2) return "pan";
    if (event.button === 1 || (event.button === 0 && this.ui.windowKeyDown)) return "window";
    if (event.button === 0) return slice ? "crosshair" : "rotate";
    return null;
  }

  private down(event: PointerEvent): void {
    this.target.focus({ preventScroll: true });
    this.target.setPointerCapture(event.pointerId);
    this.ui.activeView = this.target.name;
    this.ui.session.viewports.setFocus(this.target.name);
    const at = { x: event.clientX, y: event.clientY };
    if (event.pointerType === "touch") this.fingers.set(event.pointerId, at);
    this.downs = [this.downs[1], event.timeStamp];
    this.gesture = this.fingers.size >= 2 ? null : this.gestureFor(event);
    this.start = this.last = at;
    if (this.gesture === "crosshair" && !this.isSecondClick(at, event.timeStamp)) {
      this.clicked = { at, time: event.timeStamp, crosshair: this.ui.session.scene.crosshairMm };
    }
    if (this.gesture === "window") this.startWindow = this.ui.navigation.layerWindow(this.ui.session.selectedLayer);
    if (this.gesture === "crosshair" && event.pointerType !== "touch") this.moveCrosshair(at, event.timeStamp);
  }

  private isSecondClick(at: Point, time: number): boolean {
    const first = this.clicked;
    return time - first.time < doubleClickMs && Math.hypot(at.x - first.at.x, at.y - first.at.y) < doubleClickPx;
  }

  /**
   * One view alone, and back. The clicks of which it is made have moved the crosshair: it goes back to its place.
   * In 3D the crosshair goes to what is there.
   */
  private doubleClick(event: MouseEvent): void {
    const { session } = this.ui;
    if (event.timeStamp - this.downs[0] > 2 * doubleClickMs) return; // the first click was elsewhere: on a list that has gone
    if (this.target.kind === "volume") {
      const box = this.target.getBoundingClientRect();
      if (this.picture()) session.pick(this.target.name, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      return;
    }
    if (this.isSecondClick({ x: event.clientX, y: event.clientY }, event.timeStamp)) {
      session.store.setCrosshair(this.clicked.crosshair, event.timeStamp);
      this.clicked.time = -Infinity;
    }
    this.ui.toggleFull(this.target.name);
  }

  private move(event: PointerEvent): void {
    const at = { x: event.clientX, y: event.clientY };
    if (this.fingers.size >= 2 && this.fingers.has(event.pointerId)) {
      this.pinch(event, at);
      return;
    }
    this.hover(at);
    if (this.gesture === null) return;
    this.drag(at, event.timeStamp);
    this.last = at;
  }

  private up(event: PointerEvent): void {
    const wasTap = this.fingers.size === 1 && this.gesture === "crosshair";
    this.fingers.delete(event.pointerId);
    if (wasTap && event.type === "pointerup") {
      this.moveCrosshair({ x: event.clientX, y: event.clientY }, event.timeStamp);
    }
    this.gesture = null; // after a pinch the finger that stays does nothing
  }

  private drag(at: Point, tEvent: number): void {
    const { navigation, session } = this.ui;
    const picture = this.picture();
    if (!picture) return;
    const { name } = this.target;
    if (this.gesture === "crosshair") {
      this.moveCrosshair(at, tEvent);
    } else if (this.gesture === "rotate") {
      navigation.rotate(name, at.x - this.last.x, at.y - this.last.y, tEvent);
    } else if (this.gesture === "pan") {
      const density = this.density();
      navigation.pan(name, picture, (at.x - this.last.x) * density, (at.y - this.last.y) * density, tEvent);
    } else if (this.startWindow) {
      const moved = draggedBy(this.startWindow, at.x - this.start.x, at.y - this.start.y);
      navigation.setWindow(session.selectedLayer, moved, tEvent);
    }
  }

  private moveCrosshair(at: Point, tEvent: number): void {
    const picture = this.picture();
    if (picture) this.ui.navigation.moveCrosshair(picture, ...this.pixelAt(at), tEvent);
  }

  private hover(at: Point): void {
    const picture = this.picture();
    if (!picture || this.target.kind !== "slice" || this.gesture === "crosshair") return;
    this.ui.session.probes.ask("cursor", this.ui.navigation.worldAt(picture, ...this.pixelAt(at)));
  }

  private pinch(event: PointerEvent, at: Point): void {
    const picture = this.picture();
    const before = this.fingerState();
    this.fingers.set(event.pointerId, at);
    const after = this.fingerState();
    if (!picture || before.spread === 0) return;
    const { navigation } = this.ui;
    const { name } = this.target;
    const density = this.density();
    const dx = (after.middle.x - before.middle.x) * density;
    const dy = (after.middle.y - before.middle.y) * density;
    navigation.pan(name, picture, dx, dy, event.timeStamp);
    navigation.zoomAt(name, picture, ...this.pixelAt(after.middle), after.spread / before.spread, event.timeStamp);
  }

  private fingerState(): { middle: Point; spread: number } {
    const [a, b] = [...this.fingers.values()] as [Point, Point];
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, spread: Math.hypot(a.x - b.x, a.y - b.y) };
  }

  private turnWheel(event: WheelEvent): void {
    event.preventDefault();
    const picture = this.picture();
    if (!picture || event.deltaY === 0) return;
    const { navigation, session } = this.ui;
    session.viewports.setFocus(this.target.name);
    if (event.ctrlKey || event.metaKey || this.target.kind === "volume") {
      const at = { x: event.clientX, y: event.clientY };
      navigation.zoomAt(this.target.name, picture, ...this.pixelAt(at), wheelZoomFactor(event), event.timeStamp);
    } else {
      navigation.scroll(this.target.name, picture, this.wheel.take(event), event.timeStamp);
      this.hover({ x: event.clientX, y: event.clientY });
    }
  }
}


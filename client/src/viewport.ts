// One view on the page: the picture, the crosshair over it, and the texts around it.
import { LitElement, html } from "lit";
import type { Picture as Decoded } from "./decoder.ts";
import { Watch } from "./emitter.ts";
import type { FrameSink } from "./frames.ts";
import { dot, edgeLetters, length, orientationLetters, scale, type EdgeLetters } from "./geometry.ts";
import { ViewportInput } from "./input.ts";
import { scrollNormal, type Picture } from "./navigation.ts";
import { crosshairArms, scaleBar } from "./overlay.ts";
import type { FrameHeader, Quality } from "./protocol.ts";
import type { Ui } from "./ui.ts";
import { describeView } from "./view-settings.ts";
import { largestViewport } from "./viewport-sizes.ts";

const densityCap = 2;
const scaleBarCss = 90;
const behindMs = 1_000; // a picture that has not followed the scene for so long is not current
const titles: Record<string, string> = { axial: "Axial", coronal: "Coronal", sagittal: "Sagittal", "3d": "3D" };
type Shown = Quality | "wrong"; // "lossless" once that was checked, "sharp" before
const stateTexts: Record<Shown | "old" | "lost", string> = {
  moving: "moving",
  sharp: "sharp",
  wrong: "not exact",
  lossless: "lossless",
  old: "not current",
  lost: "not connected",
};

export class ViewportElement extends LitElement implements FrameSink {
  static override properties = { name: { attribute: false }, ui: { attribute: false }, kind: { attribute: false } };
  declare name: string;
  declare kind: "slice" | "volume";
  declare ui: Ui;
  private readonly watch = new Watch(this, () => this.ui.session.events, ["ui"]);
  private stops: (() => void)[] = [];
  private observer: ResizeObserver | null = null;
  private texts = new Map<string, string>();
  private density = 1;
  private cssWidth = 0;
  private empty = true;
  private behindSince = 0; // when the scene went ahead of the picture; 0: it did not
  private behindTimer = 0;
  private quality: Shown = "moving"; // of the picture that is there

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.watch;
    this.tabIndex = 0;
    this.setAttribute("role", "application");
    this.setAttribute("aria-roledescription", "viewport");
    const { session } = this.ui;
    session.frames.attach(this.name, this);
    this.stops = [
      session.events.on("scene", () => this.sceneChanged()),
      session.events.on("images", () => this.refresh()),
      session.events.on("status", () => this.refresh()),
    ];
    this.observer = new ResizeObserver((entries) => this.resized(entries.at(-1)!));
    this.observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer?.disconnect();
    for (const stop of this.stops) stop();
    this.ui.session.frames.detach(this.name, this);
    this.ui.session.viewports.set(this.name, null);
    this.ui.pictures.delete(this.name);
  }

  protected override firstUpdated(): void {
    new ViewportInput(this, this.ui);
    this.addEventListener("focus", () => (this.ui.activeView = this.name));
    this.addEventListener("dragover", (event) => this.dragOver(event));
    this.addEventListener("dragleave", () => this.classList.remove("drop"));
    this.addEventListener("drop", (event) => this.drop(event));
    this.refresh();
  }

  protected override render() {
    const full = this.ui.fullView === this.name;
    return html`<canvas class="picture"></canvas><i class="arm"></i><i class="arm"></i><i class="arm"></i><i class="arm"></i>
      <span class="edge left" data-edge="left"></span><span class="edge right" data-edge="right"></span>
      <span class="edge top" data-edge="top"></span><span class="edge bottom" data-edge="bottom"></span>
      <span class="caption"><b>${titles[this.name] ?? this.name}</b><span class="position"></span><span class="shows"></span><span class="pending"></span></span>
      <span class="bar" aria-hidden="true"><i></i><span></span></span>
      <span class="quality" data-quality=""><i></i><span></span></span>
      <button
        class="icon corner"
        title=${full ? "Show all views (Esc)" : `Show this view alone (${this.kind === "slice" ? "double click, " : ""}F)`}
        aria-label=${full ? "Show all views" : `Show the ${titles[this.name] ?? this.name} view alone`}
        @click=${() => this.ui.toggleFull(this.name)}
        @pointerdown=${(event: Event) => event.stopPropagation()}
        @dblclick=${(event: Event) => event.stopPropagation()}
      >
        ${full ? "⊟" : "⊞"}
      </button>`;
  }

  present(picture: Decoded, header: FrameHeader): void {
    const canvas = this.querySelector<HTMLCanvasElement>("canvas.picture");
    const context = canvas?.getContext("2d", { alpha: false });
    if (!canvas || !context) return;
    const { viewportWidth: width, viewportHeight: height } = header;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    context.imageSmoothingEnabled = header.width !== width || header.height !== height;
    context.drawImage(picture, 0, 0, header.width, header.height, 0, 0, width, height); // video may have a pixel more
    const { origin, right, down, forward } = header;
    const drawn: Picture = { origin, right, down, forward, width, height };
    this.ui.pictures.set(this.name, drawn);
    this.ui.navigation.learnScale(this.name, drawn, header.input);
    this.empty = false;
    this.quality = header.quality === "lossless" ? "sharp" : header.quality;
    this.refresh();
  }

  checked(isExact: boolean): void {
    this.quality = isExact ? "lossless" : "wrong";
    this.showState();
  }

  private sceneChanged(): void {
    this.refresh(false);
    this.ui.session.afterPicture.run(this.refreshAll);
  }

  private readonly refreshAll = (): void => this.refresh();

  /** Redraws lines and, unless they shall wait, texts from the scene as it is now, over the picture that is there. */
  refresh(texts = true): void {
    if (!this.hasUpdated) return;
    const picture = this.ui.pictures.get(this.name);
    const { scene, frames } = this.ui.session;
    const isForeign = frames.isForeign(this.name);
    if (!picture || this.empty || isForeign || scene.layers.length === 0) {
      this.placeArms([]);
      if (isForeign || scene.layers.length === 0) this.blank();
      return;
    }
    this.showState();
    const shown = this.kind === "slice" && this.ui.crosshairVisible;
    // While the size changes the picture is stretched for a moment, and the crosshair with it.
    const fits = Math.abs(picture.width / this.density - this.cssWidth) < 1;
    const density = fits ? this.density : picture.width / (this.cssWidth || 1);
    this.placeArms(shown ? crosshairArms(picture, scene.crosshairMm, density) : []);
    if (texts) this.showTexts(picture);
  }

  private placeArms(arms: ReturnType<typeof crosshairArms>): void {
    this.querySelectorAll<HTMLElement>("i.arm").forEach((element, i) => {
      const arm = arms[i];
      const shown = arm !== undefined && arm.width > 0 && arm.height > 0;
      const style = shown ? `left:${arm.left}px;top:${arm.top}px;width:${arm.width}px;height:${arm.height}px` : "display:none";
      if (element.dataset["place"] === style) return;
      element.dataset["place"] = style;
      element.style.cssText = style;
    });
  }

  protected override updated(): void {
    this.refresh();
  }

  private blank(): void {
    const canvas = this.querySelector<HTMLCanvasElement>("canvas.picture");
    const context = canvas?.getContext("2d", { alpha: false });
    if (!this.empty && canvas && context) context.fillRect(0, 0, canvas.width, canvas.height);
    this.empty = true;
    this.ui.pictures.delete(this.name); // nobody shall click on what is not seen
    for (const edge of ["left", "right", "top", "bottom"]) this.setText(`[data-edge=${edge}]`, "");
    for (const text of [".position", ".shows", ".pending", ".quality span"]) this.setText(text, "");
    this.dataset["state"] = "";
    this.querySelector<HTMLElement>(".bar")!.hidden = true;
  }

  private showTexts(picture: Picture): void {
    const letters = edgeLetters(picture);
    for (const edge of Object.keys(letters) as (keyof EdgeLetters)[]) this.setText(`[data-edge=${edge}]`, letters[edge]);
    const isSlice = this.kind === "slice";
    this.setText(".position", isSlice ? slicePosition(picture) : "");
    const view = this.ui.session.scene.views.find(({ name }) => name === this.name);
    this.setText(".shows", view ? describeView(view) : "");
    const title = titles[this.name] ?? this.name;
    const label = isSlice
      ? `${title} slice, ${letters.left} at the left, ${letters.top} at the top`
      : `${title} view; drag to rotate, double click to move the crosshair there`;
    if (this.ariaLabel !== label) this.ariaLabel = label;
    const cssPerPixel = this.cssWidth / picture.width;
    const bar = scaleBar(length(picture.right) / cssPerPixel, scaleBarCss);
    const element = this.querySelector<HTMLElement>(".bar")!;
    element.hidden = !isSlice || bar === null;
    if (!bar) return;
    this.setText(".bar span", bar.mm >= 10 ? `${bar.mm / 10} cm` : `${bar.mm} mm`);
    element.querySelector("i")!.style.width = `${bar.px}px`;
  }

  /** The badge belongs to the picture that is there, and says where that is not what is wanted. */
  private showState(): void {
    const { session } = this.ui;
    const state = !session.connected ? "lost" : this.isBehind() ? "old" : this.seenQuality();
    this.setText(".quality span", stateTexts[state]);
    this.setText(".pending", this.pendingTime());
    const badge = this.querySelector<HTMLElement>(".quality")!;
    if (badge.dataset["quality"] === state) return;
    badge.dataset["quality"] = this.dataset["state"] = state;
  }

  /** A still of what is no longer wanted is none: the next picture is on its way. */
  private seenQuality(): Shown {
    const { session } = this.ui;
    return session.looks.isShown(session.scene, this.name) ? this.quality : "moving";
  }

  /** True if the picture shows other images or times, or has not followed the scene for a while. */
  private isBehind(): boolean {
    const { session } = this.ui;
    if (!session.isCurrent(this.name)) return true;
    clearTimeout(this.behindTimer);
    if (session.looks.isShown(session.scene, this.name)) {
      this.behindSince = 0;
      return false;
    }
    this.behindSince ||= performance.now();
    const left = behindMs - (performance.now() - this.behindSince);
    if (left > 0) this.behindTimer = window.setTimeout(() => this.showState(), left + 1);
    return left <= 0;
  }

  /** "shows time 3, loading time 7 …" */
  private pendingTime(): string {
    const { session } = this.ui;
    const layer = session.scene.layers.find(({ id, visible }) => visible && session.awaited(id) !== null);
    const image = layer && session.images.get(layer.id);
    if (!image?.awaited || !image.held) return "";
    const { time, state } = image.awaited;
    const wanted = state === "loading" ? `loading time ${time + 1} …` : `time ${time + 1} is not loaded`;
    return `shows time ${image.held[0] + 1}; ${wanted}`;
  }

  private setText(selector: string, text: string): void {
    if (this.texts.get(selector) === text) return;
    this.texts.set(selector, text);
    const element = this.querySelector(selector);
    if (element) element.textContent = text;
  }

  private resized(entry: ResizeObserverEntry): void {
    const ratio = window.devicePixelRatio || 1;
    const exact = entry.devicePixelContentBoxSize?.[0];
    const full = { width: exact?.inlineSize ?? entry.contentRect.width * ratio, height: exact?.blockSize ?? entry.contentRect.height * ratio };
    // Both sides by one factor: a picture is never stretched.
    const shrink = Math.min(Math.min(densityCap, ratio) / ratio, largestViewport / Math.max(full.width, full.height, 1));
    const width = Math.round(full.width * shrink);
    const height = Math.round(full.height * shrink);
    this.density = ratio * shrink;
    this.cssWidth = entry.contentRect.width;
    const visible = width > 0 && height > 0;
    this.ui.session.viewports.set(this.name, visible ? { width, height } : null);
    if (visible) this.refresh();
  }

  private dragOver(event: DragEvent): void {
    if (!event.dataTransfer?.types.includes("application/x-nora-entry")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.classList.add("drop");
  }

  private drop(event: DragEvent): void {
    this.classList.remove("drop");
    const entry = this.ui.session.archive.entry(Number(event.dataTransfer?.getData("application/x-nora-entry")));
    if (!entry) return;
    event.preventDefault();
    this.ui.session.open(entry, "overlay");
  }
}

/** "S 12.5 mm": where the slice of the picture lies; the letter says on which side of the origin. */
export function slicePosition(picture: Picture): string {
  const normal = scrollNormal(picture.forward);
  const mm = dot(picture.origin, normal);
  return `${orientationLetters(scale(normal, mm < 0 ? -1 : 1))} ${Math.abs(mm).toFixed(1)} mm`;
}

customElements.define("nora-viewport", ViewportElement);

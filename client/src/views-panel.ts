// Below the layers: what the slices and the 3D view show of them. Slabs, modes, cuts.
import { html } from "lit";
import { live } from "lit/directives/live.js";
import { PageElement } from "./base-element.ts";
import { choice, fold, numberField, plain } from "./fields.ts";
import { worldBounds, type Bounds, type Vec3 } from "./geometry.ts";
import type { RangeChange } from "./range.ts";
import "./range.ts";
import type { AxisPlane, CropBox, View } from "./scene.ts";
import type { Topic } from "./session.ts";
import {
  axisPlanes, describeView, firstView, isCut, largestSlabMm, setViews, sides, slabModes, slabStep, slabStepsMm, volumeModes,
  withCut,
} from "./view-settings.ts";

const cropAxes = ["left – right", "back – front", "bottom – top"];

export class ViewsPanel extends PageElement {
  private lastCrop: CropBox | null = null; // what the switch brings back

  protected topics(): Topic[] {
    return ["scene", "images", "ui"];
  }

  protected override render() {
    const { scene } = this.session;
    const slice = firstView(scene, "slice");
    const volume = firstView(scene, "volume");
    const folds = { open: this.ui.folds, changed: () => this.ui.update({}) };
    if (scene.layers.length === 0) return html``;
    return html`
      ${slice
        ? fold({ ...folds, name: "Slices", title: "Thick slices (slabs)", note: describeView(slice) }, () => this.renderSlab(slice))
        : ""}
      ${volume
        ? fold({ ...folds, name: "3D view", title: "Mode, slices, cuts and crop box of the 3D view", note: describeView(volume) }, () =>
            this.renderVolume(volume),
          )
        : ""}
    `;
  }

  private setSlices(key: keyof View, value: unknown, event: Event): void {
    setViews(this.ui, "slice", key, value, event.timeStamp);
  }

  private setVolumes(key: keyof View, value: unknown, event: Event): void {
    setViews(this.ui, "volume", key, value, event.timeStamp);
  }

  private renderSlab(view: View) {
    const mm = view.slabMm ?? 0;
    return html`<div class="control slab" title="Each slice shows so many millimetres at once (, and . step)">
        <label for="slab">Slab</label>
        <input id="slab" type="range" min="0" max=${slabStepsMm.length - 1} step="1" .value=${live(String(slabStep(mm)))}
          aria-valuetext="${mm} mm"
          @input=${(event: Event) => this.setSlices("slabMm", slabStepsMm[Number((event.target as HTMLInputElement).value)], event)} />
        ${numberField({
          label: "Thickness of the slab",
          title: "Millimetres; 0: the slice itself",
          text: plain(mm),
          unit: "mm",
          change: (value, event) => this.setSlices("slabMm", Math.min(largestSlabMm, Math.max(0, value!)), event),
        })}
      </div>
      <div class="segments" role="group" aria-label="What a slab shows" title="What a slab shows of the values across it (M)">
        ${slabModes.map(
          ([mode, text]) =>
            html`<button class="small" aria-pressed=${mode === view.slabMode} ?disabled=${mm === 0}
              @click=${(event: Event) => this.setSlices("slabMode", mode, event)}>${text}</button>`,
        )}
      </div>`;
  }

  private renderVolume(view: View) {
    return html`${choice({
        id: "volume-mode",
        label: "Mode",
        title: "What a ray through the image shows (M)",
        options: volumeModes,
        value: view.mode ?? "shaded",
        change: (mode, event) => this.setVolumes("mode", mode, event),
      })}
      ${this.renderSlices(view.slices ?? [])} ${this.renderCuts(view)} ${this.renderCrop(view)}
      <div class="control">
        <label>Show</label>
        <div class="segments">
          <button class="small" aria-pressed=${view.orientationCube} title="A cube in the corner: red left and right, green front and back, blue up and down"
            @click=${(event: Event) => this.setVolumes("orientationCube", !view.orientationCube, event)}>Orientation cube</button>
        </div>
      </div>`;
  }

  private renderSlices(shown: AxisPlane[]) {
    const toggle = (plane: AxisPlane, event: Event): void =>
      this.setVolumes("slices", shown.includes(plane) ? shown.filter((p) => p !== plane) : [...shown, plane], event);
    return html`<div class="control" role="group" aria-label="Slices in 3D" title="The slices through the crosshair, inside the volume">
      <label>Slices</label>
      <div class="segments">
        ${axisPlanes.map(
          ([plane, text]) =>
            html`<button class="small" aria-pressed=${shown.includes(plane)} aria-label="${plane} slice in 3D" title="The ${plane} slice through the crosshair"
              @click=${(event: Event) => toggle(plane, event)}>${text}</button>`,
        )}
      </div>
    </div>`;
  }

  private renderCuts(view: View) {
    const planes = view.clipPlanes ?? [];
    return html`<div class="control" role="group" aria-label="Cut at the crosshair">
      <label title="Cut away one side of the crosshair">Cut off</label>
      <div class="segments">
        ${sides.map(
          ([letter, side, axis, sign]) =>
            html`<button class="small" aria-pressed=${isCut(planes, axis, sign)} title="Cut away what lies to the ${side} of the crosshair"
              aria-label="Cut off ${side}"
              @click=${(event: Event) => this.setVolumes("clipPlanes", withCut(planes, axis, sign, this.session.scene.crosshairMm), event)}>${letter}</button>`,
        )}
      </div>
    </div>`;
  }

  private renderCrop(view: View) {
    const crop = view.crop ?? null;
    const info = this.session.background();
    if (!info) return "";
    const bounds = worldBounds(info.affine, info.dims);
    const whole: CropBox = { lowMm: bounds.low, highMm: bounds.high };
    const change = (next: CropBox | null, event: Event): void => this.setVolumes("crop", next, event);
    const toggle = (event: Event): void => {
      if (crop) this.lastCrop = crop;
      change(crop ? null : within(this.lastCrop ?? whole, bounds), event);
    };
    return html`<div class="control">
        <label>Crop</label>
        <div class="segments">
          <button class="small" aria-pressed=${crop !== null} title="Show only what lies in a box" @click=${toggle}>Box</button>
          <button class="small" aria-pressed=${view.showCrop} ?disabled=${crop === null} title="Draw the edges of the box"
            @click=${(event: Event) => this.setVolumes("showCrop", !view.showCrop, event)}>Edges</button>
          <button class="small" ?disabled=${crop === null} title="The box around everything" @click=${(event: Event) => change(whole, event)}>Reset</button>
        </div>
      </div>
      ${crop ? [0, 1, 2].map((axis) => this.renderCropAxis(crop, bounds, axis, change)) : ""}`;
  }

  private renderCropAxis(crop: CropBox, bounds: Bounds, axis: number, change: (crop: CropBox, event: Event) => void) {
    const [low, high] = [crop.lowMm[axis]!, crop.highMm[axis]!];
    const moved = (event: CustomEvent<RangeChange>): void => {
      const next = structuredClone(crop);
      next.lowMm[axis] = Math.max(bounds.low[axis]!, event.detail.low);
      next.highMm[axis] = Math.min(bounds.high[axis]!, event.detail.high);
      if (next.lowMm[axis]! < next.highMm[axis]!) change(next, event);
    };
    return html`<div class="crop" title="The box along ${cropAxes[axis]}, millimetres">
      <span class="muted">${cropAxes[axis]}</span><output>${Math.round(low)} … ${Math.round(high)} mm</output>
      <nora-range .min=${bounds.low[axis]!} .max=${bounds.high[axis]!} .low=${low} .high=${high} .label=${`Crop ${cropAxes[axis]},`}
        .background=${"#2b6f8a"} @range=${moved}></nora-range>
    </div>`;
  }
}

/** A box of another image may lie elsewhere. */
function within(crop: CropBox, { low, high }: Bounds): CropBox {
  const fits = low.every((v, axis) => crop.lowMm[axis]! < high[axis]! && crop.highMm[axis]! > v);
  if (!fits) return { lowMm: low, highMm: high };
  return {
    lowMm: crop.lowMm.map((v, axis) => Math.max(v, low[axis]!)) as Vec3,
    highMm: crop.highMm.map((v, axis) => Math.min(v, high[axis]!)) as Vec3,
  };
}

customElements.define("nora-views", ViewsPanel);

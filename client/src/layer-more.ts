// What a layer's card shows when it is unfolded: how its slices are drawn, and how it looks in 3D.
import { html, nothing } from "lit";
import { mapColour } from "./colour-maps.ts";
import { choice, fold, numberField, plain, slider } from "./fields.ts";
import type { Layer, TransferPoint } from "./scene.ts";
import type { LayerState } from "./protocol.ts";
import "./transfer-editor.ts";
import type { Ui } from "./ui.ts";
import { firstView, volumeModes } from "./view-settings.ts";

const widestOutlinePx = 8;
const gammaPowers = 3; // the slider goes from 2^-3 to 2^3
const isoSteps = 500;

type Set = (key: keyof Layer, value: unknown, event?: Event) => void;

const interpolations = [["nearest", "Nearest voxel"], ["linear", "Linear"], ["cubic", "Cubic"]] as const;
const vectorLooks = [["component", "One component"], ["direction", "Colours"], ["sticks", "Sticks"]] as const;
const inVolumes = [["null", "Automatic"], ["true", "Shown"], ["false", "Not shown"]] as const;

/** Three values a voxel, as components or (MRtrix) as time points. */
function hasDirections(image: LayerState | undefined): boolean {
  const { components = 1, timePoints = 1 } = image?.info ?? {};
  return components === 3 || (components === 1 && timePoints === 3);
}

export function renderMore(ui: Ui, layer: Layer) {
  const set: Set = (key, value, event) => ui.session.store.setLayer(layer.id, key, value, event?.timeStamp);
  const image = ui.session.images.get(layer.id);
  const folds = { open: ui.folds, changed: () => ui.update({}) };
  return html`
    ${fold({ ...folds, name: "More", title: "Gamma, interpolation, outlines, directions" }, () => renderSlices(ui, layer, image, set))}
    ${fold({ ...folds, name: "In 3D", title: "Opacity and colour in the 3D view" }, () => renderVolume(ui, layer, image, set))}
  `;
}

function renderSlices(ui: Ui, layer: Layer, image: LayerState | undefined, set: Set) {
  const isLabels = layer.colourMap === "labels";
  return html`
    ${isLabels ? nothing : renderGamma(layer, set)}
    ${isLabels
      ? nothing
      : choice({
          id: `interpolation-${layer.id}`,
          label: "Voxels",
          title: "How values between voxel centres are made in slices",
          options: interpolations,
          value: layer.interpolation,
          change: (value, event) => set("interpolation", value, event),
        })}
    ${isLabels || layer.interpolation === "nearest" ? renderOutline(layer, set) : nothing}
    ${hasDirections(image) ? renderDirections(ui, layer, set) : nothing}
  `;
}

function renderGamma(layer: Layer, set: Set) {
  return slider({
    id: `gamma-${layer.id}`,
    label: "Gamma",
    title: "Above 1 the middle of the window is brighter, below darker; double click: 1",
    min: -gammaPowers,
    max: gammaPowers,
    step: 0.05,
    value: Math.log2(layer.gamma),
    text: layer.gamma.toFixed(2),
    change: (power, event) => set("gamma", 2 ** power, event),
    reset: (event) => set("gamma", 1, event),
  });
}

function renderOutline(layer: Layer, set: Set) {
  return slider({
    id: `outline-${layer.id}`,
    label: "Outline",
    title: "Only the edges of labels, so many pixels wide",
    min: 0,
    max: widestOutlinePx,
    step: 1,
    value: layer.outlinePixels,
    text: layer.outlinePixels > 0 ? `${layer.outlinePixels} px` : "filled",
    change: (value, event) => set("outlinePixels", value, event),
  });
}

function renderDirections(ui: Ui, layer: Layer, set: Set) {
  const others = ui.session.scene.layers.filter(({ id }) => id !== layer.id);
  const names = others.map((other) => [other.id, ui.session.layerName(other)] as const);
  const modulated = layer.vectors === "component" || names.length === 0;
  return html`${choice({
      id: `vectors-${layer.id}`,
      label: "Vectors",
      title: "Directions as colours: red left-right, green front-back, blue up-down",
      options: vectorLooks,
      value: layer.vectors,
      change: (value, event) => set("vectors", value, event),
    })}
    ${modulated
      ? nothing
      : choice({
          id: `modulated-${layer.id}`,
          label: "Brightness",
          title: "The colours are as bright as this layer is in its window: fractional anisotropy, for instance",
          options: [["", "everywhere full"], ...names],
          value: layer.modulatedBy,
          change: (value, event) => set("modulatedBy", value, event),
        })}`;
}

function renderVolume(ui: Ui, layer: Layer, image: LayerState | undefined, set: Set) {
  const mode = firstView(ui.session.scene, "volume")?.mode ?? "shaded";
  const isLabels = layer.colourMap === "labels";
  return html`${choice({
      id: `volume-${layer.id}`,
      label: "Shown",
      title: "Automatic: the first visible image that is no label map, unless surfaces or tracts are shown",
      options: inVolumes,
      value: String(layer.inVolume) as "null" | "true" | "false",
      change: (value, event) => set("inVolume", JSON.parse(value), event),
    })}
    ${isLabels
      ? html`<p class="muted">Labels are surfaces in their own colours.</p>`
      : mode === "shaded"
        ? renderTransfer(ui, layer, image, set)
        : mode === "isosurface"
          ? renderIso(layer, image, set)
          : html`<p class="muted">${volumeModes.find(([name]) => name === mode)?.[1]} has the window and colours of the slices.</p>`}`;
}

function renderIso(layer: Layer, image: LayerState | undefined, set: Set) {
  const unit = image?.info?.unit ?? "";
  const { low = 0, high = 1 } = image?.histogram ?? {};
  const id = `iso-${layer.id}`;
  const value = layer.isoValue ?? (low + high) / 2;
  return html`<div class="control" title="The surface at this value">
      <label for=${id}>Surface</label>
      <input id=${id} type="range" min=${low} max=${high} step=${(high - low) / isoSteps || "any"} .value=${String(value)}
        aria-valuetext="${plain(value)} ${unit}"
        @input=${(event: Event) => set("isoValue", Number((event.target as HTMLInputElement).value), event)} />
      <button class="small" ?disabled=${layer.isoValue === null} title="Bone in CT, else what stands out from the background"
        @click=${(event: Event) => set("isoValue", null, event)}>auto</button>
    </div>
    <div class="control"><span></span>${numberField({
      label: "Value of the surface",
      title: "The surface at this value; empty: automatic",
      text: layer.isoValue === null ? "" : plain(layer.isoValue),
      placeholder: "automatic",
      unit,
      change: (next, event) => set("isoValue", next, event),
    })}</div>`;
}

function renderTransfer(ui: Ui, layer: Layer, image: LayerState | undefined, set: Set) {
  const { preset, points } = layer.transfer;
  const choices = image?.transfers ?? [];
  const chosen = choices.find((other) => other.preset === preset);
  const shown: TransferPoint[] = points.length > 0 ? points : (chosen?.points ?? []);
  if (shown.length === 0) return nothing;
  const options = choices.map((other) => [other.preset, other.title] as const);
  const own = points.length > 0 ? "own" : preset;
  const window = ui.navigation.layerWindow(layer.id) ?? { low: 0, high: 1 };
  const colourAt = (value: number): string => {
    const place = (Math.abs(layer.symmetric ? value : value - window.low) - (layer.symmetric ? window.low : 0)) / (window.high - window.low);
    return mapColour(layer.symmetric && value < 0 ? "cold" : layer.colourMap, layer.symmetric || value > window.low ? place : 0);
  };
  return html`<div class="control">
      <label for="transfer-${layer.id}">Look</label>
      <select id="transfer-${layer.id}" title="A ready-made look to start from"
        @change=${(event: Event) => set("transfer", { preset: (event.target as HTMLSelectElement).value, points: [] }, event)}>
        ${[...options, ...(own === "own" ? [["own", "edited"] as const] : [])].map(
          ([name, text]) => html`<option value=${name} ?selected=${name === own} ?disabled=${name === "own"}>${text}</option>`,
        )}
      </select>
      <button class="small" ?disabled=${own === ""} title="Back to the automatic look, from the image's histogram"
        @click=${(event: Event) => set("transfer", { preset: "", points: [] }, event)}>auto</button>
    </div>
    <nora-transfer .points=${shown} .histogram=${image?.histogram ?? null} .unit=${image?.info?.unit ?? ""} .colourAt=${colourAt}
      @points=${(event: CustomEvent<TransferPoint[]>) => set("transfer", { preset: "", points: event.detail }, event)}></nora-transfer>`;
}

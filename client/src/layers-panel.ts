// The layers at the right: front first, the background last. The selected one shows all its controls.
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";
import { styleMap } from "lit/directives/style-map.js";
import { PageElement } from "./base-element.ts";
import { colourMapNames, gradient } from "./colour-maps.ts";
import { numberOf, plain, slider } from "./fields.ts";
import { renderMore } from "./layer-more.ts";
import { renderShape, shapeSwatch } from "./layer-shape.ts";
import { progressBar } from "./progress-bar.ts";
import type { RangeChange } from "./range.ts";
import "./range.ts";
import type { Layer } from "./scene.ts";
import { isComing, type Topic } from "./session.ts";

type LayerKey = keyof Layer;
type ThresholdKey = "thresholdLow" | "thresholdHigh";

export class LayersPanel extends PageElement {
  private refusal = { layer: "", group: "", text: "" }; // of the entry made last

  protected topics(): Topic[] {
    return ["scene", "images", "ui", "names", "progress"];
  }

  protected override render() {
    const layers = [...this.session.scene.layers].reverse();
    return html`<div class="panel-head"><h2>Layers</h2></div>
      <div class="layers" role="list">
        ${layers.length === 0 ? html`<p class="empty">Open an image, a surface or tracts from the list of files.</p>` : nothing}
        ${repeat(
          layers,
          (layer) => layer.id,
          (layer, i) => this.renderLayer(layer, layers.length - 1 - i, layers.length),
        )}
      </div>
      ${layers.length > 0
        ? html`<p class="hint">Add another one with <b>+</b>, Shift+click, or by dragging it onto a view.</p>`
        : nothing}`;
  }

  private set(layer: Layer, key: LayerKey, value: unknown, event?: Event): void {
    this.session.store.setLayer(layer.id, key, value, event?.timeStamp);
  }

  private renderLayer(layer: Layer, index: number, count: number): TemplateResult {
    const selected = layer.id === this.session.selectedLayer;
    const image = this.session.images.get(layer.id);
    const name = this.session.layerName(layer);
    const swatch = image?.shape ? shapeSwatch(layer, image.shape) : gradient(layer.colourMap);
    return html`<section
      class="layer ${selected ? "selected" : ""} ${layer.visible ? "" : "hidden"}"
      role="listitem"
      data-layer=${layer.id}
    >
      <header>
        <button
          class="icon eye"
          aria-pressed=${layer.visible}
          aria-label="${layer.visible ? "Hide" : "Show"} ${name}"
          title=${layer.visible ? "Hide" : "Show"}
          @click=${(event: Event) => this.set(layer, "visible", !layer.visible, event)}
        ></button>
        <button class="layer-name" aria-expanded=${selected} title=${layer.source.path} @click=${() => this.session.select(layer.id)}>
          ${name}${index === 0 && !image?.shape ? html` <small>background</small>` : nothing}
        </button>
        ${this.renderOrder(layer, name, index, count)}
      </header>
      ${image?.state === "failed" ? html`<p class="state error" role="alert">${image.error || "could not be read"}</p>` : nothing}
      ${image?.note ? html`<p class="state" role="status">${image.note}</p>` : nothing}
      ${this.renderLoading(layer, name)}
      ${selected ? this.renderControls(layer) : html`<div class="swatch" style=${styleMap({ background: swatch })}></div>`}
    </section>`;
  }

  /** What is being loaded, with a way to stop it, or what is not, with a way to load it. Nothing once all is there. */
  private renderLoading(layer: Layer, name: string) {
    const image = this.session.images.get(layer.id);
    const fraction = this.session.progress.get(layer.id);
    if (image?.state === "ready" && !image.held) return nothing;
    const { awaited } = image ?? {};
    const times = awaited ? `time ${awaited.time + 1}` : "the other times";
    if (image?.state === "failed" || (image?.held && !isComing(image))) {
      const text = image.state === "failed" ? "" : `${times} ${awaited ? "is" : "are"} not loaded`;
      return html`<div class="state loading">
        <span>${text}</span>
        <button class="small" aria-label="Load ${name}" @click=${() => this.session.loadAgain(layer.id)}>Load</button>
      </div>`;
    }
    const what = image?.held ? `loading ${awaited?.state === "loading" ? times : "the other times"} …` : "loading …";
    return html`<div class="state loading">
      <span><span class="spinner"></span> ${what}</span>
      <button class="icon" aria-label="Stop loading ${name}" title="Stop loading" @click=${() => this.session.cancelLoad(layer.id)}>✕</button>
      ${fraction === undefined ? nothing : progressBar(fraction, `loading ${name}`)}
    </div>`;
  }

  private renderOrder(layer: Layer, name: string, index: number, count: number) {
    return html`<span class="order">
      <button class="icon" ?disabled=${index === count - 1} aria-label="Move ${name} to the front" title="Move to the front" @click=${() => this.session.store.moveLayer(layer.id, 1)}>▲</button>
      <button class="icon" ?disabled=${index === 0} aria-label="Move ${name} to the back" title="Move to the back" @click=${() => this.session.store.moveLayer(layer.id, -1)}>▼</button>
      <button class="icon" aria-label="Remove ${name}" title="Remove" @click=${() => this.session.store.removeLayer(layer.id)}>✕</button>
    </span>`;
  }

  private renderControls(layer: Layer): TemplateResult {
    const image = this.session.images.get(layer.id);
    const data = this.session.shownData(layer.id);
    const content = image?.shape
      ? renderShape(this.ui, layer, image.shape, () => (data!.role === "colour" ? nothing : this.renderValues(layer, data?.components)))
      : html`${this.renderValues(layer, layer.vectors === "component" ? image?.info?.components : 1)} ${renderMore(this.ui, layer)}`;
    return html`<div class="controls">
      ${this.renderOpacity(layer)} ${content}
      ${(image?.info ?? image?.shape)?.warnings?.map((warning) => html`<p class="state warning">${warning}</p>`)}
    </div>`;
  }

  /** Colours, window and thresholds: how values become colours. */
  private renderValues(layer: Layer, components = 1): TemplateResult {
    const times = this.ui.timePoints(layer.id);
    return html`${this.renderColours(layer)} ${layer.colourMap === "labels" ? nothing : this.renderWindow(layer)}
      ${this.renderThresholds(layer)}
      <label class="check" title="Colours go by the absolute value; negative values get cold colours">
        <input
          type="checkbox"
          .checked=${live(layer.symmetric)}
          @change=${(event: Event) => this.set(layer, "symmetric", (event.target as HTMLInputElement).checked, event)}
        />
        symmetric
      </label>
      ${this.renderSteps(layer, "time", "Time", times)}
      ${this.renderSteps(layer, "component", "Component", times > 1 && this.session.images.get(layer.id)?.shape ? 1 : components)}`;
  }

  private unitOf(layer: Layer): string {
    return this.session.images.get(layer.id)?.info?.unit ?? "";
  }

  private renderOpacity(layer: Layer) {
    return slider({
      id: `opacity-${layer.id}`,
      label: "Opacity",
      title: "How much of the layers below shows through",
      min: 0,
      max: 1,
      step: 0.01,
      value: layer.opacity,
      text: `${Math.round(layer.opacity * 100)} %`,
      change: (value, event) => this.set(layer, "opacity", value, event),
    });
  }

  private renderColours(layer: Layer) {
    const id = `map-${layer.id}`;
    const names = colourMapNames.includes(layer.colourMap) ? colourMapNames : [...colourMapNames, layer.colourMap];
    return html`<div class="control">
      <label for=${id}>Colours</label>
      <select id=${id} @change=${(event: Event) => this.set(layer, "colourMap", (event.target as HTMLSelectElement).value, event)}>
        ${names.map((name) => html`<option value=${name} ?selected=${name === layer.colourMap}>${name}</option>`)}
      </select>
    </div>`;
  }

  private renderWindow(layer: Layer) {
    const window = this.ui.navigation.layerWindow(layer.id);
    const automatic = layer.windowLow === null;
    return html`<fieldset class="control window">
      <legend>Window ${this.unitOf(layer)}${automatic ? html` <small>automatic</small>` : nothing}</legend>
      <button class="small reset" ?disabled=${automatic} title="Window from the image's statistics" @click=${() => this.automaticWindow(layer)}>auto</button>
      ${this.renderPresets(layer, window)} ${window ? this.renderWindowRange(layer, window) : nothing}
      <div class="pair">
        ${this.renderWindowInput(layer, "low", window)} ${this.renderWindowInput(layer, "high", window)}
      </div>
      ${this.renderRefusal(layer, "window")}
    </fieldset>`;
  }

  /** Windows that the file itself proposes. */
  private renderPresets(layer: Layer, window: { low: number; high: number } | null) {
    const told = this.session.images.get(layer.id)?.info?.windowPresets ?? [];
    // Those of an image whose lowest values are white stand the other way round: its colour map does that.
    const presets = told
      .map(([name, a, b]): [string, number, number] => [name, Math.min(a, b), Math.max(a, b)])
      .filter(([, low, high]) => low < high);
    if (presets.length === 0) return nothing;
    const current = presets.findIndex(([, low, high]) => low === window?.low && high === window?.high);
    return html`<select
      class="presets"
      aria-label="Window preset"
      @change=${(event: Event) => {
        const preset = presets[Number((event.target as HTMLSelectElement).value)];
        if (preset) this.ui.navigation.setWindow(layer.id, { low: preset[1], high: preset[2] }, event.timeStamp);
      }}
    >
      <option value="" disabled ?selected=${current < 0}>presets of the file</option>
      ${presets.map(([name], i) => html`<option value=${i} ?selected=${i === current}>${name || `window ${i + 1}`}</option>`)}
    </select>`;
  }

  private renderWindowRange(layer: Layer, window: { low: number; high: number }) {
    const info = this.session.images.get(layer.id)?.info ?? this.session.shownData(layer.id);
    const ends = [window.low, window.high, info?.min, info?.max].filter((v): v is number => Number.isFinite(v));
    return html`<nora-range
      .min=${Math.min(...ends)}
      .max=${Math.max(...ends)}
      .low=${window.low}
      .high=${window.high}
      .label=${"Window"}
      .background=${gradient(layer.colourMap)}
      @range=${(event: CustomEvent<RangeChange>) => this.ui.navigation.setWindow(layer.id, event.detail, event.timeStamp)}
    ></nora-range>`;
  }

  private renderWindowInput(layer: Layer, end: "low" | "high", window: { low: number; high: number } | null) {
    return html`<label class="number">
      <span>${end}</span>
      <input
        type="text"
        inputmode="decimal"
        data-window=${end}
        aria-label="Window ${end}"
        .value=${live(window ? plain(window[end]) : "")}
        @change=${(event: Event) => this.enterWindow(layer, end, event)}
      />
    </label>`;
  }

  private enterWindow(layer: Layer, end: "low" | "high", event: Event): void {
    const window = this.ui.navigation.layerWindow(layer.id);
    const value = numberOf(event);
    if (!window || value === null) return this.requestUpdate();
    const entered = { ...window, [end]: value };
    if (entered.low < entered.high) {
      this.accept();
      this.ui.navigation.setWindow(layer.id, entered, event.timeStamp);
    } else if (end === "low") {
      this.refuse(layer, "window", `low ${plain(value)} is not below high (${plain(window.high)}): set high first`);
    } else {
      this.refuse(layer, "window", `high ${plain(value)} is not above low (${plain(window.low)}): set low first`);
    }
  }

  private refuse(layer: Layer, group: string, text: string): void {
    this.refusal = { layer: layer.id, group, text };
    this.requestUpdate();
  }

  private accept(): void {
    this.refusal = { layer: "", group: "", text: "" };
    this.requestUpdate();
  }

  private renderRefusal(layer: Layer, group: string) {
    const { refusal } = this;
    if (refusal.layer !== layer.id || refusal.group !== group) return nothing;
    return html`<p class="state error" role="alert" data-refusal=${group}>${refusal.text}</p>`;
  }

  private automaticWindow(layer: Layer): void {
    this.set(layer, "windowLow", null);
    this.set(layer, "windowHigh", null);
  }

  private renderThresholds(layer: Layer) {
    const isSet = layer.thresholdLow !== null || layer.thresholdHigh !== null;
    return html`<fieldset class="control">
      <legend>Threshold ${this.unitOf(layer)}</legend>
      <button class="small reset" ?disabled=${!isSet} title="Show all values" @click=${() => this.clearThresholds(layer)}>clear</button>
      <div class="pair">
        ${this.renderThreshold(layer, "thresholdLow", "from")} ${this.renderThreshold(layer, "thresholdHigh", "to")}
      </div>
      ${this.renderRefusal(layer, "threshold")}
    </fieldset>`;
  }

  private renderThreshold(layer: Layer, key: ThresholdKey, text: string) {
    const value = layer[key];
    return html`<label class="number">
      <span>${text}</span>
      <input
        type="text"
        inputmode="decimal"
        placeholder="none"
        data-threshold=${key}
        aria-label="Threshold ${text}"
        .value=${live(value === null ? "" : plain(value))}
        @change=${(event: Event) => this.enterThreshold(layer, key, event)}
      />
    </label>`;
  }

  private enterThreshold(layer: Layer, key: ThresholdKey, event: Event): void {
    const value = numberOf(event);
    const empty = (event.target as HTMLInputElement).value.trim() === "";
    if (value === null && !empty) return this.requestUpdate();
    const low = key === "thresholdLow" ? value : layer.thresholdLow;
    const high = key === "thresholdHigh" ? value : layer.thresholdHigh;
    if (low !== null && high !== null && low > high) {
      return this.refuse(layer, "threshold", `from ${plain(low)} to ${plain(high)} nothing would be drawn`);
    }
    this.accept();
    this.set(layer, key, value, event);
  }

  private clearThresholds(layer: Layer): void {
    this.set(layer, "thresholdLow", null);
    this.set(layer, "thresholdHigh", null);
  }

  private renderSteps(layer: Layer, key: "time" | "component", text: string, count: number) {
    if (count <= 1) return nothing;
    const at = Math.min(layer[key], count - 1);
    return slider({
      id: `${key}-${layer.id}`,
      label: text,
      title: `${text} that is shown`,
      min: 0,
      max: count - 1,
      step: 1,
      value: at,
      text: `${at + 1} / ${count}`,
      change: (value, event) => this.set(layer, key, value, event),
    });
  }
}

customElements.define("nora-layers", LayersPanel);

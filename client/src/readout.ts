// The bar at the bottom: position and source values under the crosshair, always, and under the cursor.
// A table, so that numbers stay in their place while the cursor moves. Position, voxel and values of a row always belong
// together: where the answer takes long, the position waits with it.
import { html } from "lit";
import { PageElement } from "./base-element.ts";
import { formatMm, formatValue } from "./format.ts";
import type { Reading } from "./probes.ts";
import type { LayerState, LayerValue, Pick } from "./protocol.ts";
import type { Layer } from "./scene.ts";
import type { Topic } from "./session.ts";
import { pickedText } from "./shapes.ts";

export class ReadOut extends PageElement {
  protected topics(): Topic[] {
    return ["scene", "values", "images", "status"];
  }

  protected override isPatient(): boolean {
    return true;
  }

  protected override render() {
    const { scene, probes } = this.session;
    if (scene.layers.length === 0) return html`<div class="readout muted">Nothing is open.</div>`;
    return html`<div class="readout ${this.session.connected ? "" : "lost"}">
      <table aria-label="Positions and values">
        <thead>
          <tr>
            <th></th>
            <th scope="col" title="Right, anterior, superior">position, mm</th>
            <th scope="col" title="Voxel of the first image, counted from 0">voxel</th>
            ${scene.layers.map((layer) => this.renderHead(layer))}
          </tr>
        </thead>
        <tbody>
          ${this.renderReading("Crosshair", probes.readings.crosshair?.mm ?? scene.crosshairMm, probes.readings.crosshair, "crosshair")}
          ${this.renderReading("Cursor", probes.readings.cursor?.mm ?? null, probes.readings.cursor, "cursor")}
        </tbody>
      </table>
    </div>`;
  }

  private renderHead(layer: Layer) {
    const name = this.session.layerName(layer);
    return html`<th scope="col" class="layer-head" title=${name}>${name}</th>`;
  }

  private renderReading(title: string, mm: readonly number[] | null, reading: Reading | null, key: string) {
    const { layers } = this.session.scene;
    const background = layers.map((layer) => valueOf(reading, layer)).find((value) => value !== undefined);
    const picked = key === "crosshair" ? this.session.pickedHere() : null;
    return html`<tr data-reading=${key}>
      <th scope="row">${title}</th>
      <td class="mm">${mm ? formatMm(mm) : "–"}</td>
      <td class="voxel">${background ? background.voxel.join(", ") : "–"}</td>
      ${layers.map((layer) => renderValue(layer, valueOf(reading, layer), this.session.images.get(layer.id), picked))}
    </tr>`;
  }
}

function valueOf(reading: Reading | null, layer: Layer | undefined): LayerValue | undefined {
  return reading?.layers.find((value) => value.id === layer?.id);
}

function renderValue(layer: Layer, value: LayerValue | undefined, image: LayerState | undefined, picked: Pick | null) {
  const shape = pickedText(layer, picked);
  const text = value ? valueText(value, image) : shape || "–";
  const title = value ? `${text}\nvoxel ${value.voxel.join(", ")}` : shape;
  return html`<td class="value" data-layer=${layer.id} title=${title}>${text}</td>`;
}

/** "17 Left-Hippocampus", "43.2 HU", "5120 Bq/mL, 1.42 SUV". */
function valueText(value: LayerValue, image: LayerState | undefined): string {
  if (!value.inside) return "outside";
  if (value.rgb) return `rgb ${value.rgb.join(" ")}`;
  if (value.value === null && image?.awaited) return image.awaited.state === "loading" ? "loading …" : "not loaded";
  if (value.value === null) return "not a number";
  const number = value.value;
  const info = image?.info;
  const units = [[info?.unit ?? "", 1] as const, ...(info?.otherUnits ?? [])];
  const values = units.map(([unit, factor]) => `${formatValue(number * factor)} ${unit}`.trim()).join(", ");
  return value.label ? `${values} ${value.label}` : values;
}

customElements.define("nora-readout", ReadOut);

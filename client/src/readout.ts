// The bar at the bottom: position and source values under the crosshair, always, and under the cursor.
// A table, so that numbers stay in their place while the cursor moves.
import { html } from "lit";
import { PageElement } from "./base-element.ts";
import { formatMm, formatValue } from "./format.ts";
import type { Reading } from "./probes.ts";
import type { LayerValue } from "./protocol.ts";
import type { ImageInfo, Layer } from "./scene.ts";
import type { Topic } from "./session.ts";

export class ReadOut extends PageElement {
  protected topics(): Topic[] {
    return ["scene", "values", "images"];
  }

  protected override isPatient(): boolean {
    return true;
  }

  protected override render() {
    const { scene, probes } = this.session;
    if (scene.layers.length === 0) return html`<div class="readout muted">Nothing is open.</div>`;
    return html`<div class="readout">
      <table aria-label="Positions and values">
        <thead>
          <tr>
            <th></th>
            <th scope="col" title="Right, anterior, superior">position, mm</th>
            <th scope="col" title="Voxel of the background image, counted from 0">voxel</th>
            ${scene.layers.map((layer) => this.renderHead(layer))}
          </tr>
        </thead>
        <tbody>
          ${this.renderReading("Crosshair", scene.crosshairMm, probes.readings.crosshair, "crosshair")}
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
    const background = valueOf(reading, layers[0]);
    return html`<tr data-reading=${key}>
      <th scope="row">${title}</th>
      <td class="mm">${mm ? formatMm(mm) : "–"}</td>
      <td class="voxel">${background ? background.voxel.join(", ") : "–"}</td>
      ${layers.map((layer) => renderValue(layer, valueOf(reading, layer), this.session.images.get(layer.id)?.info ?? null))}
    </tr>`;
  }
}

function valueOf(reading: Reading | null, layer: Layer | undefined): LayerValue | undefined {
  return reading?.layers.find((value) => value.id === layer?.id);
}

function renderValue(layer: Layer, value: LayerValue | undefined, info: ImageInfo | null) {
  const title = value ? `voxel ${value.voxel.join(", ")}` : "";
  return html`<td class="value" data-layer=${layer.id} title=${title}>${value ? valueText(value, info) : "–"}</td>`;
}

/** "17 Left-Hippocampus", "43.2 HU", "5120 Bq/mL, 1.42 SUV". */
function valueText(value: LayerValue, info: ImageInfo | null): string {
  if (!value.inside) return "outside";
  if (value.rgb) return `rgb ${value.rgb.join(" ")}`;
  if (value.value === null) return "not a number";
  const number = value.value;
  const units = [[info?.unit ?? "", 1] as const, ...(info?.otherUnits ?? [])];
  const values = units.map(([unit, factor]) => `${formatValue(number * factor)} ${unit}`.trim()).join(", ");
  return value.label ? `${values} ${value.label}` : values;
}

customElements.define("nora-readout", ReadOut);

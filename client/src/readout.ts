// The bar at the bottom: position and source values under the crosshair, always, and under the cursor.
import { html, nothing } from "lit";
import { PageElement } from "./base-element.ts";
import { formatMm, formatValue } from "./format.ts";
import type { Reading } from "./probes.ts";
import type { LayerValue } from "./protocol.ts";
import type { Topic } from "./session.ts";

export class ReadOut extends PageElement {
  protected topics(): Topic[] {
    return ["scene", "values", "images"];
  }

  protected override render() {
    const { scene, probes } = this.session;
    if (scene.layers.length === 0) return html`<div class="readout muted">Nothing is open.</div>`;
    return html`<div class="readout">
      ${this.renderReading("Crosshair", scene.crosshairMm, probes.readings.crosshair, "crosshair")}
      ${probes.readings.cursor ? this.renderReading("Cursor", probes.readings.cursor.mm, probes.readings.cursor, "cursor") : nothing}
    </div>`;
  }

  private renderReading(title: string, mm: readonly number[], reading: Reading | null, key: string) {
    const first = reading?.layers[0];
    return html`<div class="reading" data-reading=${key}>
      <b>${title}</b>
      <span class="mm" title="Right, anterior, superior; millimetres">${formatMm(mm)} mm</span>
      ${first ? html`<span class="voxel" title="Voxel of the background image">[${first.voxel.join(", ")}]</span>` : nothing}
      ${reading?.layers.map((value) => this.renderValue(value))}
    </div>`;
  }

  private renderValue(value: LayerValue) {
    const layer = this.session.layer(value.id);
    if (!layer) return nothing;
    return html`<span class="value" data-layer=${value.id}>
      <span class="value-name">${this.session.layerName(layer)}</span> <b>${valueText(value)}</b>
    </span>`;
  }
}

function valueText(value: LayerValue): string {
  if (!value.inside) return "outside";
  if (value.rgb) return `rgb ${value.rgb.join(" ")}`;
  return value.value === null ? "not a number" : formatValue(value.value);
}

customElements.define("nora-readout", ReadOut);

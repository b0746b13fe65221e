// The time of a 4D layer: slider, steps and play. Appears when a layer has more than one time point.
import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { PageElement } from "./base-element.ts";
import type { Topic } from "./session.ts";
import { frameRates, type Fps } from "./ui.ts";

export class TimeSlider extends PageElement {
  protected topics(): Topic[] {
    return ["scene", "images", "ui"];
  }

  protected override render() {
    const layer = this.ui.timeLayer();
    if (!layer) return nothing;
    const scene = this.session.layer(layer.id)!;
    const seconds = this.session.images.get(layer.id)?.info?.timeStepSeconds ?? 0;
    const { playing } = this.ui;
    const awaited = this.session.awaited(layer.id);
    return html`<div class="time" role="group" aria-label="Time">
      <button class="icon" title=${playing ? "Stop (Space)" : "Play (Space)"} aria-label=${playing ? "Stop" : "Play"} @click=${() => this.ui.togglePlay()}>
        ${playing ? "❚❚" : "▶"}
      </button>
      <button class="icon" title="Back ([)" aria-label="Time step back" @click=${() => this.ui.setTime(layer.time - 1)}>‹</button>
      <input
        type="range"
        min="0"
        max=${layer.points - 1}
        step="1"
        aria-label="Time point of ${this.session.layerName(scene)}"
        .value=${live(String(layer.time))}
        @input=${(event: Event) => this.ui.setTime(Number((event.target as HTMLInputElement).value), event.timeStamp)}
      />
      <button class="icon" title="Forward (])" aria-label="Time step forward" @click=${() => this.ui.setTime(layer.time + 1)}>›</button>
      <output title=${this.session.layerName(scene)}>
        ${layer.time + 1} / ${layer.points}${seconds > 0 ? html` <span class="muted">${(layer.time * seconds).toFixed(1)} s</span>` : nothing}
      </output>
      ${awaited && awaited.state !== "loading"
        ? html`<button class="small" title="Time ${awaited.time + 1} is not loaded" @click=${() => this.session.loadAgain(layer.id)}>Load</button>`
        : nothing}
      <select aria-label="Pictures a second" title="Pictures a second" @change=${(event: Event) => this.setRate(event)}>
        ${frameRates.map((rate) => html`<option value=${rate} ?selected=${rate === this.ui.framesPerSecond}>${rate} fps</option>`)}
      </select>
    </div>`;
  }

  private setRate(event: Event): void {
    this.ui.update({ framesPerSecond: Number((event.target as HTMLSelectElement).value) as Fps });
  }
}

customElements.define("nora-time", TimeSlider);

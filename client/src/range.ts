// A slider with two handles, low and high, by mouse, finger and keyboard.
import { LitElement, html } from "lit";
import { styleMap } from "lit/directives/style-map.js";

export interface RangeChange {
  low: number;
  high: number;
}

const keySteps: Record<string, number> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
const stepsAcross = 200;
const smallestGap = 1000; // between low and high: this part of the scale

export class RangeSlider extends LitElement {
  static override properties = {
    min: { attribute: false },
    max: { attribute: false },
    low: { attribute: false },
    high: { attribute: false },
    background: { attribute: false },
    label: { attribute: false },
  };
  declare min: number;
  declare max: number;
  declare low: number;
  declare high: number;
  declare background: string;
  declare label: string;
  private dragged: "low" | "high" | "both" | null = null;
  private dragFrom = { x: 0, low: 0, high: 0, span: 0 };

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  private percent(value: number): number {
    const span = this.max - this.min;
    return span > 0 ? Math.min(100, Math.max(0, ((value - this.min) / span) * 100)) : 0;
  }

  protected override render() {
    const low = this.percent(this.low);
    const high = this.percent(this.high);
    const fill = { left: `${Math.min(low, high)}%`, right: `${100 - Math.max(low, high)}%`, background: this.background };
    return html`<div class="range" @pointerdown=${this.down} @pointermove=${this.move} @pointerup=${this.up} @pointercancel=${this.up}>
      <div class="range-track"></div>
      <div class="range-fill" style=${styleMap(fill)}></div>
      ${this.handle("low", low)}${this.handle("high", high)}
    </div>`;
  }

  private handle(which: "low" | "high", percent: number) {
    return html`<span
      class="range-handle"
      role="slider"
      tabindex="0"
      data-handle=${which}
      aria-label="${this.label} ${which}"
      aria-valuemin=${this.min}
      aria-valuemax=${this.max}
      aria-valuenow=${this[which]}
      style=${styleMap({ left: `${percent}%` })}
      @keydown=${(event: KeyboardEvent) => this.key(event, which)}
    ></span>`;
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const box = this.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * 100;
    const handle = (event.target as HTMLElement).dataset["handle"];
    const [low, high] = [this.percent(this.low), this.percent(this.high)];
    const inside = at > Math.min(low, high) && at < Math.max(low, high);
    if (handle === "low" || handle === "high") this.dragged = handle;
    else if (inside) this.dragged = "both";
    else this.dragged = Math.abs(at - low) < Math.abs(at - high) ? "low" : "high";
    this.dragFrom = { x: event.clientX, low: this.low, high: this.high, span: this.max - this.min };
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  private move(event: PointerEvent): void {
    if (!this.dragged) return;
    const width = this.getBoundingClientRect().width || 1;
    const { low, high, span } = this.dragFrom; // the ends of the scale move with a window beyond them
    const by = ((event.clientX - this.dragFrom.x) / width) * span;
    if (this.dragged === "both") this.change({ low: low + by, high: high + by });
    else this.moveEnd(this.dragged, (this.dragged === "low" ? low : high) + by);
  }

  private up(): void {
    this.dragged = null;
  }

  private key(event: KeyboardEvent, which: "low" | "high"): void {
    const steps = keySteps[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const by = (steps * (this.max - this.min)) / stepsAcross;
    this.moveEnd(which, this[which] + by);
  }

  /** One end stops short of the other. */
  private moveEnd(which: "low" | "high", value: number): void {
    const gap = (this.max - this.min) / smallestGap;
    if (which === "low") this.change({ low: Math.min(value, this.high - gap), high: this.high });
    else this.change({ low: this.low, high: Math.max(value, this.low + gap) });
  }

  private change(detail: RangeChange): void {
    this.dispatchEvent(new CustomEvent<RangeChange>("range", { detail }));
  }
}

customElements.define("nora-range", RangeSlider);

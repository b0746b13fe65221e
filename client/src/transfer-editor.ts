// Opacity and colour by value in a volume view: points over the image's histogram. Points are dragged by mouse, pen or
// finger, added by a double click, removed by Delete or by dragging them off.
import { LitElement, html, nothing, svg } from "lit";
import { styleMap } from "lit/directives/style-map.js";
import { numberField, plain } from "./fields.ts";
import type { Histogram } from "./protocol.ts";
import type { TransferPoint } from "./scene.ts";
import {
  addedPoint, colouredPoint, fewestPoints, heightOf, movedPoint, opacityAt, scaleOf, withoutPoint, type Scale,
} from "./transfer-points.ts";

const dragOffPx = 44; // above or below the curve's field: the point is taken away; to the sides a hand overshoots
const keySteps = 100; // across the scale
const mapSamples = 16;

export class TransferEditor extends LitElement {
  static override properties = {
    points: { attribute: false },
    histogram: { attribute: false },
    unit: { attribute: false },
    colourAt: { attribute: false },
    selected: { state: true },
  };
  declare points: TransferPoint[];
  declare histogram: Histogram | null;
  declare unit: string;
  declare colourAt: (value: number) => string;
  declare private selected: number;
  private drag: { points: TransferPoint[]; index: number; scale: Scale } | null = null;

  constructor() {
    super();
    this.selected = 0;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** It stands still while a point is dragged. */
  private get scale(): Scale {
    return this.drag?.scale ?? scaleOf(this.points, this.histogram);
  }

  private place(value: number): number {
    const { low, high } = this.scale;
    return (value - low) / (high - low);
  }

  protected override render() {
    this.selected = Math.min(this.selected, this.points.length - 1);
    const chosen = this.points[this.selected];
    return html`<div class="transfer" title="Drag a point; double click adds one; Delete or dragging it far up or down takes it away"
        @pointerdown=${this.down} @pointermove=${this.move} @pointerup=${this.up} @pointercancel=${this.up} @dblclick=${this.add}>
        ${this.renderCurve()}
        ${this.points.map((point, i) => this.renderPoint(point, i))}
      </div>
      <div class="transfer-ends"><span>${plain(this.scale.low)}</span><span>${this.unit}</span><span>${plain(this.scale.high)}</span></div>
      ${chosen ? this.renderFields(chosen) : nothing}`;
  }

  private renderCurve() {
    const x = (value: number): number => this.place(value) * 100;
    const y = (opacity: number): number => 100 - heightOf(opacity) * 100;
    const [first, last] = [this.points[0]!, this.points.at(-1)!];
    const steps = this.points.flatMap((point, i) => this.curveBetween(point, this.points[i + 1]));
    const line = `M0,${y(first.opacity)} ${steps.map(([v, o]) => `L${x(v)},${y(o)}`).join(" ")} L100,${y(last.opacity)}`;
    const stops = this.points[0]?.colour
      ? this.points.map(({ value, colour }) => ({ at: this.place(value), colour: colour! }))
      : Array.from({ length: mapSamples + 1 }, (_, i) => {
          const at = i / mapSamples;
          return { at, colour: this.colourAt(this.scale.low + at * (this.scale.high - this.scale.low)) };
        });
    return html`<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      <linearGradient id="transfer-colours" gradientUnits="userSpaceOnUse" x1="0" x2="100">
        ${stops.map(({ at, colour }) => svg`<stop offset=${at} stop-color=${colour} />`)}
      </linearGradient>
      <path class="histogram" d=${this.histogramPath(x)} />
      <path class="area" d="${line} V100 H0 Z" fill="url(#transfer-colours)" />
      <path class="curve" d=${line} />
    </svg>`;
  }

  /** Opacity is linear between two points, its root is not. */
  private curveBetween(a: TransferPoint, b: TransferPoint | undefined): [number, number][] {
    if (!b) return [[a.value, a.opacity]];
    const parts = 6;
    return Array.from({ length: parts }, (_, i) => {
      const w = i / parts;
      return [a.value + w * (b.value - a.value), a.opacity + w * (b.opacity - a.opacity)];
    });
  }

  private histogramPath(x: (value: number) => number): string {
    if (!this.histogram) return "";
    const { low, high, counts } = this.histogram;
    const most = Math.log1p(Math.max(...counts));
    const width = (high - low) / counts.length;
    const tops = counts.map((count, i) => {
      const top = 100 - (Math.log1p(count) / most) * 100;
      return `V${top.toFixed(1)} H${x(low + (i + 1) * width).toFixed(2)}`;
    });
    return `M${x(low)},100 ${tops.join(" ")} V100 Z`;
  }

  private renderPoint({ value, opacity, colour }: TransferPoint, i: number) {
    const style = {
      left: `${this.place(value) * 100}%`,
      bottom: `${heightOf(opacity) * 100}%`,
      background: colour ?? this.colourAt(value),
    };
    return html`<span
      class="transfer-point ${i === this.selected ? "selected" : ""}"
      role="slider"
      tabindex="0"
      data-point=${i}
      aria-label="Point ${i + 1}"
      aria-valuemin=${this.scale.low}
      aria-valuemax=${this.scale.high}
      aria-valuenow=${value}
      aria-valuetext="${plain(value)} ${this.unit}, opacity ${Math.round(opacity * 100)} %"
      style=${styleMap(style)}
      @focus=${() => (this.selected = i)}
      @keydown=${(event: KeyboardEvent) => this.key(event, i)}
    ></span>`;
  }

  private renderFields({ value, opacity, colour }: TransferPoint) {
    const at = this.selected;
    return html`<div class="transfer-fields">
      ${numberField({
        label: "Value of the point",
        title: "Value of the chosen point; it stays between its neighbours",
        text: plain(value),
        change: (next) => this.change(movedPoint(this.points, at, next!, opacity, this.scale)),
      })}
      ${numberField({
        label: "Opacity of the point",
        title: "Opacity of one millimetre, percent",
        text: plain(Math.round(opacity * 1000) / 10),
        unit: "%",
        change: (next) => this.change(movedPoint(this.points, at, value, next! / 100, this.scale)),
      })}
      <input type="color" aria-label="Colour of the point" title="Colour of the chosen point" .value=${colour ?? this.colourAt(value)}
        @input=${(event: Event) => this.change(colouredPoint(this.points, at, (event.target as HTMLInputElement).value, this.colourAt))} />
      <button class="icon" title="Take the chosen point away (Delete)" aria-label="Take the point away"
        ?disabled=${this.points.length <= fewestPoints} @click=${() => this.takeAway(at)}>✕</button>
    </div>`;
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const handle = (event.target as HTMLElement).dataset["point"];
    if (handle === undefined) return;
    event.preventDefault();
    this.drag = { points: this.points, index: Number(handle), scale: this.scale };
    (event.target as HTMLElement).focus();
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  }

  /** Value and opacity under the pointer, and whether it is far off. */
  private under(event: MouseEvent) {
    const box = this.querySelector(".transfer")!.getBoundingClientRect();
    const { low, high } = this.scale;
    const across = (event.clientX - box.left) / box.width;
    const beyond = Math.max(box.top - event.clientY, event.clientY - box.bottom);
    return {
      value: low + Math.min(1, Math.max(0, across)) * (high - low),
      opacity: opacityAt((box.bottom - event.clientY) / box.height),
      off: beyond > dragOffPx,
    };
  }

  private move(event: PointerEvent): void {
    if (!this.drag) return;
    const { points, index, scale } = this.drag;
    const { value, opacity, off } = this.under(event);
    this.change(off ? withoutPoint(points, index) : movedPoint(points, index, value, opacity, scale));
  }

  private up(): void {
    if (!this.drag) return;
    this.drag = null;
    this.requestUpdate();
  }

  private add(event: MouseEvent): void {
    if ((event.target as HTMLElement).dataset["point"] !== undefined) return;
    const { value, opacity } = this.under(event);
    const added = addedPoint(this.points, value, opacity);
    if (!added) return;
    this.selected = added.index;
    this.change(added.points);
  }

  private key(event: KeyboardEvent, index: number): void {
    const { value, opacity } = this.points[index]!;
    const coarse = event.shiftKey ? 10 : 1;
    const step = (coarse * (this.scale.high - this.scale.low)) / keySteps;
    const height = heightOf(opacity);
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [value - step, opacity],
      ArrowRight: [value + step, opacity],
      ArrowUp: [value, opacityAt(height + coarse / keySteps)],
      ArrowDown: [value, opacityAt(height - coarse / keySteps)],
    };
    const move = moves[event.key];
    if (move) this.change(movedPoint(this.points, index, move[0], move[1], this.scale));
    else if (event.key === "Delete" || event.key === "Backspace") this.takeAway(index);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private takeAway(index: number): void {
    if (this.points.length <= fewestPoints) return;
    this.selected = Math.max(0, index - 1);
    this.change(withoutPoint(this.points, index));
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-point="${this.selected}"]`)?.focus());
  }

  private change(detail: TransferPoint[]): void {
    this.dispatchEvent(new CustomEvent<TransferPoint[]>("points", { detail }));
  }
}

customElements.define("nora-transfer", TransferEditor);

// Times from input to picture, on key ~: percentiles of the last frames and where the time went.
import { html, nothing } from "lit";
import { PageElement } from "./base-element.ts";
import type { Topic } from "./session.ts";
import { percentile, type TraceEntry } from "./trace.ts";

const stages: [string, (frame: TraceEntry) => number][] = [
  ["queue", (f) => f.queueUs / 1000],
  ["render", (f) => f.renderUs / 1000],
  ["encode", (f) => f.encodeUs / 1000],
  ["wait", (f) => f.waitUs / 1000],
  ["decode", (f) => (f.tDecoded ?? f.tReceive) - f.tReceive],
  ["draw", (f) => f.tPresent! - (f.tDecoded ?? f.tPresent!)],
];
const redrawMs = 250;

export class Statistics extends PageElement {
  private timer = 0;

  protected topics(): Topic[] {
    return ["ui"];
  }

  protected override render() {
    clearTimeout(this.timer);
    if (!this.ui.statsOpen) return nothing;
    this.timer = window.setTimeout(() => this.requestUpdate(), redrawMs);
    const { trace } = this.session;
    const drawn = trace.frames.filter((frame) => frame.tPresent !== null && frame.quality === "moving");
    return html`<div class="stats" aria-label="Statistics">
      <table>
        <thead><tr><th>ms</th><th>p50</th><th>p95</th><th>p99</th></tr></thead>
        <tbody>
          ${row("input to photon", trace.inputToPhotonMs())}
          ${stages.map(([name, of]) => row(name, drawn.map(of).sort((a, b) => a - b)))}
        </tbody>
      </table>
      <p>${trace.frames.length} frames, ${trace.frames.filter((f) => f.tPresent === null).length} dropped</p>
    </div>`;
  }
}

function row(name: string, sorted: number[]) {
  const cell = (p: number): string => (sorted.length === 0 ? "–" : percentile(sorted, p).toFixed(1));
  return html`<tr><th scope="row">${name}</th><td>${cell(50)}</td><td>${cell(95)}</td><td>${cell(99)}</td></tr>`;
}

customElements.define("nora-stats", Statistics);

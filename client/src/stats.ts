// Times from input to picture, on key ~: percentiles of the last frames and where the time went, the way to the server,
// and which codec is used.
import { html, nothing } from "lit";
import { PageElement } from "./base-element.ts";
import { codecs } from "./protocol.ts";
import type { Topic } from "./session.ts";
import { percentile, type TraceEntry } from "./trace.ts";

const wireMs = (f: TraceEntry): number => {
  const server = (f.queueUs + f.renderUs + f.encodeUs + f.waitUs) / 1000;
  return f.tSend === null ? NaN : Math.max(0, f.tReceive - f.tSend - server);
};
const stages: [string, (frame: TraceEntry) => number][] = [
  ["queue", (f) => f.queueUs / 1000],
  ["render", (f) => f.renderUs / 1000],
  ["read-back", (f) => f.readBackUs / 1000],
  ["encode", (f) => f.encodeUs / 1000],
  ["write", (f) => f.waitUs / 1000],
  ["way, both ways", wireMs],
  ["decode", (f) => (f.tDecoded ?? f.tReceive) - f.tReceive],
  ["draw", (f) => f.tPresent! - (f.tDecoded ?? f.tPresent!)],
];
const redrawMs = 250;
const lately = 2_000; // ms, for rates

const codecName = (codec: number): string => Object.keys(codecs).find((name) => codecs[name as keyof typeof codecs] === codec) ?? "?";

const stillCodecs = ["png", "webp"];

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
          ${stages.map(([name, of]) => row(name, drawn.map(of).filter(Number.isFinite).sort((a, b) => a - b)))}
        </tbody>
      </table>
      ${this.rates()}
      <p>
        ${this.renderCodecs("moving", (name) => !stillCodecs.includes(name), (name) => this.session.prefer(name, this.session.preferred.still))}
        ${this.renderCodecs("still", (name) => stillCodecs.includes(name), (name) => this.session.prefer(this.session.preferred.moving, name))}
        <button @click=${() => this.save()}>Save trace</button>
      </p>
    </div>`;
  }

  private renderCodecs(title: "moving" | "still", isOne: (name: string) => boolean, choose: (name: string) => void) {
    const { serverCodecs, preferred } = this.session;
    return html`<label>${title} <select @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
      ${["auto", ...serverCodecs.filter(isOne)].map((name) => html`<option ?selected=${name === preferred[title]}>${name}</option>`)}
    </select></label>`;
  }

  private rates() {
    const { frames } = this.session.trace;
    const since = performance.now() - lately;
    const recent = frames.filter((frame) => frame.tReceive > since);
    const newest = frames.at(-1);
    const moving = frames.findLast((frame) => frame.quality === "moving") ?? newest;
    if (!newest || !moving) return nothing;
    const perSecond = (of: number): number => (of * 1000) / lately;
    const shown = perSecond(recent.filter((frame) => frame.tPresent !== null).length);
    const kbit = (perSecond(recent.reduce((sum, frame) => sum + frame.bytes, 0)) * 8) / 1000;
    const way = newest.bandwidthKbit > 0 ? `${(newest.bandwidthKbit / 1000).toFixed(1)} Mbit/s` : "not known";
    const fromAhead = frames.filter((frame) => frame.ahead !== 0 && frame.bytes === 0).length;
    return html`<p>${codecName(moving.codec)} ${moving.width}×${moving.height}, quality ${moving.encoderQuality}</p>
      <p>${shown.toFixed(0)} pictures/s, ${(kbit / 1000).toFixed(1)} Mbit/s; way ${way}, ${(newest.roundTripUs / 1000).toFixed(0)} ms</p>
      <p>${frames.length} frames, ${frames.filter((f) => f.tPresent === null && f.ahead === 0).length} dropped, ${fromAhead} there before they were wanted</p>`;
  }

  /** All that is known of the last frames, as JSON. */
  private save(): void {
    const text = JSON.stringify({ version: this.session.serverVersion, frames: this.session.trace.frames }, null, 1);
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = Object.assign(document.createElement("a"), { href: url, download: "nora-trace.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), redrawMs);
  }
}

function row(name: string, sorted: number[]) {
  const cell = (p: number): string => (sorted.length === 0 ? "–" : percentile(sorted, p).toFixed(1));
  return html`<tr><th scope="row">${name}</th><td>${cell(50)}</td><td>${cell(95)}</td><td>${cell(99)}</td></tr>`;
}

customElements.define("nora-stats", Statistics);

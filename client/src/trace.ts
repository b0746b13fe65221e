// What happened to the last inputs and frames, for tests, benchmarks and the statistics overlay.
import type { FrameHeader, Quality } from "./protocol.ts";

/** Times are performance.now() of this page, in ms; stage times of the server in microseconds. */
export interface TraceEntry {
  frame: number;
  view: string;
  input: number;
  quality: Quality;
  codec: number;
  width: number;
  height: number;
  bytes: number;
  queueUs: number;
  renderUs: number;
  encodeUs: number;
  waitUs: number;
  tEvent: number | null; // the input event that this frame is the first of its view to show
  tSend: number | null;
  tReceive: number;
  tDecoded: number | null;
  tPresent: number | null; // null: dropped, a newer picture of the view was there first
  verified?: boolean; // the hash of a lossless picture was right; missing until it was checked
  ahead: number; // id of what was asked for ahead; 0: what the scene was
  readBackUs: number;
  encoderQuality: number;
  bandwidthKbit: number;
  roundTripUs: number;
}

const framesKept = 1000;
const inputsKept = 2000;

export class Trace {
  readonly frames: TraceEntry[] = [];
  private readonly inputs = new Map<number, { tEvent: number; tSend: number }>();
  private readonly newestInput = new Map<string, number>();
  private readonly presented = new Map<string, TraceEntry>();

  input(id: number, tEvent: number): void {
    this.inputs.set(id, { tEvent, tSend: performance.now() });
    if (this.inputs.size > inputsKept) this.inputs.delete(this.inputs.keys().next().value!);
  }

  received(header: FrameHeader, bytes: number, tReceive: number): TraceEntry {
    const isAhead = header.ahead !== 0 && bytes > 0;
    const fresh = !isAhead && header.input > (this.newestInput.get(header.view) ?? 0);
    if (fresh) this.newestInput.set(header.view, header.input);
    const cause = fresh ? this.inputs.get(header.input) : undefined;
    const { frame, view, input, quality, codec, width, height, queueUs, renderUs, encodeUs, waitUs } = header;
    const { ahead, readBackUs, encoderQuality, bandwidthKbit, roundTripUs } = header;
    return this.keep({
      ...{ frame, view, input, quality, codec, width, height, bytes, queueUs, renderUs, encodeUs, waitUs },
      ...{ ahead, readBackUs, encoderQuality, bandwidthKbit, roundTripUs },
      ...{ tEvent: cause?.tEvent ?? null, tSend: cause?.tSend ?? null, tReceive, tDecoded: null, tPresent: null },
    });
  }

  /** A picture that is here already is shown for an input. */
  aheadOf(header: FrameHeader, tEvent: number): TraceEntry {
    const now = performance.now();
    const entry = this.received({ ...header, queueUs: 0, renderUs: 0, encodeUs: 0, waitUs: 0 }, 0, now);
    return Object.assign(entry, { tEvent, tSend: now, tDecoded: now });
  }

  private keep(entry: TraceEntry): TraceEntry {
    this.frames.push(entry);
    if (this.frames.length > framesKept) this.frames.shift();
    return entry;
  }

  drawn(entry: TraceEntry): void {
    entry.tPresent = performance.now();
    this.presented.set(entry.view, entry);
  }

  lastPresented(view: string): TraceEntry | null {
    return this.presented.get(view) ?? null;
  }

  /** From the input event to the picture on the canvas, ms, of the frames that an input caused; sorted. */
  inputToPhotonMs(): number[] {
    return this.frames
      .filter((f) => f.tEvent !== null && f.tPresent !== null)
      .map((f) => f.tPresent! - f.tEvent!)
      .sort((a, b) => a - b);
  }
}

/** Nearest-rank percentile of sorted values; NaN if there are none. */
export function percentile(sorted: number[], p: number): number {
  return sorted.length === 0 ? NaN : sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)]!;
}

// Asks the server for values under crosshair and cursor: one question at a time, the newest of each kind.
import type { LayerValue } from "./protocol.ts";
import type { Vec3 } from "./geometry.ts";

export type ProbeKind = "crosshair" | "cursor";

export interface Reading {
  mm: Vec3;
  layers: LayerValue[];
}

const answerWithinMs = 4_000; // then the question counts as lost

export class Probes {
  readonly readings: Record<ProbeKind, Reading | null> = { crosshair: null, cursor: null };
  private readonly wanted: Record<ProbeKind, Vec3 | null> = { crosshair: null, cursor: null };
  private asked: { kind: ProbeKind; input: number; at: number } | null = null;
  private last: ProbeKind = "cursor";

  constructor(
    private readonly send: (mm: Vec3) => number, // returns the input id, 0 if it was not sent
    private readonly changed: () => void,
  ) {}

  ask(kind: ProbeKind, mm: Vec3): void {
    this.wanted[kind] = mm;
    this.next();
  }

  /** The value under the cursor may be another now; a newer place that waits comes first anyway. */
  repeatCursor(): void {
    const { cursor } = this.readings;
    if (cursor && this.wanted.cursor === null) this.ask("cursor", cursor.mm);
  }

  forgetCursor(): void {
    this.wanted.cursor = null;
    if (this.readings.cursor === null) return;
    this.readings.cursor = null;
    this.changed();
  }

  reset(): void {
    this.asked = null;
    this.readings.crosshair = this.readings.cursor = null;
    this.changed();
  }

  answered(input: number, reading: Reading): void {
    if (this.asked?.input !== input) return;
    const { kind } = this.asked;
    this.readings[kind] = reading;
    this.finish();
    this.changed();
  }

  refused(input: number): void {
    if (this.asked?.input === input) this.finish();
  }

  private finish(): void {
    this.asked = null;
    this.next();
  }

  private next(): void {
    if (this.asked && performance.now() - this.asked.at < answerWithinMs) return;
    const other: ProbeKind = this.last === "crosshair" ? "cursor" : "crosshair";
    const kind = this.wanted[other] ? other : this.last; // take turns
    const mm = this.wanted[kind];
    if (!mm) return;
    const input = this.send(mm);
    if (input === 0) return;
    this.wanted[kind] = null;
    this.last = kind;
    this.asked = { kind, input, at: performance.now() };
  }
}

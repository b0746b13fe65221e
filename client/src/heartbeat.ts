// Finds out that the other side is gone where nothing says so: a cable is pulled, the machine slept, the network is another.
// After a while of silence it is asked; when no word comes then, the connection is dead. A page that is not seen asks
// nothing: its timers do not run as they should.

export const silenceMs = 5_000; // before it is asked
export const doubtMs = 2_000; // for an answer, where there is reason to think that the connection is gone
const tickMs = 500;

/** What it does, and asks, of the connection. */
export interface Beat {
  /** There is reason to ask, or to try again, now. */
  doubt(): void;
  /** There was no word for too long. */
  silent(): void;
  /** No word came after the last question for as long as that question allowed. */
  dead(): void;
  isSeen(): boolean;
}

export class Heartbeat {
  private heardAt = 0;
  private dueAt = 0; // of the answer; 0: nothing was asked
  private tickedAt: number;

  /** `clock` goes on while the machine sleeps; ms. */
  constructor(
    private readonly beat: Beat,
    private readonly clock: () => number = Date.now,
  ) {
    this.tickedAt = clock();
  }

  start(): void {
    setInterval(() => this.tick(), tickMs);
    document.addEventListener("visibilitychange", () => this.tick());
    window.addEventListener("online", () => this.beat.doubt());
  }

  heard(): void {
    this.heardAt = this.clock();
    this.dueAt = 0;
  }

  expect(withinMs: number): void {
    this.dueAt = this.clock() + withinMs;
  }

  tick(): void {
    if (!this.beat.isSeen()) return;
    const now = this.clock();
    const wasAway = Math.abs(now - this.tickedAt) > silenceMs; // hidden, asleep, or the clock was set
    this.tickedAt = now;
    if (wasAway) this.beat.doubt();
    else if (this.dueAt > 0) this.checkDue(now);
    else if (now - this.heardAt > silenceMs) this.beat.silent();
  }

  private checkDue(now: number): void {
    if (now <= this.dueAt) return;
    this.dueAt = 0;
    this.beat.dead();
  }
}

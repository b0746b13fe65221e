// The read-out and the texts of the views are redrawn after the picture that an edit asks for, not before it: a redraw of
// the page between input and picture costs the picture 10 ms where the browser has no GPU. Crosshair arms do not wait, and
// nothing that takes input does.

const longestWaitMs = 50; // for an edit that changes no picture

export class AfterPicture {
  private readonly jobs = new Set<() => void>();
  private timer = 0;

  /** A picture is on its way. */
  expect(): void {
    if (this.timer === 0) this.timer = window.setTimeout(() => this.release(), longestWaitMs);
  }

  /** Runs `job` now, or once after the picture; the same function is kept only once. */
  run(job: () => void): void {
    if (this.timer === 0) job();
    else this.jobs.add(job);
  }

  /** The picture is drawn. */
  release(): void {
    window.clearTimeout(this.timer);
    this.timer = 0;
    const jobs = [...this.jobs];
    this.jobs.clear();
    for (const job of jobs) job();
  }
}

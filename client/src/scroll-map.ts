// Scrolling over more pixels than an element may be high (Chromium ends at 33 million, Firefox at 17).
//
// Small steps move the rows by as much as the fingers; a drag of the scroll bar jumps in proportion. In between the two
// drift apart by the ratio of the heights: `settle` brings the scroll bar to where the rows are.

const highest = 8_000_000; // px

export class ScrollMap {
  top = 0; // px of the first line in sight, of all lines
  private all = 0;
  private sight = 1;
  private shown = 0; // scrollTop as it was last seen

  /** Height of the element that is scrolled over. */
  get height(): number {
    return Math.min(this.all, highest);
  }

  private get mostTop(): number {
    return Math.max(0, this.all - this.sight);
  }

  private get mostShown(): number {
    return Math.max(0, this.height - this.sight);
  }

  /** What `top` in all lines is on the element, so that it is seen where it belongs. */
  place(px: number): number {
    return this.shown + px - this.top;
  }

  resize(all: number, sight: number): void {
    this.all = all;
    this.sight = Math.max(1, sight);
    this.top = Math.min(this.top, this.mostTop);
  }

  /** The user scrolled to `scrollTop`. */
  scrolled(scrollTop: number): void {
    const by = scrollTop - this.shown;
    this.shown = scrollTop;
    const ratio = this.mostShown > 0 ? this.mostTop / this.mostShown : 1;
    const isExact = ratio === 1 || scrollTop <= 0 || scrollTop >= this.mostShown - 1;
    if (isExact || Math.abs(by) > 2 * this.sight) this.top = Math.round(scrollTop * ratio);
    else this.top += by;
    this.top = Math.min(this.mostTop, Math.max(0, this.top));
  }

  /** Goes to `top`; returns the scrollTop that shows it. */
  goTo(top: number): number {
    this.top = Math.min(this.mostTop, Math.max(0, Math.round(top)));
    return this.settle();
  }

  /** The scrollTop at which the scroll bar stands right. */
  settle(): number {
    const ratio = this.mostTop > 0 ? this.mostShown / this.mostTop : 1;
    let shown = Math.round(this.top * ratio);
    if (ratio < 1 && this.top > 0 && this.top < this.mostTop) shown = Math.min(this.mostShown - 2, Math.max(1, shown));
    this.shown = shown;
    return shown;
  }
}

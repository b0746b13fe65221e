// Which viewports are seen, how large, and which one is under the hand; told to the server once an animation frame.

export interface Size {
  width: number;
  height: number;
}

export const largestViewport = 4096; // of a side, device pixels

export class ViewportSizes {
  focus = "";
  private readonly sizes = new Map<string, Size>();
  private sent = "";
  private queued = false;

  /** `names`: of the views of the scene. `send`: false if the server does not hear it now. */
  constructor(
    private readonly names: () => string[],
    private readonly send: (message: object) => boolean,
  ) {
    document.addEventListener("visibilitychange", () => this.queue());
  }

  get(view: string): Size | undefined {
    return this.sizes.get(view);
  }

  /** The size of a visible viewport in device pixels, no side above largestViewport; null when it is hidden. */
  set(view: string, size: Size | null): void {
    if (size === null) this.sizes.delete(view);
    else this.sizes.set(view, size);
    this.queue();
  }

  setFocus(view: string): void {
    if (this.focus === view) return;
    this.focus = view;
    this.queue();
  }

  /** The server has heard nothing yet. */
  restart(): void {
    this.sent = "";
    this.queue();
  }

  queue(): void {
    if (document.hidden) {
      this.tell(); // there are no animation frames now
      return;
    }
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.tell();
    });
  }

  private tell(): void {
    const views: Record<string, Size> = {};
    for (const name of document.hidden ? [] : this.names()) {
      const size = this.sizes.get(name);
      if (!size || size.width < 1 || size.height < 1) continue;
      views[name] = size;
    }
    const message = { type: "viewports", views, ...(views[this.focus] ? { focus: this.focus } : {}) };
    const text = JSON.stringify(message);
    if (text !== this.sent && this.send(message)) this.sent = text;
  }
}

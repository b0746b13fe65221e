// What the page has to say in passing: each text once, for a while, the last few of them.

export interface Toast {
  id: number;
  kind: "error" | "note";
  text: string;
  cause: string; // it goes when its cause is settled: "open", or the id of a layer
  timer: number;
}

const toastsKept = 3;
const toastMs = { error: 9_000, note: 4_000 };

export class ToastList {
  readonly shown: Toast[] = [];
  private ids = 0;

  constructor(private readonly changed: () => void) {}

  /** An equal one that is there stays on for longer. */
  add(kind: Toast["kind"], text: string, cause = ""): void {
    let toast = this.shown.find((other) => other.text === text);
    if (toast) {
      window.clearTimeout(toast.timer);
    } else {
      toast = { id: ++this.ids, kind, text, cause, timer: 0 };
      this.shown.push(toast);
      if (this.shown.length > toastsKept) this.shown.shift();
      this.changed();
    }
    this.dismissLater(toast);
  }

  /** What was said while nobody looked is still there when somebody does. */
  private dismissLater(toast: Toast): void {
    toast.timer = window.setTimeout(() => {
      if (document.hidden) this.dismissLater(toast);
      else this.dismiss(toast.id);
    }, toastMs[toast.kind]);
  }

  /** What was said of a cause is no longer true. */
  settle(cause: string): void {
    for (const toast of this.shown.filter((other) => other.cause === cause)) this.dismiss(toast.id);
  }

  dismiss(id: number): void {
    const index = this.shown.findIndex((toast) => toast.id === id);
    if (index < 0) return;
    this.shown.splice(index, 1);
    this.changed();
  }
}

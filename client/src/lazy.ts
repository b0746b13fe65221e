// A part of the page whose code comes when it is first needed, so that the viewer starts soon.
import { html, nothing, type TemplateResult } from "lit";

let style: Promise<void> | null = null;

/** The look of all such parts: one file, fetched once. */
function loadStyle(): Promise<void> {
  style ??= new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = "later.css";
    link.onload = () => resolve();
    link.onerror = reject;
    document.head.append(link);
  });
  return style;
}

type State = "none" | "coming" | "there" | "failed";

export class Lazy {
  private state: State = "none";

  constructor(
    private readonly fetchCode: () => Promise<unknown>,
    private readonly changed: () => void,
  ) {}

  load(): void {
    if (this.state === "coming" || this.state === "there") return;
    this.state = "coming";
    Promise.all([this.fetchCode(), loadStyle()]).then(
      () => this.become("there"),
      () => this.become("failed"),
    );
  }

  /** What is asked for once its code is there. */
  when(wanted: boolean, render: () => TemplateResult): TemplateResult | typeof nothing {
    if (!wanted) return nothing;
    if (this.state === "none") this.load();
    if (this.state === "there") return render();
    if (this.state !== "failed") return nothing;
    return html`<p class="lazy-failed error" role="alert">
      A part of the page could not be loaded. <button @click=${() => location.reload()}>Load the page again</button>
    </p>`;
  }

  private become(state: State): void {
    this.state = state;
    this.changed();
  }
}

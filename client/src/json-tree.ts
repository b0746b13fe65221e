// JSON as a tree that folds. What is folded is not in the page; long lists come in portions.
import { LitElement, html, nothing, type TemplateResult } from "lit";

const portion = 200; // entries of one list shown at a time
const openDepth = 2; // unfolded at first
const longestText = 5_000;

type Path = string;

export class JsonTree extends LitElement {
  static override properties = { value: { attribute: false } };
  declare value: unknown;
  private readonly toggled = new Map<Path, boolean>();
  private readonly portions = new Map<Path, number>();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render() {
    return html`<div class="json">${this.renderValue(this.value, "", "", 0)}</div>`;
  }

  private renderValue(value: unknown, key: string, path: Path, depth: number): TemplateResult {
    const name = key === "" ? nothing : html`<span class="json-key">${key}</span>: `;
    if (typeof value !== "object" || value === null) return html`<div class="json-leaf">${name}${leaf(value)}</div>`;
    const entries = Array.isArray(value) ? value.map((v, i) => [String(i), v] as const) : Object.entries(value);
    const brackets = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
    const open = this.toggled.get(path) ?? depth < openDepth;
    return html`<details
      ?open=${open}
      @toggle=${(event: Event) => {
        event.stopPropagation();
        const now = (event.currentTarget as HTMLDetailsElement).open;
        if (now === (this.toggled.get(path) ?? depth < openDepth)) return;
        this.toggled.set(path, now);
        this.requestUpdate();
      }}
    >
      <summary>${name}<span class="muted">${brackets}</span></summary>
      ${open ? this.renderEntries(entries, path, depth) : nothing}
    </details>`;
  }

  private renderEntries(entries: (readonly [string, unknown])[], path: Path, depth: number) {
    const shown = this.portions.get(path) ?? portion;
    const more = entries.length - shown;
    return html`${entries.slice(0, shown).map(([key, value]) => this.renderValue(value, key, `${path}/${key}`, depth + 1))}
    ${more > 0
      ? html`<button class="small" @click=${() => this.showMore(path, shown)}>${Math.min(more, portion)} more of ${more}</button>`
      : nothing}`;
  }

  private showMore(path: Path, shown: number): void {
    this.portions.set(path, shown + portion);
    this.requestUpdate();
  }
}

function leaf(value: unknown): TemplateResult {
  const kind = value === null ? "null" : typeof value;
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, longestText)) : String(value);
  return html`<span class="json-${kind}">${text}</span>`;
}

customElements.define("nora-json", JsonTree);

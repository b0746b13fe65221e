// The dialogs of the table: tags of many rows, and which columns are shown.
import { LitElement, html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { textOf } from "./api.ts";
import { columnOf } from "./columns.ts";
import type { Level } from "./rows.ts";
import { tagCounts } from "./table-model.ts";

abstract class Dialog extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    this.querySelector("dialog")?.showModal();
    this.querySelector<HTMLElement>("input")?.focus();
  }

  protected close(detail: unknown = null): void {
    this.dispatchEvent(new CustomEvent("done", { detail }));
  }

  protected frame(title: string, body: unknown, action: string, act: () => void, more: unknown = nothing) {
    return html`<dialog class="dialog" aria-label=${title} @close=${() => this.close()} @keydown=${(event: Event) => event.stopPropagation()}>
      <form
        @submit=${(event: Event) => {
          event.preventDefault();
          act();
        }}
      >
        <header><h2>${title}</h2></header>
        ${body}
        <footer>${more}<span class="spring"></span><button type="button" @click=${() => this.close()}>Cancel</button><button class="primary">${action}</button></footer>
      </form>
    </dialog>`;
  }
}

const longestTag = 190;
const suggested = 24;

export class TagDialog extends Dialog {
  static override properties = { level: {}, project: {}, count: {}, tags: { attribute: false } };
  declare level: Level;
  declare project: number;
  declare count: number;
  declare tags: string[]; // that some of the rows have
  private known: [string, number][] = [];
  private readonly fresh = new Set<string>();
  private readonly gone = new Set<string>();
  private typed = "";
  private trouble = "";

  override connectedCallback(): void {
    super.connectedCallback();
    tagCounts(this.level, this.project).then(
      (counts) => this.become(() => (this.known = counts)),
      (error: unknown) => this.become(() => (this.trouble = textOf(error))),
    );
  }

  protected override render() {
    const start = this.typed.trim().toLowerCase();
    const offered = this.known.filter(([tag]) => !this.fresh.has(tag) && tag.toLowerCase().includes(start)).slice(0, suggested);
    const body = html`<label>
        Add
        <input
          type="text"
          autocomplete="off"
          placeholder="A tag; Enter or a comma ends it"
          maxlength=${longestTag}
          .value=${live(this.typed)}
          @input=${(event: InputEvent) => this.type((event.target as HTMLInputElement).value)}
          @keydown=${this.key}
        />
      </label>
      <div class="chips" aria-label="To be added">${[...this.fresh].map((tag) => this.chip(`+ ${tag}`, true, () => this.fresh.delete(tag)))}</div>
      <div class="chips muted" aria-label="Tags that are used">
        ${offered.map(([tag, count]) => this.chip(`${tag} ${count}`, false, () => this.put(tag)))}
      </div>
      ${this.tags.length > 0
        ? html`<p>Remove</p>
            <div class="chips">
              ${this.tags.map((tag) =>
                this.chip(`− ${tag}`, this.gone.has(tag), () => (this.gone.has(tag) ? this.gone.delete(tag) : this.gone.add(tag))),
              )}
            </div>`
        : nothing}
      <p class="error" role="alert">${this.trouble}</p>`;
    const rows = this.count === 1 ? "1 row" : `${this.count.toLocaleString("en")} rows`;
    return this.frame(`Tags of ${rows}`, body, "Apply", () => this.apply());
  }

  private chip(text: string, on: boolean, act: () => void) {
    return html`<button type="button" class="chip" aria-pressed=${on} @click=${() => this.become(act)}>${text}</button>`;
  }

  private type(text: string): void {
    const parts = text.split(",");
    this.become(() => {
      const rest = parts.pop() ?? "";
      for (const part of parts) this.put(part);
      this.typed = rest;
    });
  }

  private put(tag: string): void {
    if (tag.trim() === "") return;
    this.fresh.add(tag.trim());
    this.gone.delete(tag.trim());
    this.typed = "";
  }

  private key(event: KeyboardEvent): void {
    if (event.key !== "Enter" || this.typed.trim() === "") return;
    event.preventDefault();
    this.become(() => this.put(this.typed));
  }

  private apply(): void {
    this.put(this.typed);
    this.close(this.fresh.size + this.gone.size > 0 ? { add: [...this.fresh], remove: [...this.gone] } : null);
  }

  private become(change: () => unknown): void {
    change();
    this.requestUpdate();
  }
}

export class ColumnDialog extends Dialog {
  static override properties = { offered: { attribute: false }, metaKeys: { attribute: false }, chosen: { attribute: false } };
  declare offered: string[];
  declare metaKeys: string[];
  declare chosen: string[]; // without the name
  private keys: string[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    this.keys = [...this.chosen];
  }

  protected override render() {
    const meta = [...new Set([...this.metaKeys.map((key) => `meta.${key}`), ...this.keys.filter((key) => key.startsWith("meta."))])];
    const body = html`<p class="muted">Drag the edge of a column's head to make it wider.</p>
      <ol class="chosen-columns">
        ${this.keys.map(
          (key, at) =>
            html`<li>
              <span>${columnOf(key).title}</span>
              <button type="button" class="icon" aria-label="${columnOf(key).title}: further left" ?disabled=${at === 0} @click=${() => this.move(at)}>▴</button>
              <button type="button" class="icon" aria-label="${columnOf(key).title}: take out" @click=${() => this.flip(key)}>✕</button>
            </li>`,
        )}
      </ol>
      <p>Fields</p>
      <div class="chips">${this.offered.filter((key) => !this.keys.includes(key)).map((key) => this.chip(key))}</div>
      <p>Metadata</p>
      <div class="chips">${meta.filter((key) => !this.keys.includes(key)).map((key) => this.chip(key))}</div>
      <label>Another key <input type="text" name="key" placeholder="scan.tr; Enter adds it" autocomplete="off" spellcheck="false" @keydown=${this.key} /></label>`;
    const usual = html`<button type="button" @click=${() => this.close({ keys: null })}>As usual</button>`;
    return this.frame("Columns", body, "Show", () => this.close({ keys: this.keys }), usual);
  }

  private chip(key: string) {
    return html`<button type="button" class="chip" @click=${() => this.flip(key)}>+ ${columnOf(key).title}</button>`;
  }

  private flip(key: string): void {
    this.keys = this.keys.includes(key) ? this.keys.filter((each) => each !== key) : [...this.keys, key];
    this.requestUpdate();
  }

  private move(at: number): void {
    const [key] = this.keys.splice(at, 1);
    this.keys.splice(at - 1, 0, key!);
    this.requestUpdate();
  }

  private key(event: KeyboardEvent): void {
    const input = event.target as HTMLInputElement;
    if (event.key !== "Enter" || input.value.trim() === "") return;
    event.preventDefault();
    const key = `meta.${input.value.trim().replace(/^meta\./, "")}`;
    if (!this.keys.includes(key)) this.flip(key);
    input.value = "";
  }
}

customElements.define("nora-tag-dialog", TagDialog);
customElements.define("nora-column-dialog", ColumnDialog);

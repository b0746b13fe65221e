// The search field of the table: the search language (docs/SEARCH.md), the place of a fault underlined, saved searches.
import { LitElement, html, nothing } from "lit";
import { getJson, queryOf, request, sendJson, textOf, type List } from "./api.ts";

interface SavedFilter {
  id: number;
  name: string;
  query: string;
}

const restMs = 160; // after a key, before it is searched for

const examples: [string, string][] = [
  ["t1w", "in names and paths; *.nii.gz, sub-0?"],
  ["modality:MR date:2024-01..2024-06", "both; from January to June"],
  ["tag:checked & !tag:exclude", "checked, and not excluded"],
  ["meta.age>60 (meta.group=patient | tag:case)", "a value of the metadata; either"],
  ["has:meta.age size:>100M dim:4", "that have an age, are large, have time"],
];

export class TableSearch extends LitElement {
  static override properties = { failure: { attribute: false }, project: { attribute: false }, query: { attribute: false } };
  declare failure: { text: string; column: number } | null;
  declare project: number;
  declare query: string; // as it is searched for
  private typed = "";
  private timer = 0;
  private open = false;
  private saved: SavedFilter[] | null = null;
  private trouble = "";

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("query")) this.typed = this.query;
  }

  protected override render() {
    return html`<div class="search-field" @focusout=${this.focusLeft}>
      <div class="search-box">
        <input
          type="search"
          placeholder="Search"
          aria-label="Search the archive"
          aria-invalid=${this.failure !== null}
          aria-describedby="search-failure"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          .value=${this.typed}
          @input=${(event: InputEvent) => this.type((event.target as HTMLInputElement).value)}
          @keydown=${this.key}
          @scroll=${this.follow}
        />
        ${this.renderMark()}
      </div>
      <button class="icon" aria-label="Saved searches and how to search" aria-expanded=${this.open} title="Saved searches, how to search" @click=${() => this.toggle()}>
        ▾
      </button>
      ${this.open ? this.renderMenu() : nothing}
      <p id="search-failure" class="search-failure error" role="status">${this.failure?.text ?? nothing}</p>
    </div>`;
  }

  /** Lies under the text of the field, letter by letter, and underlines where the fault is. */
  private renderMark() {
    const column = this.failure?.column ?? 0;
    if (column === 0) return nothing;
    const letters = [...this.typed];
    const [before, at] = [letters.slice(0, column - 1).join(""), letters.slice(column - 1).join("") || " "];
    return html`<div class="search-mark" aria-hidden="true"><span>${before}</span><u>${at}</u></div>`;
  }

  private renderMenu() {
    return html`<div class="menu right search-menu">
      ${this.saved === null && this.trouble === "" ? html`<p class="muted">loading …</p>` : nothing}
      ${this.trouble !== "" ? html`<p class="error" role="alert">${this.trouble}</p>` : nothing}
      ${(this.saved ?? []).map(
        (filter) =>
          html`<div class="menu-line">
            <button title=${filter.query} @click=${() => this.choose(filter.query)}>${filter.name}</button>
            <button class="icon" aria-label="Forget ${filter.name}" title="Forget" @click=${() => void this.forget(filter)}>✕</button>
          </div>`,
      )}
      ${this.query.trim() !== ""
        ? html`<form class="menu-line" @submit=${(event: SubmitEvent) => void this.save(event)}>
            <input type="text" name="name" placeholder="Name for this search" aria-label="Name for this search" required maxlength="190" /><button>Save</button>
          </form>`
        : nothing}
      <hr />
      <dl class="search-help">
        ${examples.map(
          ([example, does]) =>
            html`<dt><button class="link" @click=${() => this.choose(example)}>${example}</button></dt>
              <dd>${does}</dd>`,
        )}
      </dl>
      <p class="muted">
        Fields: name path project subject study tag kind format modality sequence state date added changed size dim spacing meta. has:
      </p>
    </div>`;
  }

  override focus(): void {
    this.querySelector<HTMLInputElement>("input[type=search]")?.focus();
  }

  private type(text: string): void {
    this.typed = text;
    this.requestUpdate();
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.search(), restMs);
  }

  private search(): void {
    clearTimeout(this.timer);
    if (this.typed !== this.query) this.dispatchEvent(new CustomEvent("search", { detail: this.typed }));
  }

  private choose(query: string): void {
    this.typed = query;
    this.open = false;
    this.search();
    this.requestUpdate();
    this.focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Enter") this.search();
    else if (event.key === "ArrowDown") this.dispatchEvent(new CustomEvent("leave"));
    else if (event.key === "Escape" && this.typed !== "") this.choose("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private follow(event: Event): void {
    const mark = this.querySelector<HTMLElement>(".search-mark");
    if (mark) mark.scrollLeft = (event.target as HTMLInputElement).scrollLeft;
  }

  private toggle(): void {
    this.open = !this.open;
    this.requestUpdate();
    if (this.open) void this.load();
  }

  private focusLeft(event: FocusEvent): void {
    if (!this.open || !(event.relatedTarget instanceof Node) || this.contains(event.relatedTarget)) return;
    this.open = false;
    this.requestUpdate();
  }

  private async load(): Promise<void> {
    await this.attempt(async () => {
      this.saved = (await getJson<List<SavedFilter>>(`filters${queryOf({ project: this.project })}`)).items;
    });
  }

  private async save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const name = String(new FormData(event.target as HTMLFormElement).get("name"));
    await this.attempt(async () => {
      await sendJson("POST", "filters", { name, query: this.query, ...(this.project ? { projectId: this.project } : {}) });
      await this.load();
    });
  }

  private async forget(filter: SavedFilter): Promise<void> {
    await this.attempt(async () => {
      await request("DELETE", `filters/${filter.id}`);
      await this.load();
    });
  }

  private async attempt(job: () => Promise<void>): Promise<void> {
    try {
      this.trouble = "";
      await job();
    } catch (error) {
      this.trouble = textOf(error);
    }
    this.requestUpdate();
  }
}

customElements.define("nora-search", TableSearch);

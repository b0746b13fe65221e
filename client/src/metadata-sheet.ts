// The metadata of one item: a text to edit, checked as it is typed; what others changed meanwhile; the history.
import { html, nothing } from "lit";
import { getJson, Problem, request, textOf, type List } from "./api.ts";
import { timeOf } from "./account-words.ts";
import { PageElement } from "./base-element.ts";
import { checkMeta, type Fault } from "./json-check.ts";
import { differences, sameJson } from "./json-diff.ts";
import type { Meta } from "./rows.ts";
import type { Topic } from "./session.ts";

interface Change {
  at: string;
  user: string;
  before: Meta;
  after: Meta;
}

interface Version {
  text: string;
  etag: string;
}

const shownChanges = 50;
const longestValue = 300;

const objectOf = (value: unknown): Meta => (typeof value === "string" ? (JSON.parse(value) as Meta) : ((value ?? {}) as Meta));
const textOfMeta = (meta: unknown): string => JSON.stringify(meta, null, 2);
const short = (value: unknown): string => {
  const text = JSON.stringify(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)} …` : text;
};

function renderDifferences(before: unknown, after: unknown) {
  const all = differences(before, after);
  return html`<ul class="meta-diff">
    ${all.slice(0, shownChanges).map(
      (each) =>
        html`<li>
          ${each.path === "" ? "all" : each.path}:
          ${each.before === undefined ? nothing : html`<del>− ${short(each.before)}</del>`}
          ${each.after === undefined ? nothing : html`<ins>+ ${short(each.after)}</ins>`}
        </li>`,
    )}
    ${all.length > shownChanges ? html`<li>and ${all.length - shownChanges} more</li>` : nothing}
    ${all.length === 0 ? html`<li>nothing</li>` : nothing}
  </ul>`;
}

export class MetadataSheet extends PageElement {
  private saved: Version | null = null;
  private text = "";
  private fault: Fault | null = null;
  private theirs: Version | null = null; // what somebody else made of it meanwhile
  private history: Change[] | null = null;
  private trouble = "";
  private busy = false;
  private page: "text" | "history" = "text";

  protected topics(): Topic[] {
    return ["archive"];
  }

  private get path(): string {
    const item = this.ui.metaOf!;
    return `${item.level}/${item.id}`;
  }

  private get changed(): boolean {
    return this.saved !== null && this.text !== this.saved.text;
  }

  private get mayEdit(): boolean {
    return this.session.archive.may("edit", this.ui.metaOf?.projectId ?? 0);
  }

  protected override render() {
    const item = this.ui.metaOf;
    if (!item) return nothing;
    const kind = { subjects: "Subject", studies: "Study", files: "File" }[item.level];
    return html`<dialog class="dialog broad" aria-label="Metadata of ${item.name}" @cancel=${this.cancel} @close=${() => this.ui.update({ metaOf: null })} @keydown=${this.key}>
      <div class="dialog-body">
        <header>
          <h2 title=${item.path ?? item.name}>${kind} ${item.name}</h2>
          <span class="spring"></span>
          <div class="tabs" role="tablist" aria-label="Metadata">
            ${(["text", "history"] as const).map((page) => html`<button role="tab" aria-selected=${this.page === page} @click=${() => this.show(page)}>${page === "text" ? "Metadata" : "History"}</button>`)}
          </div>
          <button class="icon" aria-label="Close" @click=${() => this.leave()}>✕</button>
        </header>
        ${this.page === "text" ? this.renderText() : this.renderHistory()}
        ${this.trouble === "" ? nothing : html`<p class="error" role="alert">${this.trouble}</p>`}
      </div>
    </dialog>`;
  }

  protected override firstUpdated(): void {
    this.querySelector("dialog")?.showModal();
    void this.attempt(async () => {
      this.take(await this.fetchVersion());
      await this.updateComplete;
      this.querySelector("textarea")?.focus();
    });
  }

  private renderText() {
    if (!this.saved) return html`<p class="muted" role="status">loading …</p>`;
    return html`${this.theirs ? this.renderConflict(this.theirs) : nothing}
      <textarea
        class="meta-text"
        aria-label="Metadata as JSON"
        aria-invalid=${this.fault !== null}
        aria-describedby="meta-state"
        spellcheck="false"
        autocomplete="off"
        rows="16"
        ?readonly=${!this.mayEdit}
        .value=${this.text}
        @input=${(event: InputEvent) => this.type((event.target as HTMLTextAreaElement).value)}
      ></textarea>
      <div class="meta-state" id="meta-state" role="status">
        ${this.fault
          ? html`<span class="error">line ${this.fault.line}, column ${this.fault.column}: ${this.fault.text}</span
              ><button @click=${() => this.goToFault()}>Go there</button>`
          : html`<span class="muted">${this.mayEdit ? (this.changed ? "Changed. Ctrl+S saves." : "As it is saved.") : "You may look at it, but not change it."}</span>`}
      </div>
      <footer>
        <button ?disabled=${this.fault !== null} title="Indent and break the lines anew" @click=${() => this.type(textOfMeta(JSON.parse(this.text)))}>Tidy</button>
        <span class="spring"></span>
        <button ?disabled=${!this.changed} @click=${() => this.type(this.saved!.text)}>Undo changes</button>
        <button class="primary" ?disabled=${!this.changed || this.fault !== null || this.busy || !this.mayEdit} @click=${() => void this.save(this.text)}>Save</button>
      </footer>`;
  }

  /** Both versions, and what each differs by from where this one began. */
  private renderConflict(theirs: Version) {
    const began = JSON.parse(this.saved!.text) as unknown;
    return html`<section class="conflict" role="alert" aria-label="Changed by somebody else">
      <p><b>Somebody else has changed it in the meantime.</b> Nothing is lost: choose which one stays.</p>
      <div class="both">
        <div><p>Theirs</p>${renderDifferences(began, JSON.parse(theirs.text))}<pre tabindex="0">${theirs.text}</pre></div>
        <div><p>Yours</p>${renderDifferences(began, this.fault ? began : JSON.parse(this.text))}<pre tabindex="0">${this.text}</pre></div>
      </div>
      <div>
        <button @click=${() => this.take(theirs)}>Take theirs</button>
        <button ?disabled=${this.fault !== null} @click=${() => void this.save(this.text, theirs.etag)}>Save mine over it</button>
      </div>
    </section>`;
  }

  private renderHistory() {
    const { history } = this;
    if (history === null) return html`<p class="muted" role="status">loading …</p>`;
    if (history.length === 0) return html`<p class="muted">Nobody has changed it yet.</p>`;
    return history.map(
      (change, i) =>
        html`<section class="change">
          <header>
            <b>${timeOf(change.at)}</b> <span>${change.user}</span><span class="spring"></span>
            ${this.mayEdit
              ? html`<button ?disabled=${this.busy} title="As it was before this change" @click=${() => void this.goBack(change.before)}>${i === 0 ? "Undo" : "Back to before this"}</button>`
              : nothing}
          </header>
          ${renderDifferences(change.before, change.after)}
        </section>`,
    );
  }

  private async fetchVersion(): Promise<Version> {
    const answer = await request("GET", `${this.path}/meta`);
    return { text: textOfMeta(await answer.json()), etag: answer.headers.get("etag") ?? "" };
  }

  private take(version: Version): void {
    this.saved = version;
    this.theirs = null;
    this.type(version.text);
  }

  private type(text: string): void {
    this.text = text;
    this.fault = checkMeta(text);
    this.requestUpdate();
  }

  private goToFault(): void {
    const area = this.querySelector("textarea")!;
    area.focus();
    area.setSelectionRange(this.fault!.at, Math.min(this.text.length, this.fault!.at + 1));
    const lines = this.text.split("\n").length;
    area.scrollTop = (area.scrollHeight * (this.fault!.line - 4)) / Math.max(1, lines);
  }

  private async save(text: string, etag = this.saved!.etag): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    const isSaved = await this.attempt(async () => {
      try {
        await request("PUT", `${this.path}/meta`, {
          body: new Blob([text], { type: "application/json" }),
          headers: { "If-Match": etag, "Content-Type": "application/json" },
        });
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 412) throw error;
        this.theirs = await this.fetchVersion();
        if (sameJson(JSON.parse(this.theirs.text), JSON.parse(text))) return this.take(this.theirs); // both did the same
        return;
      }
      this.take(await this.fetchVersion());
      this.history = null;
    });
    this.busy = false;
    this.requestUpdate();
    return isSaved && this.theirs === null;
  }

  private async goBack(to: Meta): Promise<void> {
    this.type(textOfMeta(to));
    const isDone = await this.save(this.text);
    if (isDone) this.session.toast("note", "The metadata are as they were before.", "meta");
    this.show(isDone ? "history" : "text");
  }

  private show(page: "text" | "history"): void {
    this.page = page;
    this.requestUpdate();
    if (page !== "history" || this.history !== null) return;
    void this.attempt(async () => {
      const { items } = await getJson<List<Change>>(`${this.path}/history`);
      this.history = items.map((each) => ({ ...each, before: objectOf(each.before), after: objectOf(each.after) }));
    });
  }

  private async attempt(job: () => Promise<void>): Promise<boolean> {
    this.trouble = "";
    try {
      await job();
      return true;
    } catch (error) {
      this.trouble = textOf(error);
      return false;
    } finally {
      this.requestUpdate();
    }
  }

  private key(event: KeyboardEvent): void {
    event.stopPropagation();
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    if (this.changed && !this.fault && this.mayEdit) void this.save(this.text);
  }

  private cancel(event: Event): void {
    event.preventDefault();
    this.leave();
  }

  private leave(): void {
    if (this.changed && this.mayEdit && !window.confirm("What you changed is not saved. Leave it?")) return;
    this.ui.update({ metaOf: null });
  }
}

customElements.define("nora-metadata", MetadataSheet);

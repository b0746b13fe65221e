// What the pages of the administration share: asking, saying what went wrong, plain tables.
import { html, nothing, type TemplateResult } from "lit";
import { textOf } from "./api.ts";
import { PageElement } from "./base-element.ts";
import type { Topic } from "./session.ts";

export abstract class AdminPart extends PageElement {
  protected trouble = "";
  protected busy = false;

  protected topics(): Topic[] {
    return ["archive"];
  }

  protected abstract load(): Promise<void>;
  protected abstract renderPart(): TemplateResult;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.attempt(() => this.load());
  }

  protected override render() {
    return html`${this.trouble === "" ? nothing : html`<p class="error" role="alert">${this.trouble}</p>`} ${this.renderPart()}`;
  }

  /** Does something, and loads the list anew if `reload`. False if it failed, which is then said. */
  protected async attempt(job: () => Promise<unknown>, reload = false): Promise<boolean> {
    this.trouble = "";
    this.busy = true;
    this.requestUpdate();
    try {
      await job();
      if (reload) await this.load();
      return true;
    } catch (error) {
      this.trouble = textOf(error);
      return false;
    } finally {
      this.busy = false;
      this.requestUpdate();
    }
  }

  /** After the user has agreed. */
  protected async ask(question: string, job: () => Promise<unknown>): Promise<void> {
    if (window.confirm(question)) await this.attempt(job, true);
  }

  /** Sends what is in a form; empties it once that has been taken. */
  protected async submit(event: SubmitEvent, job: (form: FormData) => Promise<unknown>): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    if (await this.attempt(() => job(new FormData(form)), true)) form.reset();
  }

  protected table<T>(label: string, items: T[] | null, heads: string[], cells: (item: T) => unknown) {
    if (items === null) return this.trouble === "" ? html`<p class="muted" role="status">loading …</p>` : html``;
    if (items.length === 0) return html`<p class="muted">There are none.</p>`;
    return html`<div class="table-place">
      <table class="plain" aria-label=${label}>
        <thead>
          <tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr>
        </thead>
        <tbody>${items.map((item) => html`<tr>${cells(item)}</tr>`)}</tbody>
      </table>
    </div>`;
  }
}

// The user's own account: password, access tokens, and where they are logged in.
import { html, nothing } from "lit";
import { getJson, request, sendJson, textOf, type List } from "./api.ts";
import { PageElement } from "./base-element.ts";
import { dayOf, rights, rightTexts, timeOf } from "./account-words.ts";
import type { Topic } from "./session.ts";

interface Token {
  id: number;
  name: string;
  rights: string[];
  projectId?: number | null;
  created: string;
  expires: string;
  used: string | null;
}

interface WebSession {
  id: number;
  address: string;
  created: string;
  seen: string;
  current?: boolean;
}

const tokenDays = [7, 30, 90, 365];
const dayMs = 86_400_000;
const titles = { password: "Change password", tokens: "Access tokens", sessions: "Where I am logged in" };

export class AccountDialog extends PageElement {
  private tokens: Token[] | null = null;
  private sessions: WebSession[] | null = null;
  private secret = ""; // of the token that was made just now: it is told once
  private trouble = "";

  protected topics(): Topic[] {
    return ["ui"];
  }

  protected override render() {
    const page = this.ui.accountPage;
    if (!page) return nothing;
    const bodies = { password: () => this.renderPassword(), tokens: () => this.renderTokens(), sessions: () => this.renderSessions() };
    return html`<dialog class="dialog ${page === "password" ? "" : "broad"}" aria-label=${titles[page]} @close=${() => this.close()} @keydown=${(event: Event) => event.stopPropagation()}>
      <div class="dialog-body">
        <header><h2>${titles[page]}</h2><span class="spring"></span><button class="icon" aria-label="Close" @click=${() => this.close()}>✕</button></header>
        ${bodies[page]()}
        <p class="error" role="alert">${this.trouble}</p>
      </div>
    </dialog>`;
  }

  protected override firstUpdated(): void {
    this.querySelector("dialog")?.showModal();
    if (this.ui.accountPage === "tokens") void this.attempt(() => this.loadTokens());
    if (this.ui.accountPage === "sessions") void this.attempt(() => this.loadSessions());
  }

  private renderPassword() {
    return html`<form class="fields" @submit=${(event: SubmitEvent) => void this.changePassword(event)}>
      <label>Old password <input type="password" name="old" autocomplete="current-password" required /></label>
      <label>New password <input type="password" name="new" autocomplete="new-password" required minlength="10" /></label>
      <label>New password again <input type="password" name="again" autocomplete="new-password" required /></label>
      <p class="muted">You stay logged in here, and are logged out everywhere else.</p>
      <button class="primary">Change</button>
    </form>`;
  }

  private async changePassword(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    if (form.get("new") !== form.get("again")) return this.say("The two new passwords are not the same: type them again.");
    const isDone = await this.attempt(() => sendJson("PUT", "me/password", { old: form.get("old"), new: form.get("new") }));
    if (!isDone) return;
    this.session.toast("note", "The password is changed.", "account");
    this.close();
  }

  private renderTokens() {
    const projects = this.session.archive.projects;
    return html`<p class="muted">A token lets a program do what it says here, and never more than you may. It is told once.</p>
      ${this.secret !== ""
        ? html`<div class="secret" role="status">
            <code>${this.secret}</code> <button @click=${() => void navigator.clipboard.writeText(this.secret)}>Copy</button>
            <p>Keep it now: it is not shown again.</p>
          </div>`
        : nothing}
      ${this.renderList(
        this.tokens,
        ["What for", "May", "Project", "Expires", "Used", ""],
        (token) =>
          html`<td>${token.name}</td>
            <td>${token.rights.join(", ")}</td>
            <td>${token.projectId ? (this.session.archive.project(token.projectId)?.name ?? token.projectId) : "all"}</td>
            <td>${dayOf(token.expires)}</td>
            <td>${timeOf(token.used) || "never"}</td>
            <td><button aria-label="Take back ${token.name}" @click=${() => void this.takeBack(`me/tokens/${token.id}`, () => this.loadTokens())}>Take back</button></td>`,
      )}
      <form class="fields" @submit=${(event: SubmitEvent) => void this.makeToken(event)}>
        <label>What for <input type="text" name="name" required maxlength="190" autocomplete="off" /></label>
        <fieldset class="rights-choice">
          <legend>It may</legend>
          ${rights.map(
            (right) =>
              html`<label class="check" title=${rightTexts[right]}><input type="checkbox" name="rights" value=${right} ?checked=${right === "read"} /> ${right}</label>`,
          )}
        </fieldset>
        <label>In <select name="project"><option value="">all projects</option>${projects.map((project) => html`<option value=${project.id}>${project.name}</option>`)}</select></label>
        <label>For <select name="days">${tokenDays.map((days) => html`<option value=${days} ?selected=${days === 90}>${days} days</option>`)}</select></label>
        <button class="primary">Make a token</button>
      </form>`;
  }

  private async makeToken(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const expires = new Date(Date.now() + Number(form.get("days")) * dayMs).toISOString().replace(/\.\d+Z$/, "Z");
    const projectId = Number(form.get("project"));
    await this.attempt(async () => {
      const body = { name: form.get("name"), rights: form.getAll("rights"), expires, ...(projectId ? { projectId } : {}) };
      this.secret = (await sendJson<{ secret: string }>("POST", "me/tokens", body)).secret;
      await this.loadTokens();
    });
  }

  private renderSessions() {
    return this.renderList(
      this.sessions,
      ["Address", "Since", "Last seen", ""],
      (session) =>
        html`<td>${session.address}</td>
          <td>${timeOf(session.created)}</td>
          <td>${timeOf(session.seen)}</td>
          <td>
            ${session.current ? html`<span class="muted">here</span>` : html`<button @click=${() => void this.takeBack(`me/sessions/${session.id}`, () => this.loadSessions())}>Log out</button>`}
          </td>`,
    );
  }

  private renderList<T>(items: T[] | null, heads: string[], cells: (item: T) => unknown) {
    if (items === null) return html`<p class="muted" role="status">loading …</p>`;
    if (items.length === 0) return html`<p class="muted">There are none.</p>`;
    return html`<div class="table-place">
      <table class="plain">
        <thead>
          <tr>${heads.map((head) => html`<th>${head}</th>`)}</tr>
        </thead>
        <tbody>${items.map((item) => html`<tr>${cells(item)}</tr>`)}</tbody>
      </table>
    </div>`;
  }

  private async loadTokens(): Promise<void> {
    this.tokens = (await getJson<List<Token>>("me/tokens")).items;
  }

  private async loadSessions(): Promise<void> {
    this.sessions = (await getJson<List<WebSession>>("me/sessions")).items;
  }

  private async takeBack(path: string, load: () => Promise<void>): Promise<void> {
    await this.attempt(async () => {
      await request("DELETE", path);
      await load();
    });
  }

  private async attempt(job: () => Promise<unknown>): Promise<boolean> {
    this.say("");
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

  private say(text: string): void {
    this.trouble = text;
    this.requestUpdate();
  }

  private close(): void {
    this.ui.update({ accountPage: null });
  }
}

customElements.define("nora-account", AccountDialog);

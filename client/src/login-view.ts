// The log-in, and the set-up of the first administrator by the link that the server prints.
import { html, nothing } from "lit";
import { apiUrl, Problem, textOf } from "./api.ts";
import { PageElement } from "./base-element.ts";
import type { Topic } from "./session.ts";

const shortestPassword = 10; // characters; the server has the last word
const setupKey = "setup";

function failureText(error: unknown): string {
  if (!(error instanceof Problem)) return textOf(error);
  if (error.status === 429) {
    const seconds = error.retrySeconds;
    return `Too many failed attempts: try again in ${seconds > 90 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.max(1, seconds)} seconds`}.`;
  }
  return error.message;
}

export class LoginView extends PageElement {
  private busy = false;
  private failure = "";
  private readonly secret = new URLSearchParams(location.search).get(setupKey) ?? "";

  protected topics(): Topic[] {
    return ["account"];
  }

  protected override render() {
    const { account } = this.session;
    const { me } = account;
    return html`<main class="login" aria-label="Log-in">
      <div class="login-card">
        <h1 class="brand">nora</h1>
        ${me ? (me.setup ? this.renderSetUp() : this.renderLogIn()) : html`<p role="status">${account.failed}</p>`}
        <p class="muted small-print">nora ${me?.version ?? ""}. Not a medical device: not for diagnosis or treatment.</p>
      </div>
    </main>`;
  }

  protected override firstUpdated(): void {
    this.querySelector<HTMLInputElement>("input")?.focus();
  }

  private renderLogIn() {
    const { password, oidc, oidcName } = this.session.account.me!.logIn;
    return html`${oidc ? html`<a class="button wide" href=${apiUrl("oidc/start")}>Log in with ${oidcName || "single sign-on"}</a>` : nothing}
    ${oidc && password ? html`<p class="or muted"><span>or</span></p>` : nothing}
    ${password ? this.renderForm("Log in", "current-password", false) : nothing}
    ${!oidc && !password ? html`<p class="error">There is no way to log in: the server has none set up. Ask its administrator.</p>` : nothing}`;
  }

  private renderSetUp() {
    if (this.secret === "") {
      return html`<p><b>There is no administrator yet.</b></p>
        <p>Open the link that the server printed when it started: it ends with <code>?setup=…</code> and works once.</p>`;
    }
    return html`<p><b>Welcome.</b> Choose a name and a password for the administrator of this server.</p>
      ${this.renderForm("Make the administrator", "new-password", true)}`;
  }

  private renderForm(action: string, complete: "current-password" | "new-password", again: boolean) {
    return html`<form @submit=${(event: SubmitEvent) => this.submit(event, again)}>
      <label>Name <input type="text" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required /></label>
      <label>Password <input type="password" name="password" autocomplete=${complete} required minlength=${again ? shortestPassword : nothing} /></label>
      ${again ? html`<label>Password again <input type="password" name="again" autocomplete=${complete} required /></label>` : nothing}
      <p class="error" role="alert">${this.failure}</p>
      <button class="primary wide" ?disabled=${this.busy}>${this.busy ? html`<span class="spinner"></span>` : nothing} ${action}</button>
    </form>`;
  }

  private async submit(event: SubmitEvent, isSetUp: boolean): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const field = (name: string): string => String(new FormData(form).get(name) ?? "");
    if (isSetUp && field("password") !== field("again")) return this.tell("The two passwords are not the same: type them again.");
    this.busy = true;
    this.tell("");
    const { account } = this.session;
    try {
      if (!isSetUp) await account.logIn(field("name").trim(), field("password"));
      else {
        await account.setUp(this.secret, field("name").trim(), field("password"));
        this.forgetSecret();
      }
    } catch (error) {
      this.tell(failureText(error));
      const password = form.querySelector<HTMLInputElement>("[name=password]")!;
      password.select();
    } finally {
      this.busy = false;
      this.requestUpdate();
    }
  }

  private tell(text: string): void {
    this.failure = text;
    this.requestUpdate();
  }

  /** It must not stay in the address, nor in the history. */
  private forgetSecret(): void {
    const url = new URL(location.href);
    url.searchParams.delete(setupKey);
    history.replaceState(null, "", url);
  }
}

customElements.define("nora-login", LoginView);

// The log-in, and the set-up of the first administrator by the link that the server prints.
import { html, nothing } from "lit";
import type { LogInProvider } from "./account.ts";
import { Problem, textOf } from "./api.ts";
import { PageElement } from "./base-element.ts";
import type { Topic } from "./session.ts";

const shortestPassword = 10; // characters; the server has the last word
const setupKey = "setup";

/** What became of a log-in at a provider: the words are the server's (app/api/oidc_routes.cpp). */
const providerFailures: Record<string, string> = {
  expired: "The log-in has taken more than ten minutes, was used already, or began in another browser: try again.",
  refused: "The log-in was refused or cancelled there: try again, or take another account.",
  unavailable: "The log-in service does not answer: try again later, or log in with name and password.",
  setup: "The log-in service and this server do not fit together: tell the administrator, whose log says why.",
  failed: "The answer of the log-in service was not right: try again, and tell the administrator if it stays so.",
  name: "Another account of this server has your name already: ask the administrator, who can remove one of the two, or have one renamed where it is kept.",
  disabled: "Your account is disabled here: ask the administrator.",
  group: "You are not in the group that may use this server: ask who looks after your account.",
  limit: "Too many failed attempts: wait a little and try again.",
};

/** Where a log-in begins at a provider, to come back to what the page shows now. */
function startUrl(provider: LogInProvider): string {
  const url = new URL(provider.url);
  const here = new URL(location.href);
  here.searchParams.delete(setupKey);
  if (here.search + here.hash !== "") url.searchParams.set("return", here.search + here.hash);
  return url.href;
}

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
  private failure = ""; // of the form
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
    const { directories, providers } = this.session.account.me!.logIn;
    const { failedLogIn } = this.session.account;
    return html`${failedLogIn === "" ? nothing : html`<p class="error" role="alert">${providerFailures[failedLogIn] ?? providerFailures["failed"]}</p>`}
    ${providers.map((each) => html`<a class="button wide" href=${startUrl(each)}>Log in with ${each.title}</a>`)}
    ${providers.length > 0 ? html`<p class="or muted"><span>or</span></p>` : nothing}
    ${directories.length > 0 ? html`<p class="muted">With an account of ${directories.join(", ")} or of this server:</p>` : nothing}
    ${this.renderForm("Log in", "current-password", false)}`;
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

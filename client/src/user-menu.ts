// At the right of the toolbar: who is logged in, and what they can do about it.
import { html, nothing } from "lit";
import { timeOf } from "./account-words.ts";
import { textOf } from "./api.ts";
import { PageElement } from "./base-element.ts";
import type { Topic } from "./session.ts";
import type { AccountPage } from "./ui.ts";

export class UserMenu extends PageElement {
  private open = false;

  protected topics(): Topic[] {
    return ["account", "ui"];
  }

  protected override render() {
    const { account } = this.session;
    const { me } = account;
    if (!me) return nothing;
    if (account.isLocal) {
      return html`<span class="user muted" title="This server is for the one who started it: it listens on this machine alone and asks for no log-in"
          >local, no log-in</span
        >
        <button title="Projects, storage, state of the index" @click=${() => this.ui.update({ adminOpen: true })}>Server</button>`;
    }
    if (me.share) return html`<span class="user muted" title="Until ${timeOf(me.share.expires)}">by a link</span>`;
    if (!me.user) return html`<span class="user muted">guest</span><button @click=${() => account.wantLogIn()}>Log in</button>`;
    return html`<div class="menu-place" @focusout=${this.focusLeft} @keydown=${this.key}>
      <button aria-haspopup="menu" aria-expanded=${this.open} title="Logged in as ${me.user.name}" @click=${() => this.toggle(!this.open)}>
        ${me.user.fullName || me.user.name} <span aria-hidden="true">▾</span>
      </button>
      ${this.open ? this.renderMenu(me.user.name, me.user.email) : nothing}
    </div>`;
  }

  private renderMenu(name: string, email: string) {
    const { account } = this.session;
    return html`<div class="menu right" role="menu" aria-label="Account">
      <p class="muted">${name}${email === "" ? nothing : html`<br />${email}`}</p>
      ${account.me?.user?.origin === "local" ? this.item("Change password …", () => this.show("password")) : nothing}
      ${this.item("Access tokens …", () => this.show("tokens"))} ${this.item("Where I am logged in …", () => this.show("sessions"))}
      ${this.mayAdminister ? this.item("Administration …", () => this.ui.update({ adminOpen: true })) : nothing}
      <hr />
      ${this.item("Log out", () => void this.logOut())}
    </div>`;
  }

  private get mayAdminister(): boolean {
    const { account, archive } = this.session;
    return account.isAdministrator || archive.projects.some(({ rights }) => rights.includes("administer"));
  }

  private item(text: string, act: () => void) {
    return html`<button
      role="menuitem"
      @click=${() => {
        this.toggle(false);
        act();
      }}
    >
      ${text}
    </button>`;
  }

  private show(page: AccountPage): void {
    this.ui.update({ accountPage: page });
  }

  private async logOut(): Promise<void> {
    try {
      await this.session.account.logOut();
    } catch (error) {
      this.session.toast("error", `You are still logged in: ${textOf(error)}`, "account");
    }
  }

  private toggle(open: boolean): void {
    this.open = open;
    this.requestUpdate();
    if (open) void this.updateComplete.then(() => this.querySelector<HTMLElement>("[role=menuitem]")?.focus());
    else this.querySelector<HTMLElement>("[aria-haspopup]")?.focus();
  }

  private focusLeft(event: FocusEvent): void {
    if (!this.open || (event.relatedTarget instanceof Node && this.contains(event.relatedTarget))) return;
    this.open = false;
    this.requestUpdate();
  }

  private key(event: KeyboardEvent): void {
    if (!this.open) return;
    const items = [...this.querySelectorAll<HTMLElement>("[role=menuitem]")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape") this.toggle(false);
    else if (event.key === "ArrowDown") items[(at + 1) % items.length]?.focus();
    else if (event.key === "ArrowUp") items[(at - 1 + items.length) % items.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

customElements.define("nora-user", UserMenu);

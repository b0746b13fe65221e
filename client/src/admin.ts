// The administration, over the whole page: a part of its own for each of people, projects, audit and server.
import { html, nothing, type TemplateResult } from "lit";
import "./admin-people.ts";
import "./admin-projects.ts";
import "./admin-server.ts";
import { PageElement } from "./base-element.ts";
import type { Topic } from "./session.ts";

type Part = "users" | "groups" | "projects" | "sessions" | "audit" | "server";
const titles: Record<Part, string> = { users: "Users", groups: "Groups", projects: "Projects", sessions: "Sessions", audit: "Audit", server: "Storage and health" };

export class Administration extends PageElement {
  private page: Part | null = null;
  private opener: Element | null = null;

  protected topics(): Topic[] {
    return ["ui", "account"];
  }

  /** Those who administer a project have that; without accounts there are no people. */
  private get parts(): Part[] {
    const { account } = this.session;
    if (account.isLocal) return ["projects", "server", "audit"];
    return account.isAdministrator ? ["users", "groups", "projects", "sessions", "audit", "server"] : ["projects"];
  }

  protected override render() {
    if (!this.ui.adminOpen) return nothing;
    const parts = this.parts;
    const part = this.page && parts.includes(this.page) ? this.page : parts[0]!;
    return html`<dialog
      class="admin"
      aria-label="Administration"
      @close=${() => this.leave()}
      @keydown=${(event: Event) => event.stopPropagation()}
    >
      <header>
        <h2>Administration</h2>
        <div class="tabs" role="tablist" aria-label="Administration">
          ${parts.map((each) => html`<button role="tab" aria-selected=${each === part} @click=${() => this.show(each)}>${titles[each]}</button>`)}
        </div>
        <span class="spring"></span>
        <button class="icon" aria-label="Close" title="Close (Esc)" @click=${() => this.leave()}>✕</button>
      </header>
      <div class="admin-body" role="tabpanel" aria-label=${titles[part]}>${this.renderPart(part)}</div>
    </dialog>`;
  }

  protected override firstUpdated(): void {
    this.opener = document.activeElement;
    this.querySelector("dialog")?.showModal();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.opener instanceof HTMLElement && this.opener.isConnected) this.opener.focus();
  }

  private renderPart(part: Part): TemplateResult {
    const { ui } = this;
    switch (part) {
      case "users":
        return html`<nora-admin-users .ui=${ui}></nora-admin-users>`;
      case "groups":
        return html`<nora-admin-groups .ui=${ui}></nora-admin-groups>`;
      case "projects":
        return html`<nora-admin-projects .ui=${ui}></nora-admin-projects>`;
      case "sessions":
        return html`<nora-admin-sessions .ui=${ui}></nora-admin-sessions>`;
      case "audit":
        return html`<nora-admin-audit .ui=${ui}></nora-admin-audit>`;
      case "server":
        return html`<nora-admin-server .ui=${ui}></nora-admin-server>`;
    }
  }

  private show(part: Part): void {
    this.page = part;
    this.requestUpdate();
  }

  private leave(): void {
    this.ui.update({ adminOpen: false });
  }
}

customElements.define("nora-admin", Administration);

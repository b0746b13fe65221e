// Arrangements that are kept (images, how they look, views), and links that show this one to others.
import { html, nothing } from "lit";
import { dayOf } from "./account-words.ts";
import { getJson, request, sendJson, textOf, type List } from "./api.ts";
import type { Project } from "./archive.ts";
import { PageElement } from "./base-element.ts";
import type { Scene } from "./scene.ts";
import type { Topic } from "./session.ts";

interface Preset {
  id: number;
  name: string;
  everybody: boolean;
  changed: string;
  scene: Partial<Scene>;
}

interface Share {
  id: number;
  rights: string[];
  created: string;
  expires: string;
}

const dayMs = 86_400_000;
const linkDays = [1, 7, 30, 90];
const sharedRights = ["annotate", "download"]; // beside read

export class SavedDialog extends PageElement {
  private presets: Preset[] | null = null;
  private shares: Share[] = [];
  private project: Project | null = null; // of what is shown
  private link = "";
  private trouble = "";

  protected topics(): Topic[] {
    return ["ui"];
  }

  /** Links are for people with an account; so are presets, but for who is alone at the machine. */
  private get isUser(): boolean {
    return this.session.account.me?.user !== null;
  }

  private get mayKeep(): boolean {
    return this.isUser || this.session.account.isLocal;
  }

  protected override firstUpdated(): void {
    this.querySelector("dialog")?.showModal();
    if (this.mayKeep) void this.attempt(() => this.loadPresets());
    if (this.isUser) void this.attempt(() => this.loadShares());
  }

  protected override render() {
    const isEmpty = this.session.scene.layers.length === 0;
    return html`<dialog class="dialog broad" aria-label="Saved views" @close=${() => this.close()} @keydown=${(event: Event) => event.stopPropagation()}>
      <div class="dialog-body">
        <header><h2>Saved views</h2><span class="spring"></span><button class="icon" aria-label="Close" @click=${() => this.close()}>✕</button></header>
        ${this.mayKeep ? this.renderPresets(isEmpty) : html`<p class="muted">Log in to keep what you see.</p>`}
        ${this.isUser ? this.renderShares(isEmpty) : nothing}
        <p class="error" role="alert">${this.trouble}</p>
      </div>
    </dialog>`;
  }

  private renderPresets(isEmpty: boolean) {
    const { presets } = this;
    const mayForAll = this.isUser && this.session.account.isAdministrator;
    return html`${presets === null
      ? html`<p class="muted" role="status">loading …</p>`
      : presets.length === 0
        ? html`<p class="muted">Nothing is kept yet: images, colours, windows, views and cuts can be opened again under a name.</p>`
        : html`<ul class="saved">
            ${presets.map(
              (preset) =>
                html`<li>
                  <button class="link" @click=${() => this.open(preset)}>${preset.name}</button>
                  <span class="muted">${preset.everybody && this.isUser ? "of everybody, " : ""}${dayOf(preset.changed)}</span>
                  <span class="spring"></span>
                  ${preset.everybody && this.isUser && !mayForAll
                    ? nothing
                    : html`<button class="icon" aria-label="Remove ${preset.name}" @click=${() => void this.takeBack(`presets/${preset.id}`, () => this.loadPresets())}>✕</button>`}
                </li>`,
            )}
          </ul>`}
      <form class="line-form" aria-label="Keep this view" @submit=${(event: SubmitEvent) => void this.keep(event)}>
        <label class="long">Keep what is shown as <input type="text" name="name" required maxlength="190" autocomplete="off" ?disabled=${isEmpty} /></label>
        ${mayForAll ? html`<label class="check"><input type="checkbox" name="everybody" /> for everybody</label>` : nothing}
        <button class="primary" ?disabled=${isEmpty}>Keep</button>
      </form>`;
  }

  private renderShares(isEmpty: boolean) {
    const { project } = this;
    if (isEmpty || !project) return html`<p class="muted">Open an image to share it by a link.</p>`;
    const offered = sharedRights.filter((right) => project.rights.includes(right));
    return html`<h3>Links to ${project.title || project.name}</h3>
      <p class="muted">Whoever has the link sees this view, and may read the project${project.hideIdentity ? " without names" : ""}, until the link ends.</p>
      ${this.shares.length === 0
        ? nothing
        : html`<ul class="saved">
            ${this.shares.map(
              (share) =>
                html`<li>
                  of ${dayOf(share.created)}, until ${dayOf(share.expires)} <span class="muted">${share.rights.join(", ")}</span><span class="spring"></span>
                  <button @click=${() => void this.takeBack(`shares/${share.id}`, () => this.loadShares())}>Take back</button>
                </li>`,
            )}
          </ul>`}
      <form class="line-form" aria-label="New link" @submit=${(event: SubmitEvent) => void this.makeLink(event)}>
        <label>For <select name="days">${linkDays.map((days) => html`<option value=${days} ?selected=${days === 7}>${days} ${days === 1 ? "day" : "days"}</option>`)}</select></label>
        ${offered.map((right) => html`<label class="check"><input type="checkbox" name="rights" value=${right} /> may ${right}</label>`)}
        <button class="primary">Make a link</button>
      </form>
      ${this.link === ""
        ? nothing
        : html`<label>
            The link; it is shown this once
            <input type="text" readonly aria-label="Link" .value=${this.link} @focus=${(event: FocusEvent) => (event.target as HTMLInputElement).select()} />
          </label>`}`;
  }

  private async loadPresets(): Promise<void> {
    this.presets = (await getJson<List<Preset>>("presets")).items;
  }

  private async loadShares(): Promise<void> {
    const { session } = this;
    const first = session.scene.layers[0];
    if (!first) return;
    const entry = await session.archive.lookUp(first.source);
    this.project = (entry && session.archive.project(entry.projectId)) ?? null;
    if (this.project) this.shares = (await getJson<List<Share>>(`projects/${this.project.id}/shares`)).items;
  }

  private async keep(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    await this.attempt(async () => {
      const everybody = !this.isUser || data.get("everybody") !== null;
      await sendJson("POST", "presets", { name: data.get("name"), scene: this.session.scene, everybody });
      await this.loadPresets();
      form.reset();
    });
  }

  private open(preset: Preset): void {
    this.session.show(preset.scene);
    this.close();
  }

  private async makeLink(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    await this.attempt(async () => {
      const expires = new Date(Date.now() + Number(form.get("days")) * dayMs).toISOString().replace(/\.\d+Z$/, "Z");
      const body = { rights: ["read", ...form.getAll("rights")], scene: this.session.scene, expires };
      const { secret } = await sendJson<{ secret: string }>("POST", `projects/${this.project!.id}/shares`, body);
      const url = new URL("./", document.baseURI);
      url.search = `?share=${encodeURIComponent(secret)}`;
      this.link = url.href;
      await this.loadShares();
    });
    this.querySelector<HTMLElement>("input[readonly]")?.focus();
  }

  private async takeBack(path: string, load: () => Promise<void>): Promise<void> {
    await this.attempt(async () => {
      await request("DELETE", path);
      await load();
    });
  }

  private async attempt(job: () => Promise<unknown>): Promise<void> {
    this.trouble = "";
    try {
      await job();
    } catch (error) {
      this.trouble = textOf(error);
    }
    this.requestUpdate();
    await this.updateComplete;
  }

  private close(): void {
    this.ui.update({ savedOpen: false });
  }
}

customElements.define("nora-saved", SavedDialog);

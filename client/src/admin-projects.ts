// Administration: projects, and who may do what in them.
import { html, nothing } from "lit";
import { rights, rightTexts } from "./account-words.ts";
import { AdminPart } from "./admin-part.ts";
import type { AdminGroup, AdminUser } from "./admin-people.ts";
import { getAll, request, sendJson } from "./api.ts";
import type { Project } from "./archive.ts";
import { formatCount } from "./format.ts";

interface Grant {
  userId: number | null;
  userName?: string | null;
  groupId: number | null;
  groupName?: string | null;
  everybody: boolean;
  rights: string[];
}

const nameOf = (grant: Grant): string => (grant.everybody ? "everybody" : grant.groupId ? `group ${grant.groupName ?? grant.groupId}` : (grant.userName ?? `user ${grant.userId}`));

export class AdminProjects extends AdminPart {
  private projects: Project[] | null = null;
  private chosen = 0;
  private grants: Grant[] | null = null;
  private users: AdminUser[] = [];
  private groups: AdminGroup[] = [];

  private get isServerAdministrator(): boolean {
    return this.session.account.isAdministrator;
  }

  protected async load(): Promise<void> {
    this.projects = (await getAll<Project>("projects")).filter((project) => this.isServerAdministrator || project.rights.includes("administer"));
    if (this.isServerAdministrator && !this.session.account.isLocal) {
      [this.users, this.groups] = await Promise.all([getAll<AdminUser>("users"), getAll<AdminGroup>("groups")]);
    }
    if (this.chosen) await this.loadGrants();
    void this.session.archive.loadProjects();
  }

  private async loadGrants(): Promise<void> {
    this.grants = await getAll<Grant>(`projects/${this.chosen}/grants`);
  }

  protected renderPart() {
    const isLocal = this.session.account.isLocal;
    return html`${this.table(
      "Projects",
      this.projects,
      ["Project", "Folder", "Subjects", "Files", "Names hidden", ""],
      (project) =>
        html`<td><b>${project.title || project.name}</b>${project.title && project.title !== project.name ? html` <span class="muted">${project.name}</span>` : nothing}</td>
          <td>${project.root ?? ""} ${project.inPlace ? html`<span class="muted">(as it is)</span>` : nothing}</td>
          <td>${formatCount(project.counts.subjects)}</td>
          <td>${formatCount(project.counts.files)}</td>
          <td>
            <input
              type="checkbox"
              aria-label="Names of ${project.name} are hidden"
              .checked=${project.hideIdentity}
              ?disabled=${this.busy}
              @change=${(event: Event) =>
                void this.attempt(() => sendJson("PATCH", `projects/${project.id}`, { hideIdentity: (event.target as HTMLInputElement).checked }).finally(() => this.load()))}
            />
          </td>
          <td class="acts">
            <button title="Look for new and changed files" @click=${() => void this.attempt(() => sendJson("POST", `projects/${project.id}/scan`))}>Scan</button>
            ${isLocal ? nothing : html`<button aria-expanded=${this.chosen === project.id} @click=${() => this.choose(project.id)}>Rights</button>`}
          </td>`,
    )}
    ${this.chosen ? this.renderGrants() : nothing} ${this.isServerAdministrator ? this.renderNew() : nothing}`;
  }

  private renderNew() {
    return html`<form
      class="line-form"
      aria-label="New project"
      @submit=${(event: SubmitEvent) =>
        void this.submit(event, (form) =>
          sendJson("POST", "projects", {
            name: form.get("name"),
            title: form.get("title"),
            root: form.get("root"),
            inPlace: form.get("inPlace") !== null && form.get("root") !== "",
            hideIdentity: form.get("hideIdentity") !== null,
          }),
        )}
    >
      <label>Name <input type="text" name="name" required maxlength="190" autocomplete="off" /></label>
      <label>Title <input type="text" name="title" maxlength="190" autocomplete="off" /></label>
      <label class="long">Folder on the server <input type="text" name="root" autocomplete="off" spellcheck="false" placeholder="/data/study; empty: a new one, for uploads" /></label>
      <label class="check" title="nora adds nothing to the folder and moves nothing in it"><input type="checkbox" name="inPlace" checked /> as it is</label>
      <label class="check" title="Who may not see identities sees pseudonyms"><input type="checkbox" name="hideIdentity" /> hide names</label>
      <button class="primary" ?disabled=${this.busy}>Add project</button>
    </form>`;
  }

  private renderGrants() {
    const project = this.projects?.find(({ id }) => id === this.chosen);
    return html`<section class="grants" aria-label="Rights in ${project?.name ?? ""}">
      <h3>Rights in ${project?.title || project?.name}</h3>
      ${this.table(
        "Rights",
        this.grants,
        ["Who", ...rights],
        (grant) =>
          html`<td><b>${nameOf(grant)}</b></td>
            ${rights.map(
              (right) =>
                html`<td>
                  <input
                    type="checkbox"
                    title=${rightTexts[right] ?? ""}
                    aria-label="${nameOf(grant)}: ${right}"
                    .checked=${grant.rights.includes(right)}
                    ?disabled=${this.busy}
                    @change=${(event: Event) => this.setRight(grant, right, (event.target as HTMLInputElement).checked)}
                  />
                </td>`,
            )}`,
      )}
      <form class="line-form" aria-label="New right" @submit=${(event: SubmitEvent) => void this.submit(event, (form) => this.give(form))}>
        <label
          >Who
          <select name="who" required>
            <option value="">choose …</option>
            <option value="everybody">everybody</option>
            ${this.groups.map((group) => html`<option value="groupId ${group.id}">group ${group.name}</option>`)}
            ${this.users.map((user) => html`<option value="userId ${user.id}">${user.name}</option>`)}
          </select></label
        >
        <button class="primary" ?disabled=${this.busy}>May read</button>
      </form>
      <p class="muted">Without any right left somebody is taken off the list. Administer brings all other rights.</p>
    </section>`;
  }

  private choose(id: number): void {
    this.chosen = this.chosen === id ? 0 : id;
    this.grants = null;
    if (this.chosen) void this.attempt(() => this.loadGrants());
    this.requestUpdate();
  }

  private setRight(grant: Grant, right: string, on: boolean): void {
    const now = on ? [...grant.rights, right] : grant.rights.filter((each) => each !== right);
    const who = grant.everybody ? { everybody: true } : grant.groupId ? { groupId: grant.groupId } : { userId: grant.userId };
    void this.attempt(() => request("PUT", `projects/${this.chosen}/grants`, { body: { ...who, rights: now } }).finally(() => this.loadGrants()));
  }

  private async give(form: FormData): Promise<void> {
    const [key, id] = String(form.get("who")).split(" ");
    await request("PUT", `projects/${this.chosen}/grants`, { body: { [key!]: id ? Number(id) : true, rights: ["read"] } });
  }
}

customElements.define("nora-admin-projects", AdminProjects);

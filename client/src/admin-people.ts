// Administration: users, groups and sessions.
import { html, nothing } from "lit";
import { timeOf } from "./account-words.ts";
import { AdminPart } from "./admin-part.ts";
import { getAll, request, sendJson } from "./api.ts";

export interface AdminUser {
  id: number;
  name: string;
  fullName: string;
  email: string;
  origin: string;
  administrator: boolean;
  disabled: boolean;
  absent: boolean; // the directory has no such user any more
  created: string;
  seen: string | null;
}

export interface AdminGroup {
  id: number;
  name: string;
  origin: string;
  members: number[]; // ids of users
}

interface AdminSession {
  id: number;
  userName: string;
  current: boolean;
  address: string;
  created: string;
  seen: string;
  expires: string;
}

const originTexts: Record<string, string> = { local: "here", ldap: "directory", oidc: "single sign-on" };

export class AdminUsers extends AdminPart {
  private users: AdminUser[] | null = null;

  protected async load(): Promise<void> {
    this.users = await getAll<AdminUser>("users");
  }

  protected renderPart() {
    return html`${this.table(
        "Users",
        this.users,
        ["Name", "Full name", "E-mail", "Kept", "Last seen", "Administrator", "May log in", ""],
        (user) =>
          html`<td><b>${user.name}</b></td>
            <td>${user.fullName}</td>
            <td>${user.email}</td>
            <td>${originTexts[user.origin] ?? user.origin}${user.absent ? html` <span class="muted">(not there any more)</span>` : nothing}</td>
            <td>${timeOf(user.seen) || "never"}</td>
            <td>${this.box(user, "administrator", user.administrator, `${user.name} is administrator`)}</td>
            <td>${this.box(user, "disabled", !user.disabled, `${user.name} may log in`)}</td>
            <td class="acts">
              ${user.origin === "local" ? html`<button @click=${() => void this.setPassword(user)}>Password …</button>` : nothing}
              <button
                @click=${() => void this.ask(`Remove ${user.name}, with tokens, rights and share links? What they did stays in the audit.`, () => request("DELETE", `users/${user.id}`))}
              >
                Remove
              </button>
            </td>`,
      )}
      <form class="line-form" aria-label="New user" @submit=${(event: SubmitEvent) => void this.submit(event, (form) => this.add(form))}>
        <label>Name <input type="text" name="name" required maxlength="190" autocomplete="off" autocapitalize="none" /></label>
        <label>Full name <input type="text" name="fullName" maxlength="190" autocomplete="off" /></label>
        <label>E-mail <input type="email" name="email" autocomplete="off" /></label>
        <label>Password <input type="password" name="password" required minlength="10" autocomplete="new-password" /></label>
        <button class="primary" ?disabled=${this.busy}>Add user</button>
      </form>`;
  }

  private box(user: AdminUser, key: "administrator" | "disabled", checked: boolean, label: string) {
    const change = (event: Event): void => {
      const now = (event.target as HTMLInputElement).checked;
      void this.attempt(() => sendJson("PATCH", `users/${user.id}`, { [key]: key === "disabled" ? !now : now }).finally(() => this.load()));
    };
    return html`<input type="checkbox" aria-label=${label} .checked=${checked} ?disabled=${this.busy} @change=${change} />`;
  }

  private async add(form: FormData): Promise<void> {
    await sendJson("POST", "users", Object.fromEntries(["name", "fullName", "email", "password"].map((key) => [key, form.get(key)])));
  }

  private async setPassword(user: AdminUser): Promise<void> {
    const password = window.prompt(`New password of ${user.name} (at least 10 characters). They are logged out everywhere.`);
    if (password) await this.attempt(() => sendJson("PATCH", `users/${user.id}`, { password }));
  }
}

export class AdminGroups extends AdminPart {
  private groups: AdminGroup[] | null = null;
  private users: AdminUser[] = [];

  protected async load(): Promise<void> {
    [this.groups, this.users] = await Promise.all([getAll<AdminGroup>("groups"), getAll<AdminUser>("users")]);
  }

  protected renderPart() {
    return html`${this.table(
        "Groups",
        this.groups,
        ["Group", "Kept", "Members", ""],
        (group) =>
          html`<td><b>${group.name}</b></td>
            <td>${originTexts[group.origin] ?? group.origin}</td>
            <td>${this.renderMembers(group)}</td>
            <td class="acts">
              <button @click=${() => void this.ask(`Remove the group ${group.name} and what it may do?`, () => request("DELETE", `groups/${encodeURIComponent(group.name)}`))}>
                Remove
              </button>
            </td>`,
      )}
      <form class="line-form" aria-label="New group" @submit=${(event: SubmitEvent) => void this.submit(event, (form) => sendJson("POST", "groups", { name: form.get("name") }))}>
        <label>Name <input type="text" name="name" required maxlength="190" autocomplete="off" /></label><button class="primary" ?disabled=${this.busy}>Add group</button>
      </form>`;
  }

  private renderMembers(group: AdminGroup) {
    const ids = group.members;
    const nameOf = (id: number): string => this.users.find((user) => user.id === id)?.name ?? `user ${id}`;
    if (group.origin !== "local") return html`${ids.map(nameOf).join(", ")} <span class="muted">(as the directory says)</span>`;
    const others = this.users.filter((user) => !ids.includes(user.id));
    const path = (id: number | string): string => `groups/${encodeURIComponent(group.name)}/members/${id}`;
    return html`<span class="chips"
      >${ids.map(
        (id) =>
          html`<button class="chip" title="Take out of the group" aria-label="Take ${nameOf(id)} out of ${group.name}" @click=${() => void this.attempt(() => request("DELETE", path(id)), true)}>
            ${nameOf(id)} ✕
          </button>`,
      )}
      ${others.length > 0
        ? html`<select
            aria-label="Add to ${group.name}"
            .value=${""}
            @change=${(event: Event) => void this.attempt(() => request("PUT", path((event.target as HTMLSelectElement).value)), true)}
          >
            <option value="">add …</option>
            ${others.map((user) => html`<option value=${user.id}>${user.name}</option>`)}
          </select>`
        : nothing}</span
    >`;
  }
}

export class AdminSessions extends AdminPart {
  private sessions: AdminSession[] | null = null;

  protected async load(): Promise<void> {
    this.sessions = await getAll<AdminSession>("sessions");
  }

  protected renderPart() {
    return this.table(
      "Sessions",
      this.sessions,
      ["User", "Address", "Since", "Last seen", "Ends", ""],
      (session) =>
        html`<td><b>${session.userName}</b></td>
          <td>${session.address}</td>
          <td>${timeOf(session.created)}</td>
          <td>${timeOf(session.seen)}</td>
          <td>${timeOf(session.expires)}</td>
          <td class="acts">
            ${session.current ? html`<span class="muted">this one</span>` : html`<button @click=${() => void this.attempt(() => request("DELETE", `sessions/${session.id}`), true)}>End</button>`}
          </td>`,
    );
  }
}

customElements.define("nora-admin-users", AdminUsers);
customElements.define("nora-admin-groups", AdminGroups);
customElements.define("nora-admin-sessions", AdminSessions);

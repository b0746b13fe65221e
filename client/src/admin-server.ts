// Administration: what was done by whom, and how the server is.
import { html, nothing } from "lit";
import { timeOf } from "./account-words.ts";
import { AdminPart } from "./admin-part.ts";
import { apiUrl, getJson, queryOf, request, type List } from "./api.ts";
import { formatBytes, formatCount } from "./format.ts";
import { save } from "./save-file.ts";

interface Note {
  id: number;
  at: string;
  user: string;
  action: string;
  projectId: number | null;
  item: string;
  detail: unknown;
  address: string;
}

const notesAtOnce = 100;

export class AdminAudit extends AdminPart {
  private notes: Note[] | null = null;
  private next: string | number | null = null;
  private filter: Record<string, string> = {};

  protected async load(): Promise<void> {
    const page = await getJson<List<Note>>(`audit${queryOf({ ...this.filter, limit: notesAtOnce })}`);
    [this.notes, this.next] = [page.items, page.next];
  }

  private async more(): Promise<void> {
    const page = await getJson<List<Note>>(`audit${queryOf({ ...this.filter, limit: notesAtOnce, before: this.next })}`);
    this.notes = [...(this.notes ?? []), ...page.items];
    this.next = page.next;
  }

  protected renderPart() {
    const { projects } = this.session.archive;
    return html`<form class="line-form" aria-label="Which are shown" @submit=${this.search} @change=${this.search}>
        <label>User <input type="text" name="user" autocomplete="off" /></label>
        <label>Action <input type="text" name="action" autocomplete="off" placeholder="file.download" /></label>
        <label>Project <select name="project"><option value="">all</option>${projects.map(({ id, name }) => html`<option value=${id}>${name}</option>`)}</select></label>
        <label>From <input type="date" name="from" /></label>
        <label>Until <input type="date" name="until" /></label>
        <button>Show</button>
        <button type="button" title="All that match, as a table" @click=${() => save(apiUrl(`audit.csv${queryOf(this.filter)}`), "audit.csv")}>CSV</button>
      </form>
      ${this.table(
        "Audit",
        this.notes,
        ["When", "Who", "What", "Project", "Item", "More", "From"],
        (note) =>
          html`<td class="when">${timeOf(note.at)}</td>
            <td>${note.user}</td>
            <td>${note.action}</td>
            <td>${note.projectId ? (this.session.archive.project(note.projectId)?.name ?? note.projectId) : ""}</td>
            <td class="wrap">${note.item}</td>
            <td class="wrap muted">${detailOf(note.detail)}</td>
            <td>${note.address}</td>`,
      )}
      ${this.next === null ? nothing : html`<button ?disabled=${this.busy} @click=${() => void this.attempt(() => this.more())}>Older ones</button>`}`;
  }

  private readonly search = (event: Event): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const filter = Object.fromEntries([...form].map(([key, value]) => [key, String(value).trim()]));
    const next = filter["until"] ? new Date(Date.parse(`${filter["until"]}T00:00:00Z`) + 86_400_000).toISOString() : "";
    this.filter = { ...filter, from: filter["from"] ? `${filter["from"]}T00:00:00Z` : "", until: next.replace(/\.\d+Z$/, "Z") };
    void this.attempt(() => this.load());
  };
}

function detailOf(detail: unknown): string {
  const text = typeof detail === "string" ? detail : JSON.stringify(detail);
  return text === "{}" || text === undefined || text === "null" ? "" : text;
}

interface Scan {
  at: string;
  host: string;
  seconds: number;
  failed: string | null;
  problems: string[];
  [count: string]: unknown;
}

interface Place {
  projectId: number;
  project: string;
  root: string;
  files: number;
  bytes: number;
  freeBytes: number | null;
  journal: { file: string; known: number; onDisk: number | null } | null;
  lastScan: Scan | null;
}

interface ServerState {
  version: string;
  database: string;
  revision: number;
  index: { engine: string; schema: number; bytes: number; freeBytes: number | null; roundTripMs: number };
  counts: Record<string, number>;
  storage: Place[];
  health: { project: string; problem: string }[];
}

const fullBelow = 0.05; // of the room that is left beside what is used

export class AdminServer extends AdminPart {
  private state: ServerState | null = null;
  private checked: { problems: string[]; seconds: number } | null = null;

  protected async load(): Promise<void> {
    this.state = await getJson<ServerState>("server");
  }

  private async check(): Promise<void> {
    const answer = await request("POST", "server/check");
    this.checked = (await answer.json()) as { problems: string[]; seconds: number };
  }

  protected renderPart() {
    const { state } = this;
    if (!state) return html`<p class="muted" role="status">${this.trouble === "" ? "loading …" : ""}</p>`;
    return html`<section>
        <h3>Server</h3>
        <dl class="facts">
          <dt>nora</dt><dd>${state.version}</dd>
          <dt>database</dt><dd>${state.database}</dd>
          <dt>engine</dt><dd>${state.index.engine}, schema ${state.index.schema}</dd>
          <dt>size of the index</dt><dd>${formatBytes(state.index.bytes)}${state.index.freeBytes === null ? "" : `, ${formatBytes(state.index.freeBytes)} free beside it`}</dd>
          <dt>round trip</dt><dd>${state.index.roundTripMs.toFixed(1)} ms</dd>
          <dt>changes of the index</dt><dd>${formatCount(state.revision)}</dd>
          ${Object.entries(state.counts).map(([what, n]) => html`<dt>${what}</dt><dd>${formatCount(n)}</dd>`)}
        </dl>
      </section>
      <section>
        <h3>Storage</h3>
        ${this.table(
          "Storage",
          state.storage,
          ["Project", "Folder", "Files", "Used", "Free on its disk", "Journal", "Last scan"],
          (place) =>
            html`<td><b>${place.project}</b></td>
              <td class="wrap">${place.root}</td>
              <td>${formatCount(place.files)}</td>
              <td>${formatBytes(place.bytes)}</td>
              <td class=${(place.freeBytes ?? Infinity) < fullBelow * place.bytes ? "error" : ""}>${typeof place.freeBytes === "number" ? formatBytes(place.freeBytes) : html`<span class="error">not there</span>`}</td>
              <td title=${place.journal?.file ?? ""}>${journalOf(place)}</td>
              <td title=${place.lastScan?.problems.join("\n") ?? ""}>${scanOf(place.lastScan)}</td>`,
        )}
      </section>
      <section>
        <h3>Health of the index</h3>
        ${state.health.length === 0
          ? html`<p class="good">No problems are known.</p>`
          : html`<ul class="problems">${state.health.map(({ project, problem }) => html`<li><b>${project}</b>: ${problem}</li>`)}</ul>`}
        <button ?disabled=${this.busy} @click=${() => void this.attempt(() => this.load())}>Look again</button>
        <button ?disabled=${this.busy} title="Reads all of the index: minutes where there are millions of files" @click=${() => void this.attempt(() => this.check())}>
          Check the index
        </button>
        ${this.renderCheck()}
      </section>`;
  }

  private renderCheck() {
    if (!this.checked) return nothing;
    const { problems, seconds } = this.checked;
    if (problems.length === 0) return html`<p class="good" role="status">The index is whole (${seconds.toFixed(1)} s).</p>`;
    return html`<ul class="problems" role="status">${problems.map((problem) => html`<li>${problem}</li>`)}</ul>`;
  }
}

function journalOf({ journal }: Place): string {
  if (!journal || journal.onDisk === null) return "not there";
  return journal.onDisk === journal.known ? formatBytes(journal.known) : `${formatBytes(journal.onDisk)}, the index has ${formatBytes(journal.known)}`;
}

function scanOf(scan: Scan | null): string {
  if (!scan) return "never";
  const counts = ["added", "changed", "moved", "vanished", "broken"].filter((what) => scan[what]).map((what) => `${String(scan[what])} ${what}`);
  return `${timeOf(scan.at)}${scan.host ? ` by ${scan.host}` : ""}: ${scan.failed ?? (counts.join(", ") || "nothing new")}`;
}

customElements.define("nora-admin-audit", AdminAudit);
customElements.define("nora-admin-server", AdminServer);

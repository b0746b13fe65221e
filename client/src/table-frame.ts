// What stands around the rows of the table: tabs and search above, the heads of the columns, the bar below.
import { html, nothing } from "lit";
import type { ArchiveTable } from "./archive-table.ts";
import { isSorted, type Column } from "./columns.ts";
import { formatCount } from "./format.ts";
import { levels, type Level } from "./rows.ts";
import type { Shown } from "./table-model.ts";
import "./table-search.ts";

const shownTexts: [Shown, string][] = [
  ["all", "All"],
  ["images", "Images"],
  ["problems", "Problems"],
];
const levelTexts: Record<Level, string> = { subjects: "Subjects", studies: "Studies", files: "Files" };

export function renderHead(table: ArchiveTable) {
  const { model, ui } = table;
  const { projects } = table.ui.session.archive;
  return html`<div class="archive-head">
    <div class="tabs" role="tablist" aria-label="What is listed">
      ${levels.map(
        (level) =>
          html`<button role="tab" aria-selected=${model.level === level} @click=${() => table.setLevel(level)}>${levelTexts[level]}</button>`,
      )}
    </div>
    <button
      class="icon"
      aria-pressed=${model.tree}
      aria-label="Tree"
      title=${model.tree ? "As a flat list" : "As a tree: subject, study, file"}
      ?disabled=${model.level === "files" || model.shown === "problems"}
      @click=${() => table.change(() => (model.tree = !model.tree))}
    >
      ⊞
    </button>
    <span class="muted count" role="status">${countText(table)}</span>
    <span class="spring"></span>
    ${ui.tableWide ? renderTools(table) : nothing}
    ${table.mayAdd ? html`<button class="icon" aria-label="Add files" title="Add files to a project; or drop them anywhere on the page" @click=${() => ui.update({ upload: Promise.resolve([]) })}>+</button>` : nothing}
    <button class="expand" aria-pressed=${ui.tableWide} title=${ui.tableWide ? "Back to the views (T, Esc)" : "The table over the views (T)"} @click=${() => table.setWide(!ui.tableWide)}>
      ${ui.tableWide ? "Views" : "Table"}
    </button>
  </div>
  <div class="search">
    ${projects.length > 1
      ? html`<select aria-label="Project" @change=${(event: Event) => table.change(() => (model.project = Number((event.target as HTMLSelectElement).value)))}>
          <option value="0">All projects</option>
          ${projects.map((project) => html`<option value=${project.id} ?selected=${project.id === model.project}>${project.title || project.name}</option>`)}
        </select>`
      : nothing}
    <nora-search
      .failure=${model.failure}
      .project=${model.project}
      .query=${model.query}
      @search=${(event: CustomEvent<string>) => table.setQuery(event.detail)}
      @leave=${() => table.list().focus()}
    ></nora-search>
    <div class="segments" role="group" aria-label="Which files are listed">
      ${shownTexts.map(
        ([shown, text]) =>
          html`<button aria-pressed=${model.shown === shown} @click=${() => table.change(() => (model.shown = shown))}>
            ${text}${shown === "problems" && model.problems > 0 ? ` ${formatCount(model.problems)}` : ""}
          </button>`,
      )}
    </div>
  </div>`;
}

function renderTools(table: ArchiveTable) {
  const { model } = table;
  return html`<button @click=${() => table.dialog(() => (table.choosing = true))}>Columns …</button>
    <button title="All that the search finds, with these columns" @click=${() => table.actions.csv(table.choice.columns(model.searched, model.isTree).map(({ key }) => key))}>CSV</button>`;
}

export function renderColumns(table: ArchiveTable, columns: Column[]) {
  const { model } = table;
  const chosen = table.selection.count(model.total ?? 0);
  return html`<div class="row-head" role="row" aria-rowindex="1">
    <span class="cell check" role="columnheader">
      <input type="checkbox" aria-label="Select all that was found" .checked=${chosen > 0} .indeterminate=${chosen > 0 && !table.selection.wholeResult} @click=${() => table.chooseAll(chosen === 0)} />
    </span>
    ${columns.map((column) => {
      const level = model.sortedLevel;
      const canSort = level !== null && isSorted(level, column.key);
      const sorted = model.sort === column.key ? (model.descending ? "descending" : "ascending") : "none";
      return html`<span class="cell ${column.numeric ? "numeric" : ""}" role="columnheader" aria-sort=${sorted}>
        <button ?disabled=${!canSort} title=${canSort ? `Sort by ${column.title}` : column.title} @click=${() => table.sortBy(column.key)}>
          ${column.title}<span aria-hidden="true">${sorted === "none" ? "" : model.descending ? " ▾" : " ▴"}</span>
        </button>
        <i class="edge-handle" aria-hidden="true" @pointerdown=${(event: PointerEvent) => table.resizeColumn(column, event)}></i>
      </span>`;
    })}
  </div>`;
}

export function renderFoot(table: ArchiveTable) {
  const { model } = table;
  const chosen = table.selection.count(model.total ?? 0);
  if (chosen > 0) {
    const mayAnnotate = table.mayAll("annotate");
    const mayDownload = table.mayAll("download");
    return html`<div class="panel-foot chosen-bar">
      <b>${formatCount(chosen)} selected</b>
      <button ?disabled=${!mayAnnotate} @click=${() => table.openTags(null)}>Tags …</button>
      <button ?disabled=${!mayDownload} @click=${() => void table.actions.download(null)}>Zip</button>
      <button class="icon" aria-label="Select nothing" title="Select nothing (Esc)" @click=${() => table.unselect()}>✕</button>
    </div>`;
  }
  const { problem } = table.ui.session.archive;
  if (problem !== "") return html`<div class="panel-foot error">The scan ended early: ${problem}</div>`;
  if (model.tooManyForTree) return html`<div class="panel-foot muted">Too many files for a tree: a flat list.</div>`;
  const roots = table.ui.session.archive.projects.flatMap(({ root }) => root ?? []);
  return roots.length === 1 ? html`<div class="panel-foot muted" title=${roots[0]!}><bdi>${roots[0]}</bdi></div>` : nothing;
}

function countText(table: ArchiveTable): string {
  const { archive } = table.ui.session;
  const { model } = table;
  if (archive.scanning) return `scanning … ${formatCount(archive.files)}`;
  if (model.total === null) return model.loading ? "…" : "";
  const what = model.searched === "files" || (model.isTree && model.query !== "") ? "file" : { subjects: "subject", studies: "study", files: "file" }[model.level];
  const words = model.total === 1 ? what : what === "study" ? "studies" : `${what}s`;
  return `${formatCount(model.total)} ${words}`;
}

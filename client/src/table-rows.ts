// How one line of the table is drawn: in the narrow list, and in the wide table.
import { html, nothing, type TemplateResult } from "lit";
import { cellText, type Column } from "./columns.ts";
import { formatCount } from "./format.ts";
import { isReady, isViewable, rowTitle, shortKind, type Row } from "./rows.ts";
import type { Line } from "./table-lines.ts";

const longNameFrom = 22; // characters
const nameTail = 13;
const mostTags = 8; // drawn in a cell

export interface LineLook {
  at: number;
  line: Line;
  row: Row | undefined;
  name: string;
  gone: boolean;
  current: boolean;
  chosen: boolean;
  shown: boolean; // in the views, or in the panel over them
  reason: boolean; // is told below the name
  columns: Column[]; // none: the narrow list
}

export interface LineActs {
  click(look: LineLook, event: MouseEvent): void;
  open(look: LineLook): void;
  toggle(look: LineLook): void;
  add(look: LineLook): void;
  choose(look: LineLook): void;
  menu(look: LineLook, event: MouseEvent): void;
}

/** A long name is cut in its middle: what tells files apart is mostly at the end. */
function cutName(name: string): TemplateResult {
  const cut = name.length > longNameFrom ? name.length - nameTail : name.length;
  return html`<span class="name"><span class="head">${name.slice(0, cut)}</span><span class="tail">${name.slice(cut)}</span></span>`;
}

const nameOf = (look: LineLook): string => (look.gone ? "(gone)" : look.name);

function classes(look: LineLook): string {
  const { line, row } = look;
  const isFile = line.level === "files";
  const state = isFile && row ? (isReady(row) ? "ready" : row.state === "broken" ? "failed" : "unsupported") : "";
  const flags = [look.current && "current", look.chosen && "chosen", look.shown && "open", !look.name && "coming", look.at % 2 === 1 && "odd"];
  return ["row", isFile ? "entry" : "group", `depth-${line.depth}`, state, ...flags].filter(Boolean).join(" ");
}

function twist(look: LineLook, acts: LineActs) {
  if (look.line.open === null) return nothing;
  return html`<span
    class="twist"
    aria-hidden="true"
    @click=${(event: Event) => {
      event.stopPropagation();
      acts.toggle(look);
    }}
  ></span>`;
}

function addButton(look: LineLook, acts: LineActs) {
  const { row } = look;
  if (!row || look.line.level !== "files" || !isReady(row) || !isViewable(row) || look.reason) return nothing;
  return html`<button
    class="icon add"
    tabindex="-1"
    title="Add as overlay (Shift+click)"
    aria-label="Add ${row.name} as overlay"
    @click=${(event: Event) => {
      event.stopPropagation();
      acts.add(look);
    }}
  >
    +
  </button>`;
}

const menuButton = (look: LineLook, acts: LineActs) =>
  html`<button
    class="icon dots"
    tabindex="-1"
    title="More"
    aria-label="More for ${nameOf(look)}"
    @click=${(event: MouseEvent) => {
      event.stopPropagation();
      acts.menu(look, event);
    }}
  >
    ⋮
  </button>`;

function narrowCells(look: LineLook, acts: LineActs) {
  const { row, line } = look;
  const files = row?.counts?.files;
  const right = line.level === "files" ? (row ? shortKind(row) : "") : files === undefined ? "" : formatCount(files);
  return html`<span class="cell narrow" role="gridcell">
    ${twist(look, acts)}
    <span class="lines">${cutName(nameOf(look))}${look.reason ? html`<span class="reason">${row?.reason ?? ""}</span>` : nothing}</span>
    ${look.reason ? nothing : html`<span class=${line.level === "files" ? "tag" : "count"}>${right}</span>`}
    ${addButton(look, acts)}${menuButton(look, acts)}
  </span>`;
}

function wideCell(look: LineLook, column: Column) {
  const { row } = look;
  if (column.key === "tags") {
    return html`<span class="cell tags" role="gridcell" title=${row?.tags.join(", ") ?? nothing}>
      ${row?.tags.slice(0, mostTags).map((tag) => html`<span class="mark">${tag}</span>`)}
    </span>`;
  }
  const text = row ? cellText(row, column.key) : "";
  return html`<span class="cell ${column.numeric ? "numeric" : ""}" role="gridcell" title=${text.length > 12 ? text : nothing}>${text}</span>`;
}

function wideCells(look: LineLook, acts: LineActs) {
  return html`<span class="cell check" role="gridcell">
      <input
        type="checkbox"
        tabindex="-1"
        aria-label="Select ${nameOf(look)}"
        .checked=${look.chosen}
        @click=${(event: Event) => {
          event.stopPropagation();
          acts.choose(look);
        }}
      />
    </span>
    <span class="cell first" role="gridcell">${twist(look, acts)}<span class="name">${nameOf(look)}</span>${addButton(look, acts)}${menuButton(look, acts)}</span>
    ${look.columns.slice(1).map((column) => wideCell(look, column))}`;
}

export function renderLine(look: LineLook, acts: LineActs): TemplateResult {
  const { line, row } = look;
  const isWide = look.columns.length > 0;
  const canDrag = !isWide && line.level === "files" && row !== undefined && isReady(row) && isViewable(row);
  return html`<div
    class=${classes(look)}
    role="row"
    id=${look.current ? "row-current" : nothing}
    aria-level=${line.depth + 1}
    aria-rowindex=${look.at + (isWide ? 2 : 1)}
    aria-expanded=${line.open === null ? nothing : line.open}
    aria-selected=${look.chosen}
    aria-disabled=${line.level === "files" && row !== undefined && !isReady(row) ? "true" : nothing}
    data-at=${look.at}
    data-entry=${line.level === "files" ? line.id : nothing}
    draggable=${canDrag ? "true" : "false"}
    title=${row && !isWide ? rowTitle(row) : nothing}
    @click=${(event: MouseEvent) => acts.click(look, event)}
    @dblclick=${() => isWide && acts.open(look)}
    @contextmenu=${(event: MouseEvent) => acts.menu(look, event)}
    @dragstart=${(event: DragEvent) => event.dataTransfer?.setData("application/x-nora-entry", String(line.id))}
  >
    ${isWide ? wideCells(look, acts) : narrowCells(look, acts)}
  </div>`;
}

// The list of files at the left: a tree of subjects, studies and entries. Only the rows in sight exist in the page.
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { styleMap } from "lit/directives/style-map.js";
import { PageElement } from "./base-element.ts";
import type { Entry, Row, Shown } from "./catalogue.ts";
import { isShape } from "./shape-source.ts";
import { formatBytes, formatCount } from "./format.ts";
import type { Topic } from "./session.ts";

const rowPx = 28;
const problemRowPx = 62; // the name and two lines for the reason
const longNameFrom = 22; // characters
const nameTail = 13;
const rowsBeyond = 8; // drawn above and below what is in sight
const refreshMs = 120; // while a scan brings news

const shownTexts: [Shown, string][] = [
  ["all", "All"],
  ["images", "Images"],
  ["problems", "Problems"],
];

export class CataloguePanel extends PageElement {
  private filter = "";
  private shown: Shown = "all";
  private rows: Row[] = [];
  private current = ""; // id of the row that the keyboard is on
  private top = 0;
  private heightPx = 600;
  private stale = true;
  private timer = 0;
  private stop = (): void => undefined;
  private observer: ResizeObserver | null = null;

  protected topics(): Topic[] {
    return ["ui", "images"];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stop = this.session.events.on("catalogue", () => this.rebuildSoon());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop();
    this.observer?.disconnect();
  }

  protected override firstUpdated(): void {
    const list = this.list();
    this.observer = new ResizeObserver(() => {
      this.heightPx = list.clientHeight;
      this.requestUpdate();
    });
    this.observer.observe(list);
  }

  private list(): HTMLElement {
    return this.querySelector<HTMLElement>(".tree")!;
  }

  private rebuildSoon(): void {
    if (this.timer !== 0) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.rebuild();
    }, refreshMs);
  }

  private rebuild(): void {
    this.stale = true;
    this.requestUpdate();
  }

  private rowHeight(): number {
    return this.shown === "problems" ? problemRowPx : rowPx;
  }

  protected override render() {
    if (this.stale) this.rows = this.session.catalogue.rows(this.filter, this.shown);
    this.stale = false;
    const height = this.rowHeight();
    const first = Math.max(0, Math.floor(this.top / height) - rowsBeyond);
    const inSight = this.rows.slice(first, first + Math.ceil(this.heightPx / height) + 2 * rowsBeyond);
    return html`<div class="panel-head"><h2>Files</h2><span class="muted">${this.scanText()}</span></div>
      ${this.renderSearch()}
      <div
        class="tree"
        role="tree"
        aria-label="Files"
        tabindex="0"
        aria-activedescendant=${this.current === "" ? nothing : "row-current"}
        @scroll=${this.scrolled}
        @keydown=${this.key}
      >
        <div class="tree-space" style=${styleMap({ height: `${this.rows.length * height}px` })}>
          <div style=${styleMap({ transform: `translateY(${first * height}px)` })}>
            ${repeat(
              inSight,
              (row) => row.id,
              (row) => this.renderRow(row),
            )}
          </div>
        </div>
        ${this.rows.length === 0 ? html`<p class="empty">${this.emptyText()}</p>` : nothing}
      </div>
      ${this.renderFoot()}`;
  }

  private renderSearch() {
    const { catalogue } = this.session;
    const count = (shown: Shown): string => {
      if (shown === "problems" && catalogue.problems > 0) return ` ${formatCount(catalogue.problems)}`;
      return "";
    };
    return html`<div class="search">
      <input
        type="search"
        placeholder="Filter"
        aria-label="Filter files"
        autocomplete="off"
        spellcheck="false"
        @input=${(event: InputEvent) => this.setFilter((event.target as HTMLInputElement).value)}
      />
      <div class="segments" role="group" aria-label="Which files are listed">
        ${shownTexts.map(
          ([shown, text]) =>
            html`<button aria-pressed=${this.shown === shown} @click=${() => this.show(shown)}>${text}${count(shown)}</button>`,
        )}
      </div>
    </div>`;
  }

  private renderFoot() {
    const { feed } = this.session;
    if (feed.failed !== "") return html`<div class="panel-foot error">${feed.failed}</div>`;
    if (feed.root === "") return nothing;
    return html`<div class="panel-foot muted" title=${feed.root}><bdi>${feed.root}</bdi></div>`;
  }

  private renderRow(row: Row): TemplateResult {
    if (row.kind === "entry") return this.renderEntry(row.entry, row.id, row.depth);
    return html`<div
      class="row group depth-${row.depth} ${row.id === this.current ? "current" : ""}"
      role="treeitem"
      id=${row.id === this.current ? "row-current" : nothing}
      aria-level=${row.depth + 1}
      aria-expanded=${row.open}
      title=${row.name}
      @click=${() => this.toggle(row)}
    >
      <span class="twist" aria-hidden="true"></span><span class="name">${row.name === "." ? "(top folder)" : row.name}</span>
      <span class="count">${formatCount(row.count)}</span>
    </div>`;
  }

  private renderEntry(entry: Entry, id: string, depth: number): TemplateResult {
    const ready = entry.state === "ready";
    const isSeen = isInViews(entry);
    const inScene = this.session.scene.layers.some((layer) => sameSource(layer.source, entry.source));
    const open = inScene || this.ui.sheet?.id === entry.id;
    const classes = `row entry depth-${depth} ${entry.state} ${open ? "open" : ""} ${id === this.current ? "current" : ""}`;
    return html`<div
      class=${classes}
      role="treeitem"
      id=${id === this.current ? "row-current" : nothing}
      aria-level=${depth + 1}
      aria-disabled=${!ready}
      data-entry=${entry.id}
      draggable=${ready && isSeen ? "true" : "false"}
      title=${entryTitle(entry)}
      @click=${(event: MouseEvent) => {
        this.choose(entry, id, event.shiftKey);
        if (ready && isSeen) this.ui.focusViews();
      }}
      @dragstart=${(event: DragEvent) => event.dataTransfer?.setData("application/x-nora-entry", entry.id)}
    >
      <span class="lines">
        ${entryName(entry.name)}
        ${this.shown === "problems" ? html`<span class="reason">${entry.reason}</span>` : nothing}
      </span>
      ${this.shown === "problems" ? nothing : html`<span class="tag">${entryTag(entry)}</span>`}
      ${ready && isSeen && this.shown !== "problems"
        ? html`<button
            class="icon add"
            tabindex="-1"
            title="Add as overlay (Shift+click)"
            aria-label="Add ${entry.name} as overlay"
            @click=${(event: Event) => this.add(entry, event)}
          >
            +
          </button>`
        : nothing}
    </div>`;
  }

  private scanText(): string {
    const { feed, catalogue } = this.session;
    if (feed.scanning) return `scanning … ${formatCount(feed.files)}`;
    const n = catalogue.entries.size;
    return `${formatCount(n)} ${n === 1 ? "entry" : "entries"}`;
  }

  private emptyText(): string {
    if (this.filter !== "") return "Nothing matches the filter.";
    if (this.session.feed.scanning) return "Looking for files …";
    return this.shown === "problems" ? "No problems: everything could be read." : "There are no files in this folder.";
  }

  private setFilter(text: string): void {
    this.filter = text;
    this.list().scrollTop = 0;
    this.rebuild();
  }

  private show(shown: Shown): void {
    this.shown = shown;
    this.list().scrollTop = 0;
    this.rebuild();
  }

  private scrolled(event: Event): void {
    this.top = (event.target as HTMLElement).scrollTop;
    this.requestUpdate();
  }

  private toggle(row: Row): void {
    if (row.kind === "entry") return;
    this.current = row.id;
    this.session.catalogue.setOpen(row.id, !row.open);
    this.rebuild();
  }

  private choose(entry: Entry, rowId: string, asOverlay: boolean): void {
    this.current = rowId;
    if (!isInViews(entry) && entry.state === "ready") {
      this.ui.openSheet(entry);
    } else {
      this.ui.closeSheet();
      this.session.open(entry, asOverlay ? "overlay" : "new");
      this.ui.uncoverViews();
    }
    this.requestUpdate();
  }

  private add(entry: Entry, event: Event): void {
    event.stopPropagation();
    this.session.open(entry, "overlay");
    this.ui.focusViews();
  }

  private key(event: KeyboardEvent): void {
    const at = this.rows.findIndex((row) => row.id === this.current);
    const row = this.rows[at];
    const page = Math.max(1, Math.floor(this.heightPx / this.rowHeight()) - 1);
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 };
    const move = moves[event.key];
    if (move !== undefined) this.goTo(Math.min(this.rows.length - 1, Math.max(0, at + move)));
    else if (row?.kind === "entry" && (event.key === "Enter" || event.key === "+")) {
      this.choose(row.entry, row.id, event.shiftKey || event.key === "+");
    } else if (row && row.kind !== "entry" && ["ArrowRight", "ArrowLeft", "Enter"].includes(event.key)) {
      if (event.key === "Enter" || row.open === (event.key === "ArrowLeft")) this.toggle(row);
    } else if (row && event.key === "ArrowLeft") this.goToParent(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private goToParent(from: number): void {
    const parent = this.rows.findLastIndex((row, i) => i < from && row.kind !== "entry");
    if (parent >= 0) this.goTo(parent);
  }

  private goTo(index: number): void {
    const row = this.rows[index];
    if (!row) return;
    this.current = row.id;
    const list = this.list();
    const height = this.rowHeight();
    const top = index * height;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + height > list.scrollTop + list.clientHeight) list.scrollTop = top + height - list.clientHeight;
    this.requestUpdate();
  }
}

const isInViews = (entry: Entry): boolean => entry.kind === "image" || isShape(entry);

function sameSource(a: { path: string; series?: string }, b: { path: string; series?: string } | undefined): boolean {
  return b !== undefined && a.path === b.path && (a.series ?? "") === (b.series ?? "");
}

/** A long name is cut in its middle: what tells files apart is mostly at the end. */
function entryName(name: string): TemplateResult {
  const cut = name.length > longNameFrom ? name.length - nameTail : name.length;
  return html`<span class="name"><span class="head">${name.slice(0, cut)}</span><span class="tail">${name.slice(cut)}</span></span>`;
}

/** The few characters at the right of an entry that say what it is: "4D", "MR", "tracts". */
function entryTag(entry: Entry): string {
  if (entry.state === "failed") return "failed";
  if (entry.kind !== "image") return entry.kind;
  return (entry.timePoints ?? 1) > 1 ? `4D ${entry.timePoints}` : entry.modality;
}

function entryTitle(entry: Entry): string {
  const lines = [entry.path || entry.name];
  if (entry.description && entry.description !== entry.name) lines.push(entry.description);
  const size = (entry.dims ?? []).slice(0, 3).join(" × ");
  const parts = [entry.format, size, entry.sizeBytes > 0 ? formatBytes(entry.sizeBytes) : ""];
  lines.push(parts.filter((part) => part !== "" && part !== undefined).join(" · "));
  if (entry.state !== "ready") lines.push(`Cannot be opened: ${entry.reason || "the format is not supported"}`);
  for (const warning of entry.warnings ?? []) lines.push(`Warning: ${warning}`);
  return lines.filter((line) => line !== "").join("\n");
}

customElements.define("nora-catalogue", CataloguePanel);

// The archive in the page: a narrow list at the left, or a table over the views. Only the lines in sight exist.
import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { styleMap } from "lit/directives/style-map.js";
import { quoted } from "./archive.ts";
import { PageElement } from "./base-element.ts";
import { ColumnChoice, isSorted, type Column } from "./columns.ts";
import { sourceKey, type Level, type Row } from "./rows.ts";
import { ScrollMap } from "./scroll-map.ts";
import { Selection } from "./selection.ts";
import type { Topic } from "./session.ts";
import { TableActions, type Targets } from "./table-actions.ts";
import "./table-dialogs.ts";
import { renderColumns, renderFoot, renderHead } from "./table-frame.ts";
import { tableKey } from "./table-keys.ts";
import type { Lines } from "./table-lines.ts";
import { placeMenu, renderMenu, rowItems, type OpenMenu } from "./table-menu.ts";
import { TableModel } from "./table-model.ts";
import { renderLine, type LineActs, type LineLook } from "./table-rows.ts";

const coarse = window.matchMedia("(pointer: coarse)").matches;
const linePx = coarse ? 36 : 28;
const reasonLinePx = 62; // the name and two lines for the reason
const headPx = 30; // of the columns
const linesBeyond = 8; // drawn above and below what is in sight
const settleMs = 160; // without scrolling, before the scroll bar is put right

const levelTexts: Record<Level, string> = { subjects: "Subjects", studies: "Studies", files: "Files" };

export class ArchiveTable extends PageElement {
  model!: TableModel;
  readonly selection = new Selection();
  current: { level: Level; id: number } | null = null; // the line that the keyboard is on
  anchor = -1; // line at which a range begins
  actions!: TableActions;
  readonly choice = new ColumnChoice();
  private readonly map = new ScrollMap();
  private menu: OpenMenu | null = null;
  private tagging: Targets | undefined;
  choosing = false; // columns
  private sightPx = 600;
  private settleTimer = 0;
  private drawn: Lines | null = null; // what the place of the scroll bar belongs to
  private stop = (): void => undefined;
  private observer: ResizeObserver | null = null;

  protected topics(): Topic[] {
    return ["ui", "images", "account"];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.model = new TableModel(this.session.archive, () => this.modelChanged());
    this.actions = new TableActions(this.ui, this.model, this.selection);
    this.stop = this.session.events.on("archive", () => {
      this.model.refresh();
      this.requestUpdate();
    });
    void this.model.reload();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop();
    this.observer?.disconnect();
  }

  protected override firstUpdated(): void {
    const list = this.list();
    this.observer = new ResizeObserver(() => {
      this.sightPx = list.clientHeight;
      this.requestUpdate();
    });
    this.observer.observe(list);
  }

  protected override updated(): void {
    placeMenu(this.querySelector<HTMLElement>(".menu.at"));
  }

  list(): HTMLElement {
    return this.querySelector<HTMLElement>(".rows")!;
  }

  get isWide(): boolean {
    return this.ui.tableWide;
  }

  get linePx(): number {
    return this.model.shown === "problems" && !this.isWide ? reasonLinePx : linePx;
  }

  get linesInSight(): number {
    return Math.max(1, Math.floor((this.sightPx - (this.isWide ? headPx : 0)) / this.linePx));
  }

  // ---- drawing

  protected override render() {
    const { model, linePx: px } = this;
    this.map.resize(model.lines.count * px, this.sightPx - (this.isWide ? headPx : 0));
    const first = Math.max(0, Math.floor(this.map.top / px) - linesBeyond);
    const last = Math.min(model.lines.count, Math.ceil((this.map.top + this.sightPx) / px) + linesBeyond);
    const slots = Math.ceil(this.sightPx / px) + 2 * linesBeyond + 1;
    const columns = this.isWide ? this.choice.columns(model.searched, model.isTree) : [];
    const template = `34px ${columns.map((column) => `${column.widthPx}px`).join(" ")}`;
    const looks = Array.from({ length: Math.max(0, last - first) }, (_, i) => this.look(first + i, columns)).filter((look) => look !== null);
    model.want(first, last);
    return html`${renderHead(this)}
      <div
        class="rows ${this.isWide ? "wide" : "tree"}"
        role=${model.isTree ? "treegrid" : "grid"}
        aria-label=${levelTexts[model.searched]}
        aria-rowcount=${model.lines.count + (this.isWide ? 1 : 0)}
        aria-multiselectable="true"
        aria-busy=${model.loading}
        tabindex="0"
        style=${styleMap({ "--line": `${px}px`, "--columns": template })}
        aria-activedescendant=${looks.some((look) => look.current) ? "row-current" : nothing}
        @scroll=${this.scrolled}
        @keydown=${(event: KeyboardEvent) => tableKey(this, event)}
      >
        ${this.isWide ? renderColumns(this, columns) : nothing}
        <div class="rows-space" role="presentation" style=${styleMap({ height: `${this.map.height}px` })}>
          <div class="rows-block" role="presentation" style=${styleMap({ transform: `translateY(${this.map.place(first * px)}px)` })}>
            ${repeat(
              looks,
              ({ at }) => at % slots, // what leaves at one end is used again at the other
              (look) => renderLine(look, this.acts),
            )}
          </div>
        </div>
        ${model.lines.count === 0 && !model.loading ? html`<p class="empty">${this.emptyText()}</p>` : nothing}
      </div>
      ${renderFoot(this)} ${renderMenu(this.menu, () => this.closeMenu())} ${this.renderDialogs(columns)}`;
  }

  private look(at: number, columns: Column[]): LineLook | null {
    const { model } = this;
    const line = model.lines.line(at);
    if (!line) return null;
    const row = model.row(line.level, line.id);
    return {
      at,
      line,
      row,
      name: row ? row.name || "(no name)" : model.groupName(line.level, line.id),
      gone: model.isGone(line.level, line.id),
      current: this.current?.id === line.id && this.current.level === line.level,
      chosen: this.selection.has(line.level, line.id),
      shown: row !== undefined && line.level === "files" && this.isShown(row),
      reason: model.shown === "problems" && !this.isWide,
      columns,
    };
  }

  private isShown(row: Row): boolean {
    if (this.ui.sheet?.id === row.id) return true;
    return this.session.scene.layers.some(({ source }) => sourceKey(source) === sourceKey(row.source));
  }

  private renderDialogs(columns: Column[]) {
    const { model } = this;
    if (this.choosing) {
      return html`<nora-column-dialog
        .offered=${this.choice.offered(model.searched, model.isTree)}
        .metaKeys=${model.metaKeys()}
        .chosen=${columns.slice(1).map(({ key }) => key)}
        @done=${(event: CustomEvent<{ keys: string[] | null } | null>) => {
          if (event.detail) this.choice.choose(model.searched, model.isTree, event.detail.keys);
          this.dialog(() => (this.choosing = false));
        }}
      ></nora-column-dialog>`;
    }
    if (this.tagging === undefined) return nothing;
    const targets = this.tagging;
    return html`<nora-tag-dialog
      .level=${targets?.[0]?.[0] ?? model.searched}
      .project=${model.project}
      .count=${this.actions.countOf(targets)}
      .tags=${this.tagsOf(targets)}
      @done=${(event: CustomEvent<{ add: string[]; remove: string[] } | null>) => {
        if (event.detail) void this.actions.tag(targets, event.detail.add, event.detail.remove);
        this.dialog(() => (this.tagging = undefined));
      }}
    ></nora-tag-dialog>`;
  }

  /** That some of the rows have; of the whole result those in sight tell. */
  private tagsOf(targets: Targets): string[] {
    const { model } = this;
    const pairs = targets ?? [[model.searched, Array.from({ length: 200 }, (_, i) => model.lines.line(i)?.id ?? 0)] as [Level, number[]]];
    const rows = pairs.flatMap(([level, ids]) => ids.slice(0, 2000).flatMap((id) => model.row(level, id) ?? []));
    return [...new Set(rows.flatMap((row) => row.tags))].sort();
  }

  private emptyText(): string {
    const { model } = this;
    if (model.failure) return "";
    if (model.query !== "") return "Nothing was found.";
    const { scanning, projectsKnown, projects } = this.session.archive;
    if (scanning) return "Looking for files …";
    if (projectsKnown && projects.length === 0 && this.session.account.isAdministrator) return "There is no project yet: add files (+), or a folder of the server in the administration.";
    if (projectsKnown && projects.length === 0) return "There is no project that you may see: ask an administrator for the right to read one.";
    return model.shown === "problems" ? "No problems: everything could be read." : "There are no files here.";
  }

  // ---- changes

  private modelChanged(): void {
    this.keepPlace();
    this.requestUpdate();
  }

  /** What is in sight stays in sight when lines came or went above it. */
  private keepPlace(): void {
    const { linePx: px, drawn, model } = this;
    if (model.lines === drawn) return;
    this.drawn = model.lines;
    const was = Math.floor(this.map.top / px);
    const line = was > 0 && this.hasUpdated ? drawn?.line(was) : undefined;
    const at = line ? model.lines.indexOf(line.level, line.id) : -1;
    if (at < 0 || at === was) return;
    this.map.resize(model.lines.count * px, this.sightPx - (this.isWide ? headPx : 0));
    this.goToPx(at * px + (this.map.top % px));
  }

  private goToPx(top: number): void {
    const shown = this.map.goTo(top);
    void this.updateComplete.then(() => (this.list().scrollTop = shown));
    this.requestUpdate();
  }

  private scrolled(event: Event): void {
    const { scrollTop } = event.target as HTMLElement;
    this.map.scrolled(scrollTop);
    this.requestUpdate();
    clearTimeout(this.settleTimer);
    this.settleTimer = window.setTimeout(() => {
      const list = this.list();
      const settled = this.map.settle();
      if (Math.abs(settled - list.scrollTop) > 1) list.scrollTop = settled;
      this.requestUpdate();
    }, settleMs);
  }

  change(how: () => void): void {
    how();
    const level = this.model.isTree ? this.model.level : this.model.searched;
    if (!isSorted(level, this.model.sort)) this.model.sort = "";
    this.selection.clear();
    this.anchor = -1;
    this.drawn = null;
    this.goToPx(0);
    void this.model.reload();
  }

  setLevel(level: Level): void {
    this.change(() => {
      this.model.level = level;
      this.model.sort = "";
    });
  }

  setQuery(query: string): void {
    this.change(() => (this.model.query = query));
  }

  /** Up, down, and as it was. */
  sortBy(key: string): void {
    const { model } = this;
    this.change(() => {
      if (model.sort !== key) [model.sort, model.descending] = [key, false];
      else if (!model.descending) model.descending = true;
      else [model.sort, model.descending] = ["", false];
    });
  }

  setWide(wide: boolean): void {
    this.ui.update({ tableWide: wide });
    void this.updateComplete.then(() => this.list().focus({ preventScroll: true }));
  }

  resizeColumn(column: Column, event: PointerEvent): void {
    event.preventDefault();
    const handle = event.target as HTMLElement;
    const from = event.clientX;
    handle.setPointerCapture(event.pointerId);
    const move = (at: PointerEvent): void => {
      this.choice.resize(column.key, column.widthPx + at.clientX - from);
      this.requestUpdate();
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", () => handle.removeEventListener("pointermove", move), { once: true });
  }

  dialog(change: () => void): void {
    change();
    this.requestUpdate();
    if (this.choosing || this.tagging !== undefined) return;
    void this.updateComplete.then(() => this.list().focus({ preventScroll: true })); // the page takes it once the dialog is gone
  }

  // ---- choosing and acting

  readonly acts: LineActs = {
    click: (look, event) => this.clicked(look, event),
    open: (look) => look.row && (look.line.open === null ? this.actions.open(look.row, "new") : void this.model.toggle(look.line)),
    toggle: (look) => void this.model.toggle(look.line),
    add: (look) => look.row && this.actions.open(look.row, "overlay"),
    choose: (look) => this.choose(look.at, !look.chosen),
    menu: (look, event) => this.openMenu(look.at, event),
  };

  private clicked({ at, line, row, chosen }: LineLook, event: MouseEvent): void {
    const withCtrl = event.ctrlKey || event.metaKey;
    this.current = line;
    if (withCtrl) this.choose(at, !chosen);
    else if (this.isWide && event.shiftKey) this.chooseRange(at);
    else if (this.isWide) this.chooseOnly(at);
    else if (line.open !== null) void this.model.toggle(line);
    else if (row) this.actions.open(row, event.shiftKey ? "overlay" : "new");
    this.requestUpdate();
  }

  choose(at: number, chosen: boolean): void {
    const { lines } = this.model;
    const line = lines.line(at);
    if (!line) return;
    if (this.selection.wholeResult && "ids" in lines) this.selection.spellOut(lines.ids as Float64Array);
    this.selection.set(line.level, line.id, chosen);
    this.anchor = at;
    this.requestUpdate();
  }

  chooseOnly(at: number): void {
    this.selection.clear();
    this.choose(at, true);
  }

  chooseRange(to: number): void {
    const from = this.anchor < 0 ? to : this.anchor;
    this.selection.clear();
    for (let at = Math.min(from, to); at <= Math.max(from, to); ++at) {
      const line = this.model.lines.line(at);
      if (line) this.selection.set(line.level, line.id, true);
    }
    this.anchor = from;
    this.requestUpdate();
  }

  chooseAll(all = true): void {
    if (all && !this.model.isTree) this.selection.all(this.model.searched);
    else if (all) {
      this.anchor = 0;
      this.chooseRange(this.model.lines.count - 1);
    } else this.selection.clear();
    this.requestUpdate();
  }

  unselect(): void {
    this.selection.clear();
    this.requestUpdate();
    this.list().focus({ preventScroll: true });
  }

  goTo(at: number): void {
    const line = this.model.lines.line(at);
    if (!line) return;
    this.current = line;
    const px = this.linePx;
    const sight = this.sightPx - (this.isWide ? headPx : 0);
    if (at * px < this.map.top) this.goToPx(at * px);
    else if ((at + 1) * px > this.map.top + sight) this.goToPx((at + 1) * px - sight);
    this.requestUpdate();
  }

  get currentAt(): number {
    return this.current ? this.model.lines.indexOf(this.current.level, this.current.id) : -1;
  }

  openMenu(at: number, event: MouseEvent | null): void {
    const line = this.model.lines.line(at);
    const row = line && this.model.row(line.level, line.id);
    event?.preventDefault();
    if (!row) return;
    this.current = line;
    const targets = this.actions.targets(row);
    const box = this.querySelector("#row-current")?.getBoundingClientRect();
    this.menu = {
      x: event?.clientX ?? (box?.left ?? 0) + 40,
      y: event?.clientY ?? box?.bottom ?? 0,
      items: rowItems(row, this.actions.countOf(targets), (right) => this.session.archive.may(right, row.projectId), {
        open: () => this.actions.open(row, "new"),
        overlay: () => this.actions.open(row, "overlay"),
        download: () => void this.actions.download(row),
        copy: () => void this.actions.copyPaths(row),
        tag: () => this.openTags(row),
        meta: () => this.ui.update({ metaOf: row }),
        subject: () => this.showSubject(row),
        select: () => this.choose(at, !this.selection.has(row.level, row.id)),
      }),
    };
    this.requestUpdate();
  }

  private closeMenu(): void {
    if (!this.menu) return;
    this.menu = null;
    this.requestUpdate();
    this.list().focus({ preventScroll: true });
  }

  openTags(row: Row | null): void {
    this.dialog(() => (this.tagging = this.actions.targets(row)));
  }

  private showSubject(row: Row): void {
    const name = (row.level === "subjects" ? row.name : row.subject) ?? "";
    this.change(() => {
      this.model.query = `subject:${quoted(name)}`;
      this.model.shown = "all";
    });
  }

  /** Files, to some project; administrators make one for them. */
  get mayAdd(): boolean {
    const { account, archive } = this.session;
    return account.isAdministrator || archive.projects.some((project) => !project.inPlace && project.rights.includes("edit"));
  }

  mayAll(right: string): boolean {
    return this.session.archive.projects.some((project) => project.rights.includes(right));
  }
}

customElements.define("nora-archive", ArchiveTable);

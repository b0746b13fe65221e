// A table of any length: only the rows in sight exist in the page. A click on a column's name sorts by it.
import { LitElement, html, nothing } from "lit";
import { styleMap } from "lit/directives/style-map.js";
import { numberOf, sortedOrder } from "./table-order.ts";

export interface TableData {
  columns: string[];
  rows: string[][];
  /** The column of "#rrggbbaa" colours, shown as swatches; -1: none. */
  colourColumn?: number;
}

const rowPx = 24;
const rowsBeyond = 8;
const sampledRows = 300; // for the widths of the columns
const widestCh = 48;
const longestCell = 2_000; // characters drawn of one cell

function widths(data: TableData): number[] {
  return data.columns.map((name, column) => {
    let longest = name.length + 2;
    for (const row of data.rows.slice(0, sampledRows)) longest = Math.max(longest, (row[column] ?? "").length);
    return Math.min(longest, widestCh) + 2;
  });
}

const isNumeric = (data: TableData, column: number): boolean => {
  const seen = data.rows.slice(0, sampledRows).map((row) => row[column] ?? "");
  const filled = seen.filter((text) => text.trim() !== "" && text !== "n/a");
  return filled.length > 0 && filled.every((text) => !Number.isNaN(numberOf(text)));
};

export class DataTable extends LitElement {
  static override properties = { data: { attribute: false }, label: { attribute: false } };
  declare data: TableData;
  declare label: string;
  private shownData: TableData | null = null;
  private order: number[] | null = null;
  private sortColumn = -1;
  private descending = false;
  private top = 0;
  private heightPx = 600;
  private template = "";
  private numeric: boolean[] = [];
  private observer: ResizeObserver | null = null;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    const list = this.querySelector<HTMLElement>(".data-table")!;
    this.observer = new ResizeObserver(() => {
      this.heightPx = list.clientHeight;
      this.requestUpdate();
    });
    this.observer.observe(list);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer?.disconnect();
  }

  protected override render() {
    const { data } = this;
    if (data !== this.shownData) this.take(data);
    const first = Math.max(0, Math.floor(this.top / rowPx) - rowsBeyond);
    const count = Math.ceil(this.heightPx / rowPx) + 2 * rowsBeyond;
    const inSight = Array.from({ length: Math.max(0, Math.min(count, data.rows.length - first)) }, (_, i) => first + i);
    const columns = { gridTemplateColumns: this.template };
    return html`<div
      class="data-table"
      role="table"
      tabindex="0"
      aria-label=${this.label}
      aria-rowcount=${data.rows.length + 1}
      @scroll=${(event: Event) => {
        this.top = (event.target as HTMLElement).scrollTop;
        this.requestUpdate();
      }}
    >
      <div class="data-head" role="row" aria-rowindex="1" style=${styleMap(columns)}>
        ${data.columns.map((name, column) => this.renderHead(name, column))}
      </div>
      <div style=${styleMap({ height: `${data.rows.length * rowPx}px`, minWidth: "max-content" })} role="rowgroup">
        <div style=${styleMap({ transform: `translateY(${first * rowPx}px)` })} role="presentation">
          ${inSight.map((at) => {
            const row = data.rows[this.order ? this.order[at]! : at]!;
            return html`<div class="data-row" role="row" aria-rowindex=${at + 2} style=${styleMap(columns)}>
              ${data.columns.map((_, column) => this.renderCell(row[column] ?? "", column))}
            </div>`;
          })}
        </div>
      </div>
    </div>`;
  }

  private take(data: TableData): void {
    this.shownData = data;
    this.order = null;
    this.sortColumn = -1;
    this.top = 0;
    this.template = widths(data)
      .map((ch) => `${ch}ch`)
      .join(" ");
    this.numeric = data.columns.map((_, column) => isNumeric(data, column));
  }

  private renderHead(name: string, column: number) {
    const sorted = this.sortColumn === column;
    const direction = this.descending ? "descending" : "ascending";
    return html`<div role="columnheader" aria-sort=${sorted ? direction : "none"} class=${this.numeric[column] ? "numeric" : ""}>
      <button title="Sort by ${name}" @click=${() => this.sortBy(column)}>
        ${name}<span aria-hidden="true">${sorted ? (this.descending ? " ▾" : " ▴") : nothing}</span>
      </button>
    </div>`;
  }

  private renderCell(text: string, column: number) {
    if (column === this.data.colourColumn) {
      return html`<div role="cell">${text === "" ? nothing : html`<span class="label-colour" style=${styleMap({ background: text })} title=${text}></span>`}</div>`;
    }
    const shown = text.slice(0, longestCell);
    return html`<div role="cell" class=${this.numeric[column] ? "numeric" : ""} title=${shown.length > widestCh ? shown : nothing}>${shown}</div>`;
  }

  /** Up, down, and as in the file. */
  private sortBy(column: number): void {
    if (this.sortColumn !== column) [this.sortColumn, this.descending] = [column, false];
    else if (!this.descending) this.descending = true;
    else this.sortColumn = -1;
    this.order = this.sortColumn < 0 ? null : sortedOrder(this.data.rows, column, this.descending);
    this.requestUpdate();
  }
}

customElements.define("nora-table", DataTable);

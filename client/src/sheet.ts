// The panel beside the views for everything that is no picture of a scene: tables, documents, look-up tables, and what
// is known of an image, a surface, streamlines. Esc closes it.
import { html, nothing, type TemplateResult } from "lit";
import { styleMap } from "lit/directives/style-map.js";
import { PageElement } from "./base-element.ts";
import type { Entry } from "./rows.ts";
import { fetchContent, fetchInfo, type EntryInfo } from "./entry-content.ts";
import { formatCount } from "./format.ts";
import { labelTable, renderInfo, warningList } from "./info-sheet.ts";
import "./json-tree.ts";
import type { Topic } from "./session.ts";
import type { TableData } from "./table.ts";
import "./table.ts";

type Body =
  | { kind: "table"; data: TableData }
  | { kind: "json"; value: unknown }
  | { kind: "text"; text: string }
  | { kind: "picture" | "pdf"; url: string }
  | { kind: "none" };

const zoomStep = 1.5;
const documentKinds = ["table", "document", "labels"];

export class Sheet extends PageElement {
  private entry: Entry | null = null;
  private info: EntryInfo | null = null;
  private body: Body = { kind: "none" };
  private failure = "";
  private page = 1;
  private zoom = 0; // 0: fits
  private loads = new AbortController();
  private opener: Element | null = null;

  protected topics(): Topic[] {
    return ["ui"];
  }

  protected override render() {
    const { sheet } = this.ui;
    if (sheet !== this.entry) this.take(sheet);
    if (!sheet) return nothing;
    return html`<section class="sheet" aria-label=${sheet.name} tabindex="-1">
      <header>
        <h2 title=${sheet.path}>${sheet.name}</h2>
        <span class="muted">${this.summary()}</span>
        <span class="spring"></span>
        ${this.renderTools()}
        <button class="icon" aria-label="Close" title="Close (Esc)" @click=${() => this.ui.closeSheet()}>✕</button>
      </header>
      ${this.failure !== "" ? html`<p class="state error" role="alert">${this.failure}</p>` : nothing}
      ${this.info && this.info.kind !== "image" ? this.renderWarnings(this.info) : nothing}
      <div class="sheet-body">${this.renderBody()}</div>
    </section>`;
  }

  protected override updated(): void {
    const panel = this.querySelector<HTMLElement>(".sheet");
    if (panel && this.opener === null) {
      this.opener = document.activeElement ?? document.body;
      panel.focus({ preventScroll: true });
    } else if (!panel && this.opener) {
      if (this.opener instanceof HTMLElement && this.opener.isConnected) this.opener.focus();
      this.opener = null;
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.take(null);
  }

  private take(entry: Entry | null): void {
    this.loads.abort();
    this.loads = new AbortController();
    this.setBody({ kind: "none" });
    this.entry = entry;
    this.info = null;
    this.failure = "";
    this.page = 1;
    if (entry) void this.load(entry, this.loads.signal);
  }

  private async load(entry: Entry, signal: AbortSignal): Promise<void> {
    try {
      const info = await fetchInfo(entry, signal);
      this.info = info;
      this.requestUpdate();
      if (documentKinds.includes(info.kind)) await this.loadBody(entry, info, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.failure = `It could not be shown: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (!signal.aborted) this.requestUpdate();
  }

  private async loadBody(entry: Entry, info: EntryInfo, signal: AbortSignal): Promise<void> {
    const blob = await fetchContent(entry, this.page, signal);
    const type = info.mediaType ?? "";
    let body: Body = { kind: "none" };
    if (type === "application/json") body = bodyOfJson(info, JSON.parse(await blob.text()));
    else if (type === "text/plain") body = { kind: "text", text: await blob.text() };
    else if (type === "application/pdf") body = { kind: "pdf", url: URL.createObjectURL(blob) };
    else if (type.startsWith("image/")) body = { kind: "picture", url: URL.createObjectURL(blob) };
    if (!signal.aborted) this.setBody(body);
    else if ("url" in body) URL.revokeObjectURL(body.url);
  }

  private setBody(body: Body): void {
    if ("url" in this.body) URL.revokeObjectURL(this.body.url);
    this.body = body;
  }

  private summary(): string {
    const { info } = this;
    if (!info) return this.failure === "" ? "loading …" : "";
    const parts = [info.format ?? info.kind];
    if (info.kind === "table" && this.body.kind === "table") {
      parts.push(`${formatCount(Number(info["rows"]))} rows`, `${formatCount(Number(info["columns"]))} columns`);
    }
    if (Number(info["width"]) > 0) parts.push(`${String(info["width"])} × ${String(info["height"])}`);
    return parts.join(" · ");
  }

  private renderTools() {
    const pages = this.info?.pages ?? 1;
    const picture = this.body.kind === "picture";
    return html`${picture && pages > 1
        ? html`<span class="pages">
            <button class="icon" ?disabled=${this.page <= 1} aria-label="Page before" @click=${() => this.turnTo(this.page - 1)}>◂</button>
            page ${this.page} of ${pages}
            <button class="icon" ?disabled=${this.page >= pages} aria-label="Next page" @click=${() => this.turnTo(this.page + 1)}>▸</button>
          </span>`
        : nothing}
      ${picture
        ? html`<button aria-pressed=${this.zoom === 0} @click=${() => this.setZoom(0)}>Fit</button>
            <button aria-pressed=${this.zoom === 1} @click=${() => this.setZoom(1)}>100 %</button>
            <button class="icon" aria-label="Smaller" @click=${() => this.setZoom((this.zoom || 1) / zoomStep)}>−</button>
            <button class="icon" aria-label="Larger" @click=${() => this.setZoom((this.zoom || 1) * zoomStep)}>+</button>`
        : nothing}`;
  }

  private renderWarnings(info: EntryInfo) {
    return documentKinds.includes(info.kind) ? warningList(info) : nothing;
  }

  private renderBody(): TemplateResult | typeof nothing {
    const { body, info } = this;
    switch (body.kind) {
      case "table":
        return html`<nora-table .data=${body.data} .label=${this.entry?.name ?? ""}></nora-table>`;
      case "json":
        return html`<nora-json .value=${body.value}></nora-json>`;
      case "text":
        return html`<pre tabindex="0">${body.text}</pre>`;
      case "pdf":
        return html`<iframe title=${this.entry?.name ?? ""} src=${body.url}></iframe>`;
      case "picture":
        return this.renderPicture(body.url);
      case "none":
        if (info && !documentKinds.includes(info.kind)) return renderInfo(info);
        return this.failure === "" ? html`<p class="empty"><span class="spinner"></span> loading …</p>` : nothing;
    }
  }

  private renderPicture(url: string) {
    const width = Number(this.info?.["width"] ?? 0) * this.zoom;
    return html`<div class="sheet-picture ${this.zoom === 0 ? "fits" : ""}" tabindex="0">
      <img src=${url} alt=${this.entry?.name ?? ""} style=${styleMap(this.zoom > 0 && width > 0 ? { width: `${width}px` } : {})} />
    </div>`;
  }

  private setZoom(zoom: number): void {
    this.zoom = Math.min(16, zoom === 0 ? 0 : Math.max(1 / 16, zoom));
    this.requestUpdate();
  }

  private turnTo(page: number): void {
    const { entry, info } = this;
    if (!entry || !info) return;
    this.loads.abort();
    this.loads = new AbortController();
    this.page = page;
    const { signal } = this.loads;
    this.loadBody(entry, info, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) this.failure = String(error instanceof Error ? error.message : error);
      })
      .finally(() => this.requestUpdate());
    this.requestUpdate();
  }
}

function bodyOfJson(info: EntryInfo, value: unknown): Body {
  if (info.kind === "labels") {
    const data = labelTable(value);
    if (data) return { kind: "table", data };
  }
  const table = value as { columns?: unknown; rows?: unknown } | null;
  if (info.format !== "JSON" && Array.isArray(table?.columns) && Array.isArray(table.rows)) {
    return { kind: "table", data: table as TableData };
  }
  return { kind: "json", value };
}

customElements.define("nora-sheet", Sheet);

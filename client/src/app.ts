// The page as a whole: toolbar, files, views, layers, read-out, and what lies over them.
import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import "./layers-panel.ts";
import { Lazy } from "./lazy.ts";
import "./notices.ts";
import "./readout.ts";
import "./time-slider.ts";
import "./toolbar.ts";
import "./user-menu.ts";
import "./viewport.ts";
import "./views-panel.ts";
import { apiUrl } from "./api.ts";
import { PageElement } from "./base-element.ts";
import { bringsFiles, droppedFiles } from "./dropped-files.ts";
import type { View } from "./scene.ts";
import type { Topic } from "./session.ts";
import { Session } from "./session.ts";
import { Ui } from "./ui.ts";

const emptyViews: Pick<View, "name" | "kind">[] = [
  { name: "axial", kind: "slice" },
  { name: "coronal", kind: "slice" },
  { name: "sagittal", kind: "slice" },
  { name: "3d", kind: "volume" },
];

export class App extends PageElement {
  private readonly redraw = (): void => this.requestUpdate();
  private readonly parts = {
    login: new Lazy(() => import("./login-view.ts"), this.redraw),
    archive: new Lazy(() => import("./archive-table.ts"), this.redraw),
    sheet: new Lazy(() => import("./sheet.ts"), this.redraw),
    stats: new Lazy(() => import("./stats.ts"), this.redraw),
    help: new Lazy(() => import("./help.ts"), this.redraw),
    meta: new Lazy(() => import("./metadata-sheet.ts"), this.redraw),
    admin: new Lazy(() => import("./admin.ts"), this.redraw),
    account: new Lazy(() => import("./account-dialog.ts"), this.redraw),
    saved: new Lazy(() => import("./saved-dialog.ts"), this.redraw),
    upload: new Lazy(() => import("./upload-dialog.ts"), this.redraw),
  };

  constructor() {
    super();
    this.ui = new Ui(new Session(apiUrl("stream").replace(/^http/, "ws")));
    this.parts.archive.load(); // on its way while the server is asked who this is
  }

  protected topics(): Topic[] {
    return ["ui", "scene", "account"];
  }

  protected override render() {
    const { account } = this.session;
    if (account.state === "in") return this.renderPage();
    return this.parts.login.when(account.state === "out" || account.failed !== "", () => html`<nora-login .ui=${this.ui}></nora-login>`);
  }

  private renderPage() {
    const { ui, parts } = this;
    const views = this.session.scene.views.length > 0 ? this.session.scene.views : emptyViews;
    const full = views.some((view) => view.name === ui.fullView) ? ui.fullView : "";
    const shown = full === "" ? views.length : 1;
    return html`<nora-toolbar .ui=${ui}></nora-toolbar>
      <nora-banner .ui=${ui}></nora-banner>
      <div class="page">
        <aside class="side files ${ui.tableWide ? "wide" : ""}" aria-label="Files" ?hidden=${!ui.filesOpen && !ui.tableWide}>
          ${parts.archive.when(true, () => html`<nora-archive class=${ui.tableWide ? "wide" : ""} .ui=${ui}></nora-archive>`)}
        </aside>
        <main class="views">
          <div class="grid count-${shown}">
            ${repeat(
              views,
              (view) => `${view.name}/${view.kind}`,
              (view) =>
                html`<nora-viewport
                  .ui=${ui}
                  .name=${view.name}
                  .kind=${view.kind}
                  data-view=${view.name}
                  ?hidden=${full !== "" && view.name !== full}
                ></nora-viewport>`,
            )}
            <nora-opening .ui=${ui}></nora-opening>
            ${parts.sheet.when(ui.sheet !== null || this.hadSheet, () => html`<nora-sheet .ui=${ui}></nora-sheet>`)}
            ${parts.stats.when(ui.statsOpen, () => html`<nora-stats .ui=${ui}></nora-stats>`)}
          </div>
          <nora-time .ui=${ui}></nora-time>
          <nora-readout .ui=${ui}></nora-readout>
        </main>
        <aside class="side right" aria-label="Layers" ?hidden=${!ui.layersOpen}>
          <nora-layers .ui=${ui}></nora-layers>
          <nora-views .ui=${ui}></nora-views>
        </aside>
      </div>
      ${parts.meta.when(ui.metaOf !== null, () => html`<nora-metadata .ui=${ui}></nora-metadata>`)}
      ${parts.admin.when(ui.adminOpen, () => html`<nora-admin .ui=${ui}></nora-admin>`)}
      ${parts.account.when(ui.accountPage !== null, () => html`<nora-account .ui=${ui}></nora-account>`)}
      ${parts.saved.when(ui.savedOpen, () => html`<nora-saved .ui=${ui}></nora-saved>`)}
      ${parts.upload.when(ui.upload !== null || this.hadUpload, () => html`<nora-upload .ui=${ui}></nora-upload>`)}
      <nora-toasts .ui=${ui}></nora-toasts>
      ${parts.help.when(ui.helpOpen || this.hadHelp, () => html`<nora-help .ui=${ui}></nora-help>`)}`;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("dragover", this.draggedOver);
    window.addEventListener("drop", this.dropped);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("dragover", this.draggedOver);
    window.removeEventListener("drop", this.dropped);
  }

  /** Without this the browser would leave the page for a file that is dropped on it. */
  private readonly draggedOver = (event: DragEvent): void => {
    if (bringsFiles(event)) event.preventDefault();
  };

  private readonly dropped = (event: DragEvent): void => {
    if (!bringsFiles(event) || !event.dataTransfer || event.defaultPrevented) return;
    event.preventDefault();
    if (this.session.account.state === "in" && !this.ui.upload) this.ui.update({ upload: droppedFiles(event.dataTransfer) });
  };

  // Once drawn they stay: they give the focus back when they close; uploads go on.
  private get hadUpload(): boolean {
    return this.querySelector("nora-upload") !== null;
  }

  private get hadSheet(): boolean {
    return this.querySelector("nora-sheet") !== null;
  }

  private get hadHelp(): boolean {
    return this.querySelector("nora-help") !== null;
  }
}

customElements.define("nora-app", App);

// The page as a whole: toolbar, files, views, layers, read-out, and what lies over them.
import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import "./catalogue-panel.ts";
import "./help.ts";
import "./layers-panel.ts";
import "./notices.ts";
import "./readout.ts";
import "./sheet.ts";
import "./stats.ts";
import "./time-slider.ts";
import "./toolbar.ts";
import "./viewport.ts";
import "./views-panel.ts";
import { PageElement } from "./base-element.ts";
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
  constructor() {
    super();
    const url = new URL("api/v1/stream", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.ui = new Ui(new Session(url.href));
  }

  protected topics(): Topic[] {
    return ["ui", "scene"];
  }

  protected override render() {
    const { ui } = this;
    const views = this.session.scene.views.length > 0 ? this.session.scene.views : emptyViews;
    const full = views.some((view) => view.name === ui.fullView) ? ui.fullView : "";
    const shown = full === "" ? views.length : 1;
    return html`<nora-toolbar .ui=${ui}></nora-toolbar>
      <nora-banner .ui=${ui}></nora-banner>
      <div class="page">
        <aside class="side files" aria-label="Files" ?hidden=${!ui.filesOpen}>
          <nora-catalogue .ui=${ui}></nora-catalogue>
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
            <nora-sheet .ui=${ui}></nora-sheet>
            <nora-stats .ui=${ui}></nora-stats>
          </div>
          <nora-time .ui=${ui}></nora-time>
          <nora-readout .ui=${ui}></nora-readout>
        </main>
        <aside class="side right" aria-label="Layers" ?hidden=${!ui.layersOpen}>
          <nora-layers .ui=${ui}></nora-layers>
          <nora-views .ui=${ui}></nora-views>
        </aside>
      </div>
      <nora-toasts .ui=${ui}></nora-toasts>
      <nora-help .ui=${ui}></nora-help>`;
  }
}

customElements.define("nora-app", App);

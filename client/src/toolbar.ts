// The bar at the top: brand, what is open, the switches of the whole page, the state of the connection.
import { html } from "lit";
import { PageElement } from "./base-element.ts";
import type { Topic } from "./session.ts";

const connectionTexts = { open: "connected", connecting: "connecting …", waiting: "not connected" };

export class Toolbar extends PageElement {
  protected topics(): Topic[] {
    return ["scene", "images", "ui", "status", "names"];
  }

  protected override render() {
    const { scene, connection } = this.session;
    const background = scene.layers[0];
    const radiological = scene.convention === "radiological";
    const state = connection.state;
    return html`<header class="toolbar">
      ${this.toggle("☰", "Files", "filesOpen", "Show or hide the list of files")}
      <h1 class="brand">nora</h1>
      <span class="title" title=${background?.source.path ?? ""}>${background ? this.session.layerName(background) : ""}</span>
      <span class="spring"></span>
      <button
        class="convention"
        aria-label="Convention: ${scene.convention}. Switch."
        title="${radiological ? "Radiological: the patient's right is at the left of the picture" : "Neurological: the patient's left is at the left of the picture"} (N switches)"
        @click=${() => this.ui.toggleConvention()}
      >
        <b>${radiological ? "R│L" : "L│R"}</b> ${radiological ? "radiological" : "neurological"}
      </button>
      ${this.toggle("✛", "Crosshair", "crosshairVisible", "Show or hide the crosshair (X)")}
      <button title="Centre the crosshair (C)" @click=${() => this.ui.navigation.centreCrosshair()}>Centre</button>
      <button title="Reset zoom, centre and camera of all views (R)" @click=${() => this.ui.navigation.resetViews()}>Reset</button>
      <button aria-pressed=${this.ui.sheet !== null} title="What is known of the selected image: header, labels, b-values (I)" @click=${() => this.ui.toggleInfo()}>Info</button>
      <button aria-haspopup="dialog" title="Keep this arrangement, open one that was kept, share it by a link" @click=${() => this.ui.update({ savedOpen: true })}>Saved</button>
      <button aria-haspopup="dialog" title="Mouse, touch and keys (?)" @click=${() => this.ui.update({ helpOpen: true })}>Help</button>
      <span class="connection ${state}" role="status" title=${connectionTexts[state]} aria-label=${connectionTexts[state]}></span>
      <nora-user .ui=${this.ui}></nora-user>
      ${this.toggle("◧", "Layers", "layersOpen", "Show or hide the layers")}
    </header>`;
  }

  private toggle(sign: string, text: string, key: "filesOpen" | "layersOpen" | "crosshairVisible", title: string) {
    const on = this.ui[key];
    return html`<button class="toggle ${key}" aria-pressed=${on} title=${title} @click=${() => this.ui.update({ [key]: !on })}>
      <span aria-hidden="true">${sign}</span> ${text}
    </button>`;
  }
}

customElements.define("nora-toolbar", Toolbar);

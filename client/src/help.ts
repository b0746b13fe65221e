// The help dialog: every gesture and key.
import { html, nothing } from "lit";
import { PageElement } from "./base-element.ts";
import type { Topic } from "./session.ts";

const slices = [
  ["Click, drag", "move the crosshair"],
  ["Wheel", "scroll by one slice"],
  ["Ctrl + wheel", "zoom about the cursor"],
  ["Right drag", "move the picture"],
  ["Middle drag, W + drag", "window of the selected layer: right wider, up brighter"],
  ["Double click", "one view alone, and back"],
  [", .", "thinner, thicker slab"],
  ["M", "what a slab shows: maximum, minimum, mean; off"],
];
const volume = [
  ["Drag", "rotate"],
  ["Wheel", "zoom"],
  ["Right drag", "move the picture"],
  ["Double click", "crosshair to what is there: surface, streamline, image"],
  ["M", "shaded, maximum, minimum, mean, isosurface"],
];
const transfer = [
  ["Drag, arrow keys", "move a point of the curve; with Shift faster"],
  ["Double click", "a new point"],
  ["Delete, drag far up or down", "takes a point away"],
];
const touch = [
  ["One finger", "crosshair, or rotate in 3D"],
  ["Two fingers", "move and zoom"],
  ["Double tap", "one view alone, and back; in 3D the crosshair goes there"],
];
const keys = [
  ["↑ ↓ ← →", "scroll by one slice"],
  ["Page Up, Page Down", "scroll by ten slices"],
  ["+ −", "zoom"],
  ["1 2 3 4", "axial, coronal, sagittal, 3D alone"],
  ["F, Esc", "the view under the cursor alone; back"],
  ["Esc", "stop what is being loaded"],
  ["R", "reset zoom, centre and camera"],
  ["C", "centre the crosshair"],
  ["I", "what is known of the selected image; back"],
  ["X", "show or hide the crosshair"],
  ["N", "radiological or neurological"],
  ["Space", "play or stop a time series"],
  ["[ ]", "time step back, forward"],
  ["~", "times from input to picture"],
  ["?", "this help"],
];
const files = [
  ["Click, Enter", "open as the background; surfaces and tracts with their T1; tables and documents in a panel"],
  ["+, Shift + click, drag onto a view", "add as an overlay"],
  ["Right click, Shift + F10", "menu: metadata, tags, download, copy path"],
  ["T", "the table over the views, and back"],
  ["Space, Ctrl + click", "select, unselect (in the table click and Shift + click, too)"],
  ["Ctrl + A, Esc", "select all that was found; nothing"],
  ["Letters", "go to the name that begins so"],
  ["Ctrl + C", "copy paths"],
  ["Drop on the page", "add files, folders or zips to a project; so does + above the list"],
];

export class HelpDialog extends PageElement {
  private opener: Element | null = null;

  protected topics(): Topic[] {
    return ["ui"];
  }

  protected override render() {
    if (!this.ui.helpOpen) return nothing;
    return html`<dialog class="help" aria-label="Help" @close=${() => this.ui.update({ helpOpen: false })} @click=${this.clicked}>
      <div class="help-body">
        <header><h2>Mouse, touch and keys</h2><button class="icon" aria-label="Close" @click=${() => this.dialog()?.close()}>✕</button></header>
        <div class="help-columns">
          ${table("Slices", slices)}${table("3D", volume)}${table("Opacity curve (layer, In 3D)", transfer)}${table("Touch", touch)}${table("Files", files)}${table("Keys", keys)}
        </div>
        <p class="muted">nora ${this.session.serverVersion}. Not a medical device: not for diagnosis or treatment.</p>
      </div>
    </dialog>`;
  }

  protected override updated(): void {
    const dialog = this.dialog();
    if (dialog && !dialog.open) {
      this.opener = document.activeElement;
      dialog.showModal();
    } else if (!dialog && this.opener instanceof HTMLElement) {
      this.opener.focus();
      this.opener = null;
    }
  }

  private dialog(): HTMLDialogElement | null {
    return this.querySelector("dialog");
  }

  private clicked(event: Event): void {
    if (event.target === this.dialog()) this.dialog()?.close(); // the backdrop
  }
}

function table(title: string, rows: string[][]) {
  return html`<section>
    <h3>${title}</h3>
    <dl>
      ${rows.map(([what, does]) => html`<dt>${what}</dt><dd>${does}</dd>`)}
    </dl>
  </section>`;
}

customElements.define("nora-help", HelpDialog);

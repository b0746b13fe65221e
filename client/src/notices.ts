// What the page has to say: toasts, the banner of a lost connection, and the progress of an image that is opening.
import { html, nothing } from "lit";
import { PageElement } from "./base-element.ts";
import { progressBar } from "./progress-bar.ts";
import type { Topic } from "./session.ts";

export class Toasts extends PageElement {
  protected topics(): Topic[] {
    return ["toasts"];
  }

  protected override render() {
    return html`<div class="toasts" aria-live="polite">
      ${this.session.toasts.shown.map(
        (toast) =>
          html`<div class="toast ${toast.kind}" role=${toast.kind === "error" ? "alert" : "status"}>
            <span>${toast.text}</span>
            <button class="icon" aria-label="Dismiss" @click=${() => this.session.toasts.dismiss(toast.id)}>✕</button>
          </div>`,
      )}
    </div>`;
  }
}

export class Banner extends PageElement {
  private timer = 0;

  protected topics(): Topic[] {
    return ["status"];
  }

  protected override render() {
    const { connection, serverVersion } = this.session;
    clearTimeout(this.timer);
    if (connection.state === "open" || (connection.state === "connecting" && connection.reason === "")) return nothing;
    const seconds = Math.max(0, Math.ceil((connection.retryAt - performance.now()) / 1000));
    if (connection.state === "waiting") this.timer = window.setTimeout(() => this.requestUpdate(), 250);
    const what = serverVersion === "" ? "No connection to the server" : "The connection to the server was closed";
    return html`<div class="banner" role="alert">
      <span><b>${what}</b>: ${connection.reason}. ${connection.state === "waiting" ? `Trying again in ${seconds} s.` : "Trying again …"}</span>
      <button ?disabled=${connection.state !== "waiting"} @click=${() => connection.connect()}>Retry now</button>
    </div>`;
  }
}

/** Over the views: "loading NAME ...", how far it is and a way to stop it; or why it failed. */
export class OpeningNotice extends PageElement {
  protected topics(): Topic[] {
    return ["ui", "images", "scene", "progress"];
  }

  protected override render() {
    const { openFailure } = this.session;
    if (openFailure) {
      return html`<div class="opening failure" role="alert">
        <p><b>${openFailure.name}</b> could not be opened.</p>
        <p>${openFailure.text}</p>
        <button @click=${() => this.session.dismissFailure()}>Close</button>
      </div>`;
    }
    const failed = this.failedBackground();
    if (failed) {
      return html`<div class="opening failure" role="alert"><p><b>${failed.name}</b> could not be read.</p><p>${failed.text}</p></div>`;
    }
    const { id, name } = this.loading();
    if (name === "") return nothing;
    const covers = ![...this.session.images.values()].some((image) => image.state === "ready");
    return html`<div class="opening ${covers ? "" : "small"}">
      <div class="loading">
        <span role="status"><span class="spinner"></span> loading ${name} …</span>
        <button
          class="icon"
          ?disabled=${id === ""}
          aria-label="Stop loading ${name}"
          title="Stop loading (Esc)"
          @click=${() => this.session.cancelLoad(id)}
        >
          ✕
        </button>
      </div>
      ${this.session.progress.has(id) ? progressBar(this.session.progress.get(id), `loading ${name}`) : nothing}
    </div>`;
  }

  private loading(): { id: string; name: string } {
    const { opening, scene, images } = this.session;
    if (opening) return { id: this.session.openingLayer(), name: opening.entry.name };
    const layer = scene.layers.find((each) => (images.get(each.id)?.state ?? "loading") === "loading");
    return layer ? { id: layer.id, name: this.session.layerName(layer) } : { id: "", name: "" };
  }

  private failedBackground(): { name: string; text: string } | null {
    const layer = this.session.scene.layers[0];
    const image = layer && this.session.images.get(layer.id);
    if (!layer || image?.state !== "failed" || this.session.opening) return null;
    return { name: this.session.layerName(layer), text: image.error };
  }
}

customElements.define("nora-toasts", Toasts);
customElements.define("nora-banner", Banner);
customElements.define("nora-opening", OpeningNotice);

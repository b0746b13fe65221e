// What the page's components share: no shadow root (one style sheet, labels and tests reach everything), and a redraw
// when a topic of the session changes.
import { LitElement } from "lit";
import { Watch } from "./emitter.ts";
import type { Session, Topic } from "./session.ts";
import type { Ui } from "./ui.ts";

export abstract class PageElement extends LitElement {
  static override properties = { ui: { attribute: false } };
  declare ui: Ui;

  /** Topics after which the component draws itself anew. */
  protected abstract topics(): Topic[];

  constructor() {
    super();
    new Watch(
      this,
      () => this.ui.session.events,
      this.topics(),
      (job) => (this.isPatient() ? this.session.afterPicture.run(job) : job()),
    );
  }

  /** True if the component may be redrawn after the picture that an edit asks for; nothing that takes input may. */
  protected isPatient(): boolean {
    return false;
  }

  protected get session(): Session {
    return this.ui.session;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}

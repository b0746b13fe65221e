// Adding files to a project: chosen or dropped, where they go, and how far they are.
import { html, nothing } from "lit";
import { sendJson, textOf } from "./api.ts";
import type { Project } from "./archive.ts";
import { PageElement } from "./base-element.ts";
import { bringsFiles, chosenFiles, droppedFiles, sorted, type Dropped } from "./dropped-files.ts";
import { formatBytes, formatCount } from "./format.ts";
import { progressBar } from "./progress-bar.ts";
import type { Topic } from "./session.ts";
import { Uploads } from "./uploads.ts";

const listed = 6;
const filesText = (count: number): string => `${formatCount(count)} ${count === 1 ? "file" : "files"}`;

export class UploadPanel extends PageElement {
  private readonly uploads = new Uploads(() => this.requestUpdate());
  private files: Dropped[] = [];
  private chosenProject: number | null = null; // 0: a new one
  private folder = "";
  private unpack = true;
  private trouble = "";
  private reading = false;
  private readonly warn = (event: BeforeUnloadEvent): void => {
    if (this.uploads.isBusy) event.preventDefault();
  };

  protected topics(): Topic[] {
    return ["ui", "archive", "account"];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("beforeunload", this.warn);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("beforeunload", this.warn);
  }

  private get targets(): Project[] {
    return this.session.archive.projects.filter((project) => !project.inPlace && project.showsIdentity && project.rights.includes("edit"));
  }

  /** The chosen one as long as it is there; 0: a new one. */
  private get project(): number {
    const { targets, chosenProject } = this;
    const isThere = chosenProject === 0 ? this.session.account.isAdministrator : targets.some(({ id }) => id === chosenProject);
    return isThere && chosenProject !== null ? chosenProject : (targets[0]?.id ?? 0);
  }

  protected override render() {
    return html`${this.ui.upload ? this.renderDialog() : nothing} ${this.uploads.all.length > 0 ? this.renderProgress() : nothing}`;
  }

  protected override updated(): void {
    const dialog = this.querySelector("dialog");
    if (!dialog || dialog.open) return;
    dialog.showModal();
    if (this.ui.upload) void this.take(this.ui.upload);
  }

  private renderDialog() {
    const { targets } = this;
    const { taken, hidden, empty } = sorted(this.files);
    const left = [hidden > 0 ? `${filesText(hidden)} that systems hide` : "", empty > 0 ? `${filesText(empty)} without content` : ""].filter((text) => text !== "").join(" and ");
    const hasZip = taken.some(({ path }) => /\.zip$/i.test(path));
    return html`<dialog
      class="dialog broad"
      aria-label="Add files"
      @close=${() => this.close()}
      @keydown=${(event: Event) => event.stopPropagation()}
      @dragover=${(event: DragEvent) => event.preventDefault()}
      @drop=${this.dropped}
    >
      <form
        @submit=${(event: SubmitEvent) => {
          event.preventDefault();
          void this.start(event.target as HTMLFormElement);
        }}
      >
        <header><h2>Add files to a project</h2><span class="spring"></span><button type="button" class="icon" aria-label="Close" @click=${() => this.close()}>✕</button></header>
        ${this.renderTarget(targets)}
        <label>
          Folder in the project
          <input
            type="text"
            name="folder"
            autocomplete="off"
            spellcheck="false"
            placeholder="subject/study"
            title="Two folders make subject and study. Without them the folders of what you add do; DICOM files tell them by themselves"
            .value=${this.folder}
            @input=${(event: InputEvent) => (this.folder = (event.target as HTMLInputElement).value)}
          />
        </label>
        <div class="drop-place">
          ${this.reading
            ? html`<p>Looking for files …</p>`
            : taken.length > 0
              ? html`<p><b>${filesText(taken.length)}</b>, ${formatBytes(taken.reduce((sum, { file }) => sum + file.size, 0))}</p>
                  <ul>
                    ${taken.slice(0, listed).map(({ path }) => html`<li><bdi>${path}</bdi></li>`)}
                    ${taken.length > listed ? html`<li class="muted">and ${formatCount(taken.length - listed)} more</li>` : nothing}
                  </ul>`
              : html`<p>Drop files, folders or zips here</p>`}
          ${left === "" ? nothing : html`<p class="muted">Left out: ${left}.</p>`}
          <p>
            <label class="button">Choose files … <input type="file" multiple @change=${this.chosen} /></label>
            <label class="button">Choose a folder … <input type="file" webkitdirectory @change=${this.chosen} /></label>
          </p>
        </div>
        ${hasZip
          ? html`<label class="check"><input type="checkbox" .checked=${this.unpack} @change=${(event: Event) => (this.unpack = (event.target as HTMLInputElement).checked)} /> unpack zips</label>`
          : nothing}
        <p class="muted">Nothing is overwritten: where another file of the same name is, the new one is refused.</p>
        <p class="error" role="alert">${this.trouble}</p>
        <footer>
          <span class="spring"></span><button type="button" @click=${() => this.close()}>Cancel</button>
          <button class="primary" ?disabled=${taken.length === 0 || this.reading || (targets.length === 0 && !this.session.account.isAdministrator)}>Add ${taken.length > 0 ? filesText(taken.length) : ""}</button>
        </footer>
      </form>
    </dialog>`;
  }

  private renderTarget(targets: Project[]) {
    const mayMake = this.session.account.isAdministrator;
    const chosen = this.project;
    if (targets.length === 0 && !mayMake) {
      return html`<p class="error">There is no project to which you may add files: ask an administrator for the right to edit one. Projects that show a folder as it is take no uploads: copy files there.</p>`;
    }
    return html`${targets.length > 0
      ? html`<label>
          Project
          <select @change=${(event: Event) => this.choose(Number((event.target as HTMLSelectElement).value))}>
            ${targets.map((project) => html`<option value=${project.id} ?selected=${project.id === chosen}>${project.title || project.name}</option>`)}
            ${mayMake ? html`<option value="0" ?selected=${chosen === 0}>A new project …</option>` : nothing}
          </select>
        </label>`
      : html`<p class="muted">The projects that there are show folders as they are, and take no uploads. A new one gets a folder of its own.</p>`}
    ${chosen === 0 ? html`<label>Name of the new project <input type="text" name="project" required maxlength="190" autocomplete="off" /></label>` : nothing}`;
  }

  private renderProgress() {
    const { uploads } = this;
    const { sent, all } = uploads.bytes;
    const failed = uploads.all.filter(({ state }) => state === "failed");
    const done = uploads.count("stored", "there");
    const there = uploads.count("there");
    return html`<section class="uploads" aria-label="Uploads">
      ${uploads.isBusy
        ? html`<header>
              <b>${formatCount(done)} of ${filesText(uploads.all.length - failed.length)}</b><span class="spring"></span>
              <button @click=${() => void uploads.stop()}>Stop</button>
            </header>
            ${progressBar(all > 0 ? sent / all : 0, "Uploaded")}
            <p class="muted">${uploads.pause === "" ? `${formatBytes(sent)} of ${formatBytes(all)}` : uploads.pause}</p>`
        : html`<header>
            <b>${filesText(done)} added</b>${there > 0 ? html`<span class="muted">, ${there === done ? "which were" : `${formatCount(there)} of which were`} there already</span>` : nothing}
            <span class="spring"></span>
            <button class="icon" aria-label="Close" @click=${() => uploads.clear()}>✕</button>
          </header>`}
      ${failed.length > 0
        ? html`<p class="error" role="alert">${filesText(failed.length)} could not be added:</p>
            <ul>
              ${failed.slice(0, listed).map(({ path, reason }) => html`<li><bdi>${reason.startsWith(path) ? reason : `${path}: ${reason}`}</bdi></li>`)}
            </ul>
            <button @click=${() => uploads.again()}>Try again</button>`
        : nothing}
    </section>`;
  }

  private readonly chosen = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    if (input.files) this.addFiles(chosenFiles(input.files));
    input.value = "";
  };

  private readonly dropped = (event: DragEvent): void => {
    if (!bringsFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    event.stopPropagation();
    void this.take(droppedFiles(event.dataTransfer));
  };

  private async take(files: Promise<Dropped[]>): Promise<void> {
    this.reading = true;
    this.requestUpdate();
    try {
      this.addFiles(await files);
    } catch (error) {
      this.trouble = `What was dropped cannot be read: ${textOf(error)}`;
    }
    this.reading = false;
    this.requestUpdate();
  }

  private addFiles(files: Dropped[]): void {
    const known = new Set(this.files.map(({ path }) => path));
    this.files.push(...files.filter(({ path }) => !known.has(path)));
    this.trouble = "";
    this.requestUpdate();
  }

  private choose(project: number): void {
    this.chosenProject = project;
    this.requestUpdate();
  }

  private async start(form: HTMLFormElement): Promise<void> {
    const named = form.querySelector<HTMLInputElement>("input[name=project]");
    let { project } = this; // where to does not change any more, whatever the list of projects does meanwhile
    try {
      if (named) {
        project = (await sendJson<Project>("POST", "projects", { name: named.value.trim(), inPlace: false })).id;
        await this.session.archive.loadProjects();
      }
    } catch (error) {
      this.trouble = textOf(error);
      return this.requestUpdate();
    }
    const above = this.folder
      .split("/")
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .map((part) => `${part}/`)
      .join("");
    const { taken } = sorted(this.files);
    this.chosenProject = project;
    this.uploads.add(
      project,
      taken.map(({ file, path }) => ({ file, path: above + path })),
      this.unpack,
    );
    this.close();
  }

  private close(): void {
    this.files = [];
    this.folder = this.trouble = "";
    this.ui.update({ upload: null });
  }
}

customElements.define("nora-upload", UploadPanel);

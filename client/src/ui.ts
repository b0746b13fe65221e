// What the page itself remembers: which view is full, which panels are open, what is playing. None of it is in the scene.
import type { Dropped } from "./dropped-files.ts";
import type { Entry, Row } from "./rows.ts";
import { Navigation, type Picture } from "./navigation.ts";
import type { Session } from "./session.ts";

export type Fps = 1 | 2 | 5 | 10 | 20 | 30;
export const frameRates: Fps[] = [1, 2, 5, 10, 20, 30];

export type AccountPage = "password" | "tokens" | "sessions";

const narrowPage = "(max-width: 900px)";

export class Ui {
  readonly navigation: Navigation;
  readonly pictures = new Map<string, Picture>(); // the last picture of each view
  fullView = "";
  activeView = "";
  crosshairVisible = true;
  filesOpen = !window.matchMedia(narrowPage).matches;
  layersOpen = !window.matchMedia(narrowPage).matches;
  helpOpen = false;
  statsOpen = false;
  playing = false;
  framesPerSecond: Fps = 5;
  sheet: Entry | null = null; // what the panel over the views shows
  tableWide = false; // the table lies over the views
  metaOf: Row | null = null; // whose metadata are shown
  adminOpen = false;
  savedOpen = false; // arrangements that are kept, and links to this one
  upload: Promise<Dropped[]> | null = null; // files that are to be added to a project; the dialog is open
  accountPage: AccountPage | null = null;
  readonly folds = new Set<string>(); // of the panels, that are open
  windowKeyDown = false; // W is held: a drag windows

  constructor(readonly session: Session) {
    this.navigation = new Navigation(session);
  }

  update(change: Partial<Ui>): void {
    Object.assign(this, change);
    this.session.events.emit("ui");
  }

  /** On a narrow page the list of files lies over the views. */
  uncoverViews(): void {
    if (window.matchMedia(narrowPage).matches) this.update({ filesOpen: false });
  }

  openSheet(entry: Entry): void {
    this.update({ sheet: entry });
    this.uncoverViews();
  }

  closeSheet(): void {
    this.update({ sheet: null });
  }

  /** What is known of the selected image, or of the background. */
  toggleInfo(): void {
    const { session } = this;
    const layer = session.layer(session.selectedLayer) ?? session.scene.layers[0];
    const entry = layer && session.archive.find(layer.source);
    if (this.sheet || !layer) this.closeSheet();
    else if (entry) this.openSheet(entry);
    else session.toast("note", `${session.layerName(layer)} is not in the archive`);
  }

  /** The keys of the views work: after an image was opened from the list. */
  focusViews(): void {
    const slices = this.session.scene.views.filter((view) => view.kind === "slice").map((view) => view.name);
    const name = this.fullView || (slices.includes(this.activeView) ? this.activeView : slices[0]);
    if (!name) return;
    document.querySelector<HTMLElement>(`nora-viewport[data-view="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
  }

  toggleFull(view: string): void {
    this.update({ fullView: this.fullView === view ? "" : view });
  }

  /** The layer that the time slider and the time keys act on: the selected one, else the first with time. */
  timeLayer(): { id: string; points: number; time: number } | null {
    const { scene, selectedLayer } = this.session;
    const selected = scene.layers.filter((layer) => layer.id === selectedLayer);
    for (const layer of [...selected, ...scene.layers]) {
      const points = this.timePoints(layer.id);
      if (points > 1) return { id: layer.id, points, time: Math.min(layer.time, points - 1) };
    }
    return null;
  }

  timePoints(layerId: string): number {
    return this.session.images.get(layerId)?.info?.timePoints ?? this.session.shownData(layerId)?.timePoints ?? 1;
  }

  setTime(time: number, tEvent = performance.now()): void {
    const layer = this.timeLayer();
    if (!layer) return;
    const wrapped = ((Math.round(time) % layer.points) + layer.points) % layer.points;
    if (wrapped !== layer.time) this.session.store.setLayer(layer.id, "time", wrapped, tEvent);
  }

  toggleConvention(): void {
    const radiological = this.session.scene.convention === "radiological";
    this.session.store.set("/convention", radiological ? "neurological" : "radiological");
  }

  /** Plays while `playing`: a step when it is due and the picture of the last one was shown. */
  play(): void {
    let due = performance.now();
    const step = (now: number): void => {
      if (!this.playing) return;
      if (!this.timeLayer()) {
        this.update({ playing: false });
        return;
      }
      const interval = 1000 / this.framesPerSecond;
      if (now >= due && (this.stepIsShown() || now >= due + 1000)) {
        due = Math.max(due + interval, now);
        this.setTime(this.timeLayer()!.time + 1);
      }
      requestAnimationFrame(step);
    };
    this.update({ playing: true });
    requestAnimationFrame(step);
  }

  togglePlay(): void {
    if (this.playing) this.update({ playing: false });
    else if (this.timeLayer()) this.play();
  }

  private stepIsShown(): boolean {
    const { lastInput } = this.session.store;
    if (this.session.scene.layers.some(({ id }) => this.session.awaited(id)?.state === "loading")) return false;
    return [...this.pictures.keys()].some((view) => (this.session.trace.lastPresented(view)?.input ?? 0) >= lastInput);
  }
}

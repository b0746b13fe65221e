// The page's side of one session: connection, scene, images, frames and read-out tied together.
// Components read its state and call its methods; they never speak to the socket.
import { AfterPicture } from "./after-picture.ts";
import { Ahead, type AheadPicture } from "./ahead.ts";
import { Account } from "./account.ts";
import { textOf } from "./api.ts";
import { Archive } from "./archive.ts";
import { decodableCodecs } from "./decoder.ts";
import { Emitter } from "./emitter.ts";
import { FramePipeline } from "./frames.ts";
import type { Vec3 } from "./geometry.ts";
import { keptSession } from "./kept-session.ts";
import { Looks } from "./looks.ts";
import { planOpening } from "./overlay-source.ts";
import { Probes } from "./probes.ts";
import {
  layerState,
  protocolVersion,
  type AwaitedTime,
  type Hello,
  type LayerState,
  type Pick,
  type ServerMessage,
} from "./protocol.ts";
import type { Entry } from "./rows.ts";
import type { ImageInfo, Layer, Operation, Scene } from "./scene.ts";
import { gridAround, shownData, type ShapeData } from "./shapes.ts";
import { isShape, type Step } from "./shape-source.ts";
import { planOpeningShape } from "./shape-opening.ts";
import { SceneStore } from "./store.ts";
import { ToastList, type Toast } from "./toast-list.ts";
import { Trace } from "./trace.ts";
import { ViewportSizes } from "./viewport-sizes.ts";
import { Connection, notAllowed, takenOver } from "./websocket.ts";

export type Topic = "scene" | "images" | "status" | "account" | "archive" | "names" | "values" | "ui" | "toasts" | "progress";

export interface Opening {
  input: number;
  entry: Entry;
  as: "new" | "overlay";
}

/** Equal but for the order of keys. */
function sameJson(a: unknown, b: unknown): boolean {
  const sorted = (_: string, value: unknown): unknown => {
    const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
    return isObject ? Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1))) : value;
  };
  return JSON.stringify(a, sorted) === JSON.stringify(b, sorted);
}

const waitForT1Ms = 2_000; // before the first start takes an image that does not look like a T1

/** True if more of an image that is there is being loaded. */
export function isComing(image: LayerState): boolean {
  return image.held !== null && (!image.restStopped || image.awaited?.state === "loading");
}

export class Session {
  readonly events = new Emitter<Topic>();
  readonly trace = new Trace();
  readonly looks = new Looks();
  readonly afterPicture = new AfterPicture();
  readonly account = new Account(
    () => this.accountChanged(),
    () => this.startAfresh(),
  );
  readonly archive = new Archive(
    () => this.archiveChanged(),
    () => this.events.emit("names"),
  );
  readonly images = new Map<string, LayerState>();
  readonly progress = new Map<string, number>(); // 0..1 of the layers that are being loaded, once the server tells
  readonly store = new SceneStore({
    sendPatch: (patch, tEvent) => this.sendEdit(patch, tEvent),
    canEdit: () => this.greeted,
    edited: () => this.afterPicture.expect(),
    changed: () => this.sceneChanged(),
  });
  readonly frames = new FramePipeline(this.trace, {
    send: (message) => void this.connection.send(message),
    shows: (header) => this.looks.presented(header.view, header.input, header.quality),
    presented: () => {
      this.afterPicture.release();
      this.ahead.soon();
    },
    ahead: (header, picture) => this.ahead.take(header, picture),
    complain: (text) => this.toast("error", text),
    videoFailed: () => {
      this.prefer("jpeg", this.preferred.still);
      this.toast("note", "This browser cannot decode the video: moving pictures come as JPEG from now on.");
    },
  });
  readonly viewports = new ViewportSizes(
    () => this.scene.views.map(({ name }) => name),
    (message) => this.sendInput(message) !== 0,
  );
  readonly ahead: Ahead = new Ahead({
    scene: () => this.scene,
    revision: () => this.revision,
    focusedView: () => this.viewports.focus,
    headerOf: (view) => this.frames.headerOf(view),
    sizeOf: (view) => this.viewports.get(view),
    background: () => this.background(),
    send: (message) => void this.connection.send(message),
  });
  revision = 0; // of the layers and their images as the server told them last; see FrameHeader
  readonly probes = new Probes(
    (mm) => (this.scene.layers.length > 0 ? this.sendInput({ type: "probe", mm }) : 0),
    () => this.events.emit("values"),
  );
  readonly connection: Connection;
  readonly toasts = new ToastList(() => this.events.emit("toasts"));
  opening: Opening | null = null;
  openFailure: { name: string; text: string } | null = null;
  selectedLayer = "";
  serverVersion = "";
  serverCodecs: string[] = []; // that may come here
  preferred = { moving: "auto", still: "auto" };
  private codecs: string[] | null = null; // not known yet
  private inputs = 0;
  private greeted = false;
  private readonly ownScenes = new Set<number>();
  private startedAt = 0;
  private seeking = false; // something to begin with
  private userOpened = false;
  private following: Entry[] = []; // overlays that wait for what they lie over
  private wishes = 0; // of the user, to open something: the newest wins
  private picking = 0; // input of the question
  private picked: Pick | null = null;

  constructor(url: string) {
    this.connection = new Connection(url, {
      message: (message) => this.receive(message),
      frame: (data, tReceive) => void this.frames.receive(data, tReceive),
      changed: () => this.connectionChanged(),
      start: () => this.startMessage(),
    });
  }

  get scene(): Scene {
    return this.store.scene;
  }

  /** True if the server hears and draws what is done here. */
  get connected(): boolean {
    return this.greeted;
  }

  async start(): Promise<void> {
    void this.account.ask();
    this.codecs = await decodableCodecs();
    this.accountChanged();
  }

  // ---- images

  /** The grid of the first image, or one around the shapes where there is none; null while nothing is open. */
  background(): ImageInfo | null {
    const states = this.scene.layers.flatMap(({ id }) => this.images.get(id) ?? []);
    const image = states.find(({ info }) => info !== null);
    return image?.info ?? gridAround(states.flatMap(({ shape }) => shape ?? []));
  }

  /** The values that give a surface or streamlines their colours; null of images and where there are none. */
  shownData(id: string): ShapeData | null {
    const [layer, shape] = [this.layer(id), this.images.get(id)?.shape];
    return layer && shape ? shownData(layer, shape) : null;
  }

  layer(id: string): Layer | undefined {
    return this.scene.layers.find((layer) => layer.id === id);
  }

  layerName(layer: Layer): string {
    const entry = this.archive.find(layer.source); // a series has a better name than its folder
    return entry?.name || this.images.get(layer.id)?.name || (layer.source.path.split("/").pop() ?? layer.id);
  }

  select(layerId: string): void {
    if (this.selectedLayer === layerId) return;
    this.selectedLayer = layerId;
    this.events.emit("ui");
  }

  open(entry: Entry, as: "new" | "overlay"): void {
    this.userOpened = true;
    if (entry.state !== "ready") {
      this.toast("error", `${entry.name} cannot be opened: ${entry.reason || "the format is not supported"}`, "open");
      return;
    }
    ++this.wishes;
    this.archive.remember([entry]);
    if (isShape(entry)) return void this.openShape(entry, as);
    if (entry.sourceSeries !== "") return void this.openDrawn(entry, as);
    this.openSteps([{ entry, as: this.scene.layers.length > 0 ? as : "new" }]);
  }

  /** What was drawn on a series goes over that. */
  private async openDrawn(entry: Entry, as: "new" | "overlay"): Promise<void> {
    const wish = this.wishes;
    const beside = await this.entriesBeside(entry);
    if (wish !== this.wishes) return;
    const shown = this.scene.layers.map((layer) => layer.source);
    const plan = planOpening(entry, as, shown, beside);
    this.openSteps([...(plan.source ? [{ entry: plan.source, as: "new" } as const] : []), { entry, as: plan.as }]);
  }

  /** The files of the same subject; only itself where they cannot be fetched, which is said. */
  async entriesBeside(entry: Entry): Promise<Entry[]> {
    try {
      return await this.archive.beside(entry);
    } catch (error) {
      this.toast("error", `What belongs to ${entry.name} could not be looked up: ${textOf(error)}`, "open");
      return [entry];
    }
  }

  /** With the image behind it, values with their mesh. The second of two clicks does nothing more. */
  private async openShape(entry: Entry, as: "new" | "overlay"): Promise<void> {
    if (this.opening?.entry === entry || this.following.includes(entry)) return;
    const shown = this.scene.layers.find(({ source }) => this.archive.find(source) === entry);
    if (shown && as === "new") return this.select(shown.id);
    const wish = this.wishes;
    const { steps, note } = await planOpeningShape(this, entry, as);
    if (wish !== this.wishes) return;
    if (note !== "") this.toast("note", note);
    this.openSteps(steps);
  }

  private openSteps([first, ...others]: Step[]): void {
    this.following = others.map(({ entry }) => entry);
    if (first) this.openNow(first.entry, first.as);
  }

  private openNow(entry: Entry, how: "new" | "overlay"): void {
    const input = this.sendInput({ type: "open", source: entry.source, as: how });
    if (input === 0) {
      this.toast("error", `${entry.name} cannot be opened: there is no connection to the server`, "open");
      return;
    }
    this.toasts.settle("open");
    this.opening = { input, entry, as: how };
    this.openFailure = null;
    this.events.emit("ui");
  }

  private openFollowing(how: "new" | "overlay"): void {
    const entry = this.following.shift();
    if (entry) this.openNow(entry, how);
  }

  /** The id under which the image that is being opened is reported; empty before the server has said so. */
  openingLayer(): string {
    const { opening } = this;
    if (!opening) return "";
    for (const [id, image] of this.images) if (image.state === "loading" && image.input === opening.input) return id;
    return "";
  }

  /** Stops what is being loaded for a layer; what is there stays. */
  cancelLoad(layerId: string): void {
    if (layerId === "" || this.sendInput({ type: "cancel", layer: layerId }) === 0) return;
    if (layerId === this.openingLayer()) {
      this.opening = null;
      this.following = [];
    }
    this.progress.delete(layerId);
    this.events.emit("ui");
  }

  /** Loads what was stopped, or failed, of a layer. */
  loadAgain(layerId: string): void {
    this.sendInput({ type: "load", layer: layerId });
  }

  /** The time point of a layer that it shows and that is not there. */
  awaited(layerId: string): AwaitedTime | null {
    return this.images.get(layerId)?.awaited ?? null;
  }

  /** Stops the load that the page waits for; false if there is none. */
  cancelWaiting(): boolean {
    const layer = this.scene.layers.find(({ id }) => {
      return this.images.get(id)?.state === "loading" || this.awaited(id)?.state === "loading";
    });
    const id = this.openingLayer() || layer?.id || "";
    this.cancelLoad(id);
    return id !== "";
  }

  /** Stops the loading of the time points that nobody waits for; false if there is none. */
  cancelRest(): boolean {
    const layer = this.scene.layers.find(({ id }) => {
      const image = this.images.get(id);
      return image !== undefined && isComing(image);
    });
    this.cancelLoad(layer?.id ?? "");
    return layer !== undefined;
  }

  dismissFailure(): void {
    this.openFailure = null;
    this.events.emit("ui");
  }

  /** True if the lossless picture of the scene as it is now, in the size of now, is on the page. */
  isStill(view: string, width: number, height: number): boolean {
    const size = this.viewports.get(view);
    const rightSize = size?.width === width && size.height === height;
    const settled = !this.opening && !this.store.waiting && this.isCurrent(view);
    return rightSize && settled && this.looks.isStill(this.scene, view);
  }

  /** True if the picture of a view shows the layers and images that the server told of last, at the wanted times. */
  isCurrent(view: string): boolean {
    const there = this.scene.layers.every(({ id }) => this.awaited(id) === null);
    return this.greeted && there && this.frames.isCurrent(view, this.revision);
  }

  // ---- picking

  /** Asks what lies at a place of a view, fractions from its left top; the crosshair goes there. */
  pick(view: string, x: number, y: number): void {
    if (this.scene.layers.length > 0) this.picking = this.sendInput({ type: "pick", view, x, y });
  }

  private takePick(input: number, hit: Pick | null): void {
    if (input !== this.picking || !hit) return;
    this.picked = hit;
    this.store.setCrosshair(hit.mm, performance.now());
    this.events.emit("values");
  }

  /** What was picked at the crosshair; null once it is elsewhere. */
  pickedHere(): Pick | null {
    return String(this.picked?.mm) === String(this.scene.crosshairMm) ? this.picked : null;
  }

  // ---- messages

  private sendInput(message: object, tEvent = performance.now()): number {
    if (!this.greeted) return 0;
    const input = ++this.inputs;
    if (!this.connection.send({ ...message, input })) return 0;
    this.trace.input(input, tEvent);
    this.looks.sent(input, this.scene);
    return input;
  }

  private sendEdit(patch: Operation[], tEvent: number): number {
    const pictures = this.greeted ? this.aheadPictures() : [];
    const have = Object.fromEntries(pictures.map(({ view, id }) => [view, id]));
    const input = this.sendInput({ type: "edit", patch, ...(pictures.length > 0 ? { have } : {}) }, tEvent);
    if (input !== 0) this.showAhead(pictures, input, tEvent);
    this.ahead.soon();
    // After the edit: it may have changed the time that the values belong to.
    this.askCrosshair();
    this.probes.repeatCursor();
    return input;
  }

  /** Those that came ahead of what the views shall show now and do not show yet. */
  private aheadPictures(): AheadPicture[] {
    const views = this.scene.views.filter(({ name }) => !this.looks.isShown(this.scene, name));
    return views.flatMap(({ name }) => this.ahead.find(name) ?? []);
  }

  private showAhead(pictures: AheadPicture[], input: number, tEvent: number): void {
    for (const { picture, header } of pictures) this.frames.presentAhead(picture, { ...header, input }, tEvent);
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case "hello":
        return this.greet(message);
      case "scene":
        return this.takeScene(message);
      case "images":
        this.revision = message.revision;
        return this.takeImages(message.layers);
      case "progress":
        this.progress.clear();
        for (const [id, fraction] of Object.entries(message.layers)) this.progress.set(id, fraction);
        return this.events.emit("progress");
      case "values":
        return this.probes.answered(message.input, { mm: message.mm, layers: message.layers });
      case "picked":
        return this.takePick(message.input, message.hit);
      case "archive":
        return this.archive.announce(message.revision, message.scanning, message.files, message.problem ?? "");
      case "error":
        return this.refused(message);
      case "pong":
        return;
    }
  }

  private startMessage(): object {
    const resume = keptSession.get();
    return { type: "start", protocol: protocolVersion, codecs: this.codecs ?? [], ...(resume ? { resume } : {}) };
  }

  /** Codecs by hand; "auto": as the server finds best. */
  prefer(moving: string, still = "auto"): void {
    this.preferred = { moving, still };
    this.connection.send({ type: "prefer", moving, still });
  }

  private greet(hello: Hello): void {
    keptSession.set(hello.session);
    this.serverVersion = hello.version;
    this.greeted = true;
    this.revision = hello.revision;
    this.inputs = Math.max(this.inputs, hello.applied);
    this.serverCodecs = hello.codecs;
    this.frames.restart();
    this.ahead.restart();
    this.connection.send({ type: "prefer", ...this.preferred });
    this.progress.clear();
    this.probes.reset();
    this.ownScenes.clear();
    // What the archive became between the first look at it and this greeting was told to others only.
    this.archiveChanged();
    // What was being opened may have come, or failed, while nobody heard of it: it is opened anew, on the scene of here.
    if (this.scene.layers.length === 0) this.store.adopt(hello.scene);
    else if (!hello.resumed || this.opening || !sameJson(hello.scene, this.scene)) this.sendOwnScene();
    this.looks.replaced(this.scene);
    if (this.opening) this.openNow(this.opening.entry, this.opening.as);
    this.viewports.restart();
    this.events.emit("status");
  }

  /** Another arrangement in the place of this one. */
  show(scene: Partial<Scene>): void {
    if (!this.greeted) return this.toast("error", "There is no connection to the server: try again in a moment.");
    this.userOpened = true;
    ++this.wishes;
    this.opening = this.openFailure = null;
    this.following = [];
    this.store.adopt(scene);
    this.looks.replaced(this.scene);
    this.sendOwnScene();
    this.viewports.queue();
    this.events.emit("ui");
  }

  private sendOwnScene(): void {
    const input = this.sendInput({ type: "scene", scene: this.scene });
    if (input !== 0) this.ownScenes.add(input);
  }

  private takeScene({ input, applied, revision, scene }: Extract<ServerMessage, { type: "scene" }>): void {
    this.revision = revision;
    if (this.ownScenes.delete(input)) return; // what this page sent, and edits may have followed
    const shown = this.scene.layers[0]?.source;
    const next = scene.layers[0]?.source;
    if (shown?.path !== next?.path || shown?.series !== next?.series) this.frames.refuseBefore(revision);
    const opened = this.opening && input >= this.opening.input ? this.opening : null;
    if (opened) this.opening = null;
    this.store.adopt(scene, applied);
    this.looks.replaced(this.scene);
    if (opened) this.openFollowing("overlay");
    const layers = this.scene.layers;
    if (opened || !this.layer(this.selectedLayer)) {
      this.selectedLayer = (opened?.as === "new" ? layers[0] : layers.at(-1))?.id ?? "";
    }
    this.viewports.queue();
    this.events.emit("ui");
  }

  private takeImages(layers: Record<string, Record<string, unknown>>): void {
    this.images.clear();
    for (const [id, raw] of Object.entries(layers)) this.images.set(id, layerState(raw));
    for (const id of this.progress.keys()) {
      const image = this.images.get(id);
      if (!image || image.state === "failed" || (image.state === "ready" && !isComing(image))) this.progress.delete(id);
    }
    for (const { cause } of [...this.toasts.shown]) {
      const image = this.images.get(cause);
      if (image?.state === "ready" && image.awaited?.state !== "failed") this.toasts.settle(cause);
    }
    this.events.emit("images");
    this.askCrosshair();
  }

  private refused(error: { code: string; what: string; where?: string; input?: number; layer?: string }): void {
    const text = error.where ? `${error.where}: ${error.what}` : error.what;
    if (error.input !== undefined) {
      this.probes.refused(error.input);
      this.ownScenes.delete(error.input);
      if (this.opening?.input === error.input) {
        const { entry, as } = this.opening;
        this.opening = null;
        if (as === "new") this.openFailure = { name: entry.name, text };
        this.openFollowing(as);
        this.events.emit("ui");
        if (as === "new") return; // it is said in the middle of the views
      }
    }
    this.toast("error", text, error.layer ?? "");
  }

  // ---- changes

  private connectionChanged(): void {
    const { state, closeCode } = this.connection;
    if (state === "waiting" && closeCode === takenOver) {
      keptSession.set("");
      this.toast("note", "The session of this window goes on in another one. Here is a copy; changes there do not come here.");
    }
    if (state === "waiting" && closeCode === notAllowed) void this.lookAgain(this.greeted);
    if (state !== "open" && this.greeted) {
      this.greeted = false;
      this.progress.clear();
      this.probes.forgetCursor();
      this.events.emit("progress");
    }
    this.events.emit("status");
  }

  private sceneChanged(): void {
    for (const id of this.images.keys()) {
      if (this.layer(id)) continue;
      this.images.delete(id);
      this.toasts.settle(id);
    }
    if (!this.layer(this.selectedLayer)) this.selectedLayer = this.scene.layers.at(-1)?.id ?? "";
    this.events.emit("scene");
  }

  private askCrosshair(): void {
    if (this.scene.layers.length > 0) this.probes.ask("crosshair", [...this.scene.crosshairMm] as Vec3);
  }

  // ---- who, and what there is

  /** The stream is for those who are in. */
  private accountChanged(): void {
    const { state } = this.account;
    this.events.emit("account");
    if (state === "out") this.connection.stop();
    if (state !== "in" || this.codecs === null || this.connection.isStarted) return;
    void this.archive.tableShown.then(() => this.archive.loadProjects());
    this.connection.connect();
  }

  /** Other things may be seen than before: nothing of what was shown stays. */
  private async lookAgain(wasGreeted: boolean): Promise<void> {
    await this.account.ask();
    if (this.account.state === "in" && wasGreeted) location.reload();
  }

  /** As somebody else: nothing of what was here stays. */
  private startAfresh(): void {
    keptSession.set("");
    location.reload();
  }

  private archiveChanged(): void {
    this.events.emit("archive");
    void this.openFirst();
  }

  /** First start: something to look at without a click. */
  private async openFirst(): Promise<void> {
    const isEmpty = (): boolean => !this.userOpened && this.greeted && this.scene.layers.length === 0;
    if (!isEmpty() || this.seeking) return;
    this.seeking = true;
    try {
      const shared = this.account.me?.share?.scene;
      if (shared?.layers?.length) return this.show(shared);
      if (this.startedAt === 0) this.startedAt = performance.now();
      await this.archive.tableShown;
      const first = await this.archive.first();
      const waited = performance.now() - this.startedAt >= waitForT1Ms;
      if (!first || !isEmpty()) return;
      if (first.likelyT1 || !this.archive.scanning || waited) this.open(first.entry, "new");
      else window.setTimeout(() => void this.openFirst(), waitForT1Ms);
    } catch {
      // the table says why nothing can be fetched
    } finally {
      this.seeking = false;
    }
  }

  toast(kind: Toast["kind"], text: string, cause = ""): void {
    this.toasts.add(kind, text, cause);
  }
}

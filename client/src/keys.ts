// The keys of the whole page. A field that takes text keeps its keys; sliders keep theirs.
import type { Ui } from "./ui.ts";
import { nextMode, stepSlab } from "./view-settings.ts";

const slicesPerPage = 10;
const zoomPerKey = 1.2;
const scrollKeys: Record<string, number> = {
  ArrowUp: 1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowLeft: -1,
  PageUp: slicesPerPage,
  PageDown: -slicesPerPage,
};

/** True if the element under the focus has its own use for a key. */
function takesKey(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  // In the panel over the views keys scroll; a few are of the page.
  if (target.closest(".sheet") !== null) return !["Escape", "i", "I", "?"].includes(key);
  if (key === "?" && target.closest("dialog.help") !== null) return false; // the key that opens it closes it
  if (target.closest("dialog, select, textarea, [role=slider]") !== null) return true;
  if (target instanceof HTMLButtonElement) return key === " ";
  if (!(target instanceof HTMLInputElement)) return false;
  if (target.type === "range") return key in scrollKeys;
  return target.type === "checkbox" ? key === " " : true;
}

export function listenToKeys(ui: Ui): void {
  window.addEventListener("keydown", (event) => {
    if (event.code === "KeyW") ui.windowKeyDown = true;
    if (event.ctrlKey || event.metaKey || event.altKey || takesKey(event.target, event.key)) return;
    if (document.querySelector("dialog:modal:not(.help)") !== null) return; // wherever the focus is
    if (act(ui, event)) event.preventDefault();
  });
  window.addEventListener("keyup", (event) => {
    if (event.code === "KeyW") ui.windowKeyDown = false;
  });
  window.addEventListener("blur", () => (ui.windowKeyDown = false));
}

function act(ui: Ui, event: KeyboardEvent): boolean {
  const scroll = scrollKeys[event.key];
  if (scroll !== undefined) return scrollActive(ui, scroll, event.timeStamp);
  const view = "1234".includes(event.key) ? ui.session.scene.views[Number(event.key) - 1] : undefined;
  if (view) {
    ui.toggleFull(view.name);
    return true;
  }
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return false;
  action(ui, event.timeStamp);
  return true;
}

const actions: Record<string, (ui: Ui, tEvent: number) => void> = {
  r: (ui) => ui.navigation.resetViews(),
  c: (ui) => ui.navigation.centreCrosshair(),
  i: (ui) => ui.toggleInfo(),
  x: (ui) => ui.update({ crosshairVisible: !ui.crosshairVisible }),
  n: (ui) => ui.toggleConvention(),
  f: (ui) => ui.toggleFull(ui.activeView || (ui.session.scene.views[0]?.name ?? "")),
  " ": (ui) => ui.togglePlay(),
  "[": (ui, tEvent) => stepTime(ui, -1, tEvent),
  "]": (ui, tEvent) => stepTime(ui, 1, tEvent),
  "+": (ui, tEvent) => zoomActive(ui, zoomPerKey, tEvent),
  "=": (ui, tEvent) => zoomActive(ui, zoomPerKey, tEvent),
  "-": (ui, tEvent) => zoomActive(ui, 1 / zoomPerKey, tEvent),
  ",": (ui, tEvent) => stepSlab(ui, -1, tEvent),
  ".": (ui, tEvent) => stepSlab(ui, 1, tEvent),
  "<": (ui, tEvent) => stepSlab(ui, -1, tEvent),
  ">": (ui, tEvent) => stepSlab(ui, 1, tEvent),
  m: (ui, tEvent) => nextMode(ui, activeView(ui), tEvent),
  t: (ui) => ui.update({ tableWide: !ui.tableWide }),
  "?": (ui) => ui.update({ helpOpen: !ui.helpOpen }),
  "~": (ui) => ui.update({ statsOpen: !ui.statsOpen }),
  "`": (ui) => ui.update({ statsOpen: !ui.statsOpen }),
  Escape: (ui) => {
    if (ui.tableWide && !ui.helpOpen) return ui.update({ tableWide: false });
    if (ui.sheet && !ui.helpOpen) return ui.closeSheet();
    if (!ui.helpOpen && ui.session.cancelWaiting()) return;
    if (!ui.helpOpen && ui.fullView === "") ui.session.cancelRest();
    ui.update({ fullView: "", helpOpen: false });
  },
};

function stepTime(ui: Ui, by: number, tEvent: number): void {
  const layer = ui.timeLayer();
  if (layer) ui.setTime(layer.time + by, tEvent);
}

function activeView(ui: Ui): string {
  return ui.fullView || ui.activeView || (ui.session.scene.views[0]?.name ?? "");
}

function scrollActive(ui: Ui, slices: number, tEvent: number): boolean {
  const name = activeView(ui);
  const picture = ui.pictures.get(name);
  const view = ui.session.scene.views.find((v) => v.name === name);
  if (!picture || view?.kind !== "slice") return false;
  ui.navigation.scroll(name, picture, slices, tEvent);
  return true;
}

function zoomActive(ui: Ui, factor: number, tEvent: number): void {
  const name = activeView(ui);
  const picture = ui.pictures.get(name);
  if (picture) ui.navigation.zoomAt(name, picture, picture.width / 2, picture.height / 2, factor, tEvent);
}

// Entry of the page: starts the session, the keys, and the hook for tests and benchmarks.
import "./app.ts";
import type { App } from "./app.ts";
import { listenToKeys } from "./keys.ts";

const app = document.querySelector<App>("nora-app")!;
const { ui } = app;
const { session } = ui;
listenToKeys(ui);

/** For tests, benchmarks and the console; reading it changes nothing. */
const hook = {
  get scene() {
    return session.scene;
  },
  get images() {
    return Object.fromEntries(session.images);
  },
  get archive() {
    return session.archive;
  },
  get trace() {
    return session.trace.frames;
  },
  get values() {
    return session.probes.readings;
  },
  get pictures() {
    return Object.fromEntries(ui.pictures);
  },
  get lastInput() {
    return session.store.lastInput;
  },
  /** True if a view shows the scene as it is now, losslessly. */
  isStill: (view: string) => {
    const picture = ui.pictures.get(view);
    return picture !== undefined && session.isStill(view, picture.width, picture.height);
  },
  lastPresented: (view: string) => session.trace.lastPresented(view),
  prefer: (moving: string, still?: string) => session.prefer(moving, still),
  get codecs() {
    return session.serverCodecs;
  },
};
(window as unknown as { nora: typeof hook }).nora = hook;

void session.start();

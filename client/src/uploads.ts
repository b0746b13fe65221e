// Files on their way into projects, by the API's uploads: in pieces, a few files at a time. What was cut off goes on, also
// after the page was loaded again and the same files were chosen once more.
import { Problem, request, sendJson, textOf } from "./api.ts";

export interface Sending {
  readonly file: File;
  readonly project: number;
  readonly path: string; // beneath the project's folder
  readonly unpack: boolean; // it is a zip whose files are wanted
  state: "waiting" | "sending" | "stored" | "there" | "failed";
  sent: number; // bytes
  reason: string; // why it failed
}

interface Place {
  id: number;
  offset: number;
}

const pieceBytes = 16 << 20;
const atOnce = 4;
const longestPauseMs = 30_000;
const mostRemembered = 5_000;
const storageKey = "nora.uploads";
const passing = [0, 408, 429, 502, 503, 504]; // statuses after which the same is asked again

/** The uploads that were begun, by what they are of. */
class Begun {
  private readonly ids: Map<string, number>;

  constructor() {
    let kept: unknown = null;
    try {
      kept = JSON.parse(localStorage.getItem(storageKey) ?? "[]");
    } catch {
      // nothing is remembered
    }
    this.ids = new Map(Array.isArray(kept) ? (kept as [string, number][]) : []);
  }

  static key({ file, project, path }: Sending): string {
    return [project, path, file.size, file.lastModified].join("/");
  }

  of(one: Sending): number {
    return this.ids.get(Begun.key(one)) ?? 0;
  }

  set(one: Sending, id: number): void {
    if (id === 0) this.ids.delete(Begun.key(one));
    else this.ids.set(Begun.key(one), id);
    try {
      localStorage.setItem(storageKey, JSON.stringify([...this.ids].slice(-mostRemembered)));
    } catch {
      // it only cannot go on after the page is loaded again
    }
  }
}

export class Uploads {
  all: Sending[] = [];
  /** Why nothing goes on at the moment; it is tried again. */
  pause = "";
  private readonly begun = new Begun();
  private readonly running = new Map<Sending, AbortController>();
  private timer = 0;

  constructor(private readonly changed: () => void) {}

  get isBusy(): boolean {
    return this.all.some(({ state }) => state === "waiting" || state === "sending");
  }

  count(...states: Sending["state"][]): number {
    return this.all.filter(({ state }) => states.includes(state)).length;
  }

  get bytes(): { sent: number; all: number } {
    const of = this.all.filter(({ state }) => state !== "failed");
    return { sent: of.reduce((sum, one) => sum + one.sent, 0), all: of.reduce((sum, one) => sum + one.file.size, 0) };
  }

  add(project: number, files: { file: File; path: string }[], unpack: boolean): void {
    if (!this.isBusy) this.all = this.all.filter(({ state }) => state === "failed");
    for (const { file, path } of files) {
      const isZip = /\.zip$/i.test(file.name);
      this.all.push({ file, project, path, unpack: unpack && isZip, state: "waiting", sent: 0, reason: "" });
    }
    this.goOn();
  }

  again(): void {
    for (const one of this.all) if (one.state === "failed") Object.assign(one, { state: "waiting", reason: "" });
    this.goOn();
  }

  /** What is on its way is given up; what is stored stays. */
  async stop(): Promise<void> {
    const begun = this.all.filter(({ state }) => state !== "stored" && state !== "there").map((one) => [one, this.begun.of(one)] as const);
    for (const control of this.running.values()) control.abort();
    this.clear();
    for (const [one, id] of begun) {
      if (id === 0) continue;
      this.begun.set(one, 0);
      await request("DELETE", `uploads/${id}`).catch(() => undefined); // the server forgets it after a week
    }
  }

  clear(): void {
    this.all = [];
    this.pause = "";
    this.changed();
  }

  private goOn(): void {
    for (const one of this.all) {
      if (this.running.size >= atOnce) break;
      if (one.state === "waiting") void this.run(one);
    }
    this.changedSoon();
  }

  /** At most once a frame or so: thousands of small files end in seconds. */
  private changedSoon(): void {
    if (this.timer !== 0) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.changed();
    }, 60);
  }

  private async run(one: Sending): Promise<void> {
    const control = new AbortController();
    this.running.set(one, control);
    one.state = "sending";
    for (let tries = 0; !control.signal.aborted; ) {
      const before = one.sent;
      try {
        one.state = await this.send(one, control.signal);
        this.pause = "";
        break;
      } catch (error) {
        if (control.signal.aborted) break;
        if (!(error instanceof Problem) || !passing.includes(error.status)) {
          Object.assign(one, { state: "failed", reason: error instanceof Problem ? textOf(error) : "It cannot be read any more: it was changed or is gone." });
          break;
        }
        tries = one.sent > before ? 0 : tries + 1;
        this.pause = textOf(error);
        this.changedSoon();
        await new Promise((resolve) => window.setTimeout(resolve, Math.min(longestPauseMs, 1000 * 2 ** tries)));
      }
    }
    this.running.delete(one);
    this.goOn();
  }

  private async send(one: Sending, signal: AbortSignal): Promise<"stored" | "there"> {
    let { id, offset } = await this.place(one, signal);
    while (offset < one.file.size) {
      one.sent = offset;
      this.changedSoon();
      const body = new Blob([await one.file.slice(offset, offset + pieceBytes).arrayBuffer()]); // what cannot be read says so here
      const headers = { "Upload-Offset": String(offset), "Content-Type": "application/octet-stream" };
      ({ offset } = (await (await request("PATCH", `uploads/${id}`, { body, headers, signal })).json()) as { offset: number });
    }
    one.sent = one.file.size;
    try {
      const done = await sendJson<{ added: string[] }>("POST", `uploads/${id}/finish`, { unpack: one.unpack });
      return done.added.length > 0 ? "stored" : "there";
    } finally {
      this.begun.set(one, 0);
    }
  }

  /** Where it goes on: the one that was begun, or a new one. */
  private async place(one: Sending, signal: AbortSignal): Promise<Place> {
    const id = this.begun.of(one);
    if (id !== 0) {
      try {
        return (await (await request("GET", `uploads/${id}`, { signal })).json()) as Place;
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 404) throw error;
      }
    }
    const begun = await sendJson<Place>("POST", `projects/${one.project}/uploads`, { path: one.path, size: one.file.size });
    this.begun.set(one, begun.id);
    return begun;
  }
}

// What the benchmarks of streaming see in the page, whatever the page counts itself: which input events went into which
// message, when the first picture that shows it was on the screen, and what came over the wire.
// Photon: the first animation frame after the picture was drawn, on the clock of the input events.

/** Runs in the page, before its own scripts. Leaves window.streamTap. */
export function installTap() {
  const { prototype: canvas } = CanvasRenderingContext2D;
  const { drawImage } = canvas;
  const { send } = WebSocket.prototype;
  const Native = WebSocket;
  let taken = new WeakSet();
  let events = []; // times of input events that no message has taken along
  let drawing = false;
  const tap = {
    inputs: [], // {input, times, sent, have}: edits, the input events they carry, and what the page had already
    frames: [], // trace entries that were drawn, with photon
    wire: { messages: 0, bytes: 0, pictures: 0, aheadPictures: 0, aheadBytes: 0 },
    jpeg: null, // the newest full-sized moving JPEG as it came
    keepJpeg: false,
    clear() {
      tap.inputs = [];
      tap.frames = [];
      tap.wire = { messages: 0, bytes: 0, pictures: 0, aheadPictures: 0, aheadBytes: 0 };
      events = [];
    },
    /** True if a picture of the newest input is on the screen. */
    shown(view, count) {
      const last = tap.inputs.at(-1);
      if (tap.inputs.length < count || !last) return false;
      return tap.frames.some((f) => f.view === view && f.input >= last.input);
    },
  };
  window.streamTap = tap;

  for (const kind of ["wheel", "keydown", "pointerrawupdate"]) {
    const note = (event) => (kind !== "pointerrawupdate" || event.buttons !== 0) && events.push(event.timeStamp);
    addEventListener(kind, note, { capture: true, passive: true });
  }

  WebSocket.prototype.send = function (data) {
    send.call(this, data);
    const message = typeof data === "string" ? JSON.parse(data) : {};
    if (message.type !== "edit") return;
    tap.inputs.push({ input: message.input, times: events, sent: performance.now(), have: message.have ?? null });
    events = [];
  };

  const received = (data) => {
    ++tap.wire.messages;
    tap.wire.bytes += data.byteLength ?? data.length;
    if (typeof data === "string") return;
    const bytes = new DataView(data);
    const magic = bytes.getUint32(0);
    const part = magic === 0x4e4f5250; // NORP
    if (part && bytes.getUint32(12, true) !== 0) return;
    const at = part ? 24 : 0;
    if (data.byteLength < at + 192) return;
    if (bytes.getUint32(at + 164, true) !== 0) {
      ++tap.wire.aheadPictures;
      tap.wire.aheadBytes += data.byteLength;
    } else ++tap.wire.pictures;
    const full = bytes.getUint16(at + 14, true) === bytes.getUint16(at + 18, true);
    const isMovingJpeg = bytes.getUint8(at + 12) === 1 && bytes.getUint8(at + 13) === 0;
    if (tap.keepJpeg && !part && isMovingJpeg && full) {
      tap.jpeg = new Uint8Array(data, bytes.getUint16(6, true) + bytes.getUint16(22, true));
    }
  };
  window.WebSocket = class extends Native {
    constructor(...values) {
      super(...values);
      this.addEventListener("message", ({ data }) => received(data));
    }
  };

  const take = () => {
    drawing = false;
    const now = performance.now();
    const trace = window.nora?.trace ?? [];
    const fresh = [];
    for (let i = trace.length - 1; i >= Math.max(0, trace.length - 60); --i) {
      if (trace[i].tPresent === null || taken.has(trace[i])) continue;
      taken.add(trace[i]);
      fresh.unshift({ ...trace[i], photon: now });
    }
    tap.frames.push(...fresh);
  };
  canvas.drawImage = function (...values) {
    drawImage.apply(this, values);
    if (drawing || !this.canvas.isConnected) return;
    drawing = true;
    requestAnimationFrame(take); // one for each drawing: a standing loop of frames would load the page
  };
}

/**
 * Times from input events to the picture that shows them in all `views`, ms; how many events were never shown; how many
 * different pictures of the first view showed something new.
 */
export function latencies({ inputs, frames }, views) {
  const times = [];
  const pictures = new Set();
  let never = 0;
  const ofView = new Map(views.map((view) => [view, frames.filter((f) => f.view === view)]));
  for (const { input, times: events } of inputs) {
    const shown = views.map((view) => ofView.get(view).find((f) => f.input >= input));
    if (shown.includes(undefined)) never += events.length;
    else for (const event of events) times.push(Math.max(...shown.map(({ photon }) => photon)) - event);
    pictures.add(shown[0]);
  }
  pictures.delete(undefined);
  return { times, never, pictures: pictures.size };
}

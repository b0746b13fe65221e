// What the benchmarks of streaming see in the page, whatever the page counts itself: which input events went into which
// message, when the first picture that shows it was on the screen, and what came over the wire.
// Photon: the first animation frame after the picture was drawn, on the clock of the input events.

/** Runs in the page, before its own scripts. Leaves window.streamTap. */
export function installTap() {
  const { prototype: canvas } = CanvasRenderingContext2D;
  const { drawImage } = canvas;
  const { send } = WebSocket.prototype;
  const Native = WebSocket;
  const headers = new Map(); // frame -> what the trace of the page may not hold
  let taken = new WeakSet();
  let events = []; // times of input events that no message has taken along
  let drawing = false;
  const tap = {
    inputs: [], // {input, times, sent, have, photon}
    frames: [], // trace entries that were drawn, with photon
    wire: { messages: 0, bytes: 0, pictures: 0, aheadPictures: 0, aheadBytes: 0 },
    jpeg: null, // the newest full-sized JPEG as it came
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
      return last.photon !== null || tap.frames.some((f) => f.view === view && f.input >= last.input);
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
    const input = { input: message.input, times: events, sent: performance.now(), have: message.have ?? null, photon: null };
    events = [];
    tap.inputs.push(input);
    if (input.have) requestAnimationFrame(() => (input.photon = performance.now())); // its picture was drawn just now
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
    if (data.byteLength < at + 160) return;
    const version = bytes.getUint16(at + 4, true);
    const two = version >= 2 && data.byteLength >= at + 184;
    const ahead = two ? bytes.getUint32(at + 164, true) : 0;
    if (ahead) {
      ++tap.wire.aheadPictures;
      tap.wire.aheadBytes += data.byteLength;
    } else ++tap.wire.pictures;
    headers.set(bytes.getUint32(at + 8, true), {
      ahead, encoderQuality: two ? bytes.getUint8(at + 169) : 0, kbit: two ? bytes.getUint32(at + 172, true) : 0,
      roundTripUs: two ? bytes.getUint32(at + 176, true) : 0,
    });
    if (headers.size > 2000) headers.delete(headers.keys().next().value);
    const full = bytes.getUint16(at + 14, true) === bytes.getUint16(at + 18, true);
    if (tap.keepJpeg && !part && bytes.getUint8(12) === 1 && full) {
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
      fresh.unshift({ ...trace[i], ...headers.get(trace[i].frame), photon: now });
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

/** Times from input events to the picture that shows them in all `views`, ms; events that were never shown are counted. */
export function latencies({ inputs, frames }, views) {
  const times = [];
  let never = 0;
  const cursor = new Map(views.map((view) => [view, frames.filter((f) => f.view === view && !f.ahead)]));
  for (const { input, times: events, have, photon } of inputs) {
    const shown = views.map((view) => {
      if (have?.[view] !== undefined && photon !== null) return photon;
      return cursor.get(view).find((f) => f.input >= input)?.photon;
    });
    if (shown.includes(undefined)) never += events.length;
    else for (const event of events) times.push(Math.max(...shown) - event);
  }
  return { times, never };
}

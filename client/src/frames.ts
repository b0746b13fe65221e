// From a binary message to a drawn picture: parse, decode, draw, acknowledge.
//
// A picture is drawn as soon as it is decoded, so that the next animation frame shows it. The acknowledgement waits for
// that frame: the server shall not run ahead of the display.
// Every frame is acknowledged exactly once, also one that is dropped: the server sends no more otherwise.
import { decodePicture } from "./decoder.ts";
import { fnv1a64, isLossless, parseFrame, Parts, type FrameHeader } from "./protocol.ts";
import type { Trace, TraceEntry } from "./trace.ts";

export interface FrameSink {
  present(picture: ImageBitmap, header: FrameHeader): void;
}

interface Decoded {
  picture: ImageBitmap;
  header: FrameHeader;
  entry: TraceEntry;
}

export class FramePipeline {
  verify = false; // check the hash of every lossless picture; slow, for tests
  private readonly sinks = new Map<string, FrameSink>();
  private readonly newest = new Map<string, number>(); // view -> newest frame number decoded
  private readonly shown = new Map<string, number>(); // view -> revision of the picture on the page
  private oldest = 0; // pictures of earlier revisions are of another image
  private epoch = 0;
  private readonly drawn: TraceEntry[] = []; // to be acknowledged in the next animation frame
  private readonly parts = new Parts();

  constructor(
    private readonly trace: Trace,
    private readonly send: (acknowledgement: object) => void,
    private readonly presented: (header: FrameHeader) => void,
    private readonly complain: (text: string) => void,
  ) {}

  attach(view: string, sink: FrameSink): void {
    this.sinks.set(view, sink);
  }

  detach(view: string, sink: FrameSink): void {
    if (this.sinks.get(view) === sink) this.sinks.delete(view);
  }

  /** A new connection counts its frames from 1 and knows nothing of the old ones. */
  restart(): void {
    ++this.epoch;
    this.drawn.length = 0;
    this.parts.restart();
    this.newest.clear();
    this.shown.clear();
    this.oldest = 0;
  }

  /** Another image is the background: pictures of earlier revisions are not drawn any more. */
  refuseBefore(revision: number): void {
    this.oldest = revision;
  }

  /** True if the picture of a view shows another image than the scene. */
  isForeign(view: string): boolean {
    return (this.shown.get(view) ?? this.oldest) < this.oldest;
  }

  /** True if the picture of a view shows layers and images as they were at `revision` or later. */
  isCurrent(view: string, revision: number): boolean {
    return (this.shown.get(view) ?? -1) >= revision;
  }

  async receive(message: ArrayBuffer, tReceive: number): Promise<void> {
    const epoch = this.epoch;
    let header: FrameHeader;
    let encoded: Uint8Array<ArrayBuffer>;
    try {
      const whole = this.parts.take(message);
      if (!whole) return;
      ({ header, picture: encoded } = parseFrame(whole));
    } catch (error) {
      this.complain(String(error));
      return;
    }
    const entry = this.trace.received(header, encoded.byteLength, tReceive);
    let picture: ImageBitmap;
    try {
      picture = await decodePicture(header.codec, encoded);
    } catch {
      this.complain(`a picture of the view ${header.view} could not be decoded`);
      if (epoch === this.epoch) this.acknowledge(entry);
      return;
    }
    entry.tDecoded = performance.now();
    if (epoch !== this.epoch) picture.close();
    else this.offer({ picture, header, entry });
  }

  private offer(decoded: Decoded): void {
    const { view, frame, revision } = decoded.header;
    const isOld = frame < (this.newest.get(view) ?? 0) || revision < this.oldest;
    if (!this.sinks.has(view) || document.hidden || isOld) {
      this.drop(decoded);
      return;
    }
    this.newest.set(view, frame);
    this.draw(decoded);
  }

  private drop({ picture, entry }: Decoded): void {
    picture.close();
    this.acknowledge(entry);
  }

  private acknowledge({ frame, tReceive, tDecoded }: TraceEntry): void {
    const heldMs = Math.max(0, performance.now() - tReceive);
    const decodeMs = tDecoded === null ? undefined : Math.max(0, tDecoded - tReceive);
    this.send({ type: "ack", frame, heldMs, decodeMs });
  }

  private draw(decoded: Decoded): void {
    const { picture, header, entry } = decoded;
    this.shown.set(header.view, header.revision);
    this.sinks.get(header.view)?.present(picture, header);
    this.trace.drawn(entry);
    if (this.verify && isLossless(header.codec)) entry.verified = this.hashIsRight(decoded);
    picture.close();
    if (this.drawn.push(entry) === 1) requestAnimationFrame(() => this.acknowledgeDrawn());
    this.presented(header);
  }

  private acknowledgeDrawn(): void {
    for (const entry of this.drawn) this.acknowledge(entry);
    this.drawn.length = 0;
  }

  private hashIsRight({ picture, header }: Decoded): boolean {
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) return false;
    context.drawImage(picture, 0, 0);
    const pixels = context.getImageData(0, 0, picture.width, picture.height).data;
    const right = fnv1a64(pixels) === header.hash;
    if (!right) this.complain(`a lossless picture of the view ${header.view} arrived changed`);
    return right;
  }
}

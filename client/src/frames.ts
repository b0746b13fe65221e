// From a binary message to a drawn picture: parse, decode, draw, acknowledge.
//
// A picture is drawn as soon as it is decoded, so that the next animation frame shows it. The acknowledgement waits for
// that frame: the server shall not run ahead of the display.
// Every frame is acknowledged exactly once, also one that is dropped: the server sends no more otherwise.
import { Decoders, type Picture } from "./decoder.ts";
import { checkHash } from "./exactness.ts";
import { isLossless, parseFrame, Parts, type FrameHeader } from "./protocol.ts";
import type { Trace, TraceEntry } from "./trace.ts";

export interface FrameSink {
  present(picture: Picture, header: FrameHeader): void;
  /** The lossless picture that is there was found to be what was rendered, or not. */
  checked(isExact: boolean): void;
}

interface Decoded {
  picture: Picture;
  header: FrameHeader;
  entry: TraceEntry;
}

/** What the pipeline tells the session. */
export interface FrameEvents {
  send(message: object): void;
  /** A picture is about to be drawn. */
  shows(header: FrameHeader): void;
  presented(header: FrameHeader): void;
  /** A picture that was asked for ahead; true if it is kept. */
  ahead(header: FrameHeader, picture: Picture): boolean;
  complain(text: string): void;
  /** A view's video cannot be decoded. */
  videoFailed(): void;
}

const patienceWithVideo = 3; // failures of decoders
const patienceWithChanges = 3; // pictures that arrived changed; a browser that lets nobody read pixels changes them all

export class FramePipeline {
  private readonly sinks = new Map<string, FrameSink>();
  private readonly newest = new Map<string, number>(); // view -> newest frame number decoded
  private readonly shown = new Map<string, FrameHeader>(); // view -> of the picture on the page
  private readonly leastInput = new Map<string, number>(); // view -> what older inputs made is not shown any more
  private oldest = 0; // pictures of earlier revisions are of another image
  private epoch = 0;
  private videoFailures = 0;
  private changedOnes = 0;
  private readonly drawn: TraceEntry[] = []; // to be acknowledged in the next animation frame
  private readonly parts = new Parts();
  private readonly decoders = new Decoders((view, isSilent) => this.videoLost(view, isSilent));

  constructor(
    private readonly trace: Trace,
    private readonly events: FrameEvents,
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
    this.decoders.restart();
    this.newest.clear();
    this.shown.clear();
    this.leastInput.clear();
    this.oldest = 0;
  }

  /** Another image is the background: pictures of earlier revisions are not drawn any more. */
  refuseBefore(revision: number): void {
    this.oldest = revision;
  }

  /** True if the picture of a view shows another image than the scene. */
  isForeign(view: string): boolean {
    return (this.shown.get(view)?.revision ?? this.oldest) < this.oldest;
  }

  /** True if the picture of a view shows layers and images as they were at `revision` or later. */
  isCurrent(view: string, revision: number): boolean {
    return (this.shown.get(view)?.revision ?? -1) >= revision;
  }

  /** Of the picture of a view that is on the page. */
  headerOf(view: string): FrameHeader | undefined {
    return this.shown.get(view);
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
      this.events.complain(String(error));
      return;
    }
    const entry = this.trace.received(header, encoded.byteLength, tReceive);
    let picture: Picture | null = null;
    try {
      picture = await this.decoders.decode(header, encoded);
    } catch {
      if (epoch === this.epoch) this.events.complain(`a picture of the view ${header.view} could not be decoded`);
    }
    if (picture) entry.tDecoded = performance.now();
    if (epoch !== this.epoch) picture?.close();
    else if (!picture) this.acknowledge(entry);
    else if (header.ahead !== 0) this.keepAhead({ picture, header, entry });
    else this.offer({ picture, header, entry });
  }

  /** The server begins the video anew; one that fails again and again is given up. */
  private videoLost(view: string, isSilent: boolean): void {
    this.events.send({ type: "key", view });
    const before = this.videoFailures;
    this.videoFailures += isSilent ? patienceWithVideo : 1; // nobody waits for that again
    if (before < patienceWithVideo && this.videoFailures >= patienceWithVideo) this.events.videoFailed();
  }

  private keepAhead(decoded: Decoded): void {
    const isKept = this.events.ahead(decoded.header, decoded.picture);
    if (!isKept) decoded.picture.close();
    this.acknowledge(decoded.entry);
  }

  /** Draws a picture that came ahead, for an input that is not drawn by the server; those of earlier inputs are old. */
  presentAhead(picture: Picture, header: FrameHeader, tEvent: number): void {
    const { view } = header;
    if (!this.sinks.has(view)) return;
    const entry = this.trace.aheadOf(header, tEvent);
    this.leastInput.set(view, header.input);
    this.show(header, picture);
    this.trace.drawn(entry);
    this.events.presented(header);
  }

  private offer(decoded: Decoded): void {
    const { view, frame, revision, input } = decoded.header;
    const isOvertaken = frame < (this.newest.get(view) ?? 0) || input < (this.leastInput.get(view) ?? 0);
    if (!this.sinks.has(view) || document.hidden || isOvertaken || revision < this.oldest) {
      decoded.picture.close();
      this.acknowledge(decoded.entry);
      return;
    }
    this.newest.set(view, frame);
    this.draw(decoded);
  }

  private acknowledge({ frame, tReceive, tDecoded }: TraceEntry): void {
    const heldMs = Math.max(0, performance.now() - tReceive);
    const decodeMs = tDecoded === null ? undefined : Math.max(0, tDecoded - tReceive);
    this.events.send({ type: "ack", frame, heldMs, decodeMs });
  }

  private show(header: FrameHeader, picture: Picture): void {
    this.shown.set(header.view, header);
    this.events.shows(header);
    this.sinks.get(header.view)?.present(picture, header);
  }

  private draw({ picture, header, entry }: Decoded): void {
    this.show(header, picture);
    this.trace.drawn(entry);
    if (isLossless(header.codec)) void this.check(header, picture, entry);
    picture.close();
    if (this.drawn.push(entry) === 1) requestAnimationFrame(() => this.acknowledgeDrawn());
    this.events.presented(header);
  }

  private acknowledgeDrawn(): void {
    for (const entry of this.drawn) this.acknowledge(entry);
    this.drawn.length = 0;
  }

  private async check(header: FrameHeader, picture: Picture, entry: TraceEntry): Promise<void> {
    const isWanted = (): boolean => this.shown.get(header.view) === header;
    const result = await checkHash(picture, header.width, header.height, header.hash, isWanted);
    if (result === "overtaken") return;
    entry.verified = result === "right";
    if (isWanted()) this.sinks.get(header.view)?.checked(entry.verified);
    if (entry.verified || this.changedOnes >= patienceWithChanges) return;
    ++this.changedOnes;
    this.events.complain(`a lossless picture of the view ${header.view} arrived changed`);
    this.events.send({ type: "key", view: header.view });
  }
}

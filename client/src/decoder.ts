// From an encoded picture to one that can be drawn, colours untouched: no profile, no premultiplication.
import { codecs, type FrameHeader } from "./protocol.ts";

export type Picture = ImageBitmap | VideoFrame;

const exactColours: ImageBitmapOptions = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
const types: Record<number, string> = { [codecs.jpeg]: "image/jpeg", [codecs.png]: "image/png", [codecs.webp]: "image/webp" };

const patienceMs = 300;
const silentMs = 2_000; // a decoder that has said nothing by then never will

/** What WebCodecs calls them; H.264 as a stream says it in its first picture. */
const videoNames: Record<number, string> = { [codecs.h264]: "avc1.640028", [codecs.hevc]: "hev1.1.6.L123.B0", [codecs.av1]: "av01.0.08M.08" };

/** "avc1.PPCCLL" by the first sequence parameter set; what is usual if there is none. */
export function h264Name(stream: Uint8Array): string {
  for (let i = 0; i + 6 < stream.length; ++i) {
    if (stream[i] !== 0 || stream[i + 1] !== 0 || stream[i + 2] !== 1 || (stream[i + 3]! & 31) !== 7) continue;
    return `avc1.${[4, 5, 6].map((at) => stream[i + at]!.toString(16).padStart(2, "0")).join("")}`;
  }
  return videoNames[codecs.h264]!;
}

/** The names of the codecs that this browser decodes here; a browser that takes long to answer has no video. */
export async function decodableCodecs(): Promise<string[]> {
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), patienceMs));
  const isVideo = async (codec: string): Promise<boolean> =>
    (await VideoDecoder.isConfigSupported({ codec, optimizeForLatency: true })).supported === true;
  const works = async ([name, codec]: [string, number]): Promise<string> => {
    if (types[codec]) return name;
    if (!("VideoDecoder" in window)) return ""; // not a secure context
    return (await Promise.race([isVideo(videoNames[codec]!).catch(() => false), late])) ? name : "";
  };
  return (await Promise.all(Object.entries(codecs).map(works))).filter((name) => name !== "");
}

/** The video of one view. Its pictures are decoded in their order, each as soon as it comes. */
class Stream {
  private decoder: VideoDecoder | null = null;
  private isLost = false; // and that was said
  private readonly waiting = new Map<number, (frame: VideoFrame | null) => void>();

  /** `lost` is called once for every time that the stream must begin anew; silent: the decoder said nothing at all. */
  constructor(private readonly lost: (isSilent: boolean) => void) {}

  /** Null if there is none to show: it was lost, or another decoder took over before. */
  decode(header: FrameHeader, data: Uint8Array<ArrayBuffer>): Promise<VideoFrame | null> {
    return new Promise((resolve) => {
      if (header.key) this.close();
      const timer = window.setTimeout(() => this.waiting.has(header.frame) && this.fail(true), silentMs);
      this.waiting.set(header.frame, (frame) => {
        clearTimeout(timer);
        resolve(frame);
      });
      try {
        if (header.key) this.start(header.codec === codecs.h264 ? h264Name(data) : videoNames[header.codec]!);
        const type = header.key ? "key" : "delta";
        if (!this.decoder) throw new Error("the beginning is missing");
        this.decoder.decode(new EncodedVideoChunk({ type, timestamp: header.frame, data }));
      } catch {
        this.fail();
      }
    });
  }

  private start(codec: string): void {
    this.isLost = false;
    const decoder = new VideoDecoder({
      output: (frame) => {
        const resolve = this.waiting.get(frame.timestamp);
        this.waiting.delete(frame.timestamp);
        if (resolve) resolve(frame);
        else frame.close();
      },
      error: () => this.decoder === decoder && this.fail(),
    });
    decoder.configure({ codec, optimizeForLatency: true });
    this.decoder = decoder;
  }

  private fail(isSilent = false): void {
    this.close();
    if (!this.isLost) this.lost(isSilent);
    this.isLost = true;
  }

  /** Nobody waits for ever: a picture that is not acknowledged holds up those that follow. */
  close(): void {
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
    for (const resolve of this.waiting.values()) resolve(null);
    this.waiting.clear();
  }
}

export class Decoders {
  private readonly streams = new Map<string, Stream>();

  constructor(private readonly videoLost: (view: string, isSilent: boolean) => void) {}

  async decode(header: FrameHeader, data: Uint8Array<ArrayBuffer>): Promise<Picture | null> {
    const type = types[header.codec];
    if (type) return createImageBitmap(new Blob([data], { type }), exactColours);
    let stream = this.streams.get(header.view);
    if (!stream) this.streams.set(header.view, (stream = new Stream((isSilent) => this.videoLost(header.view, isSilent))));
    return stream.decode(header, data);
  }

  restart(): void {
    for (const stream of this.streams.values()) stream.close();
    this.streams.clear();
  }
}

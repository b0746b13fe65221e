// From an encoded picture to one that can be drawn, colours untouched: no profile, no premultiplication.
import { codecs, type FrameHeader } from "./protocol.ts";

export type Picture = ImageBitmap | VideoFrame;

const exactColours: ImageBitmapOptions = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
const types: Record<number, string> = { [codecs.jpeg]: "image/jpeg", [codecs.png]: "image/png", [codecs.webp]: "image/webp" };

const patienceMs = 300;

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
  private readonly waiting = new Map<number, { resolve(frame: VideoFrame): void; reject(error: Error): void }>();

  decode(header: FrameHeader, data: Uint8Array<ArrayBuffer>): Promise<VideoFrame> {
    return new Promise((resolve, reject) => {
      if (header.key) this.restart(header.codec === codecs.h264 ? h264Name(data) : videoNames[header.codec]!);
      if (!this.decoder) return reject(new Error("the beginning of the video is missing"));
      this.waiting.set(header.frame, { resolve, reject });
      try {
        const type = header.key ? "key" : "delta";
        this.decoder.decode(new EncodedVideoChunk({ type, timestamp: header.frame, data }));
      } catch (error) {
        this.fail(error as Error);
      }
    });
  }

  private restart(codec: string): void {
    this.close();
    const decoder = new VideoDecoder({
      output: (frame) => {
        const waits = this.waiting.get(frame.timestamp);
        this.waiting.delete(frame.timestamp);
        if (waits) waits.resolve(frame);
        else frame.close();
      },
      error: (error) => this.decoder === decoder && this.fail(error),
    });
    decoder.configure({ codec, optimizeForLatency: true });
    this.decoder = decoder;
  }

  private fail(error: Error): void {
    this.close();
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  close(): void {
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
  }
}

export class Decoders {
  private readonly streams = new Map<string, Stream>();

  async decode(header: FrameHeader, data: Uint8Array<ArrayBuffer>): Promise<Picture> {
    const type = types[header.codec];
    if (type) return createImageBitmap(new Blob([data], { type }), exactColours);
    let stream = this.streams.get(header.view);
    if (!stream) this.streams.set(header.view, (stream = new Stream()));
    return stream.decode(header, data);
  }

  restart(): void {
    for (const stream of this.streams.values()) stream.close();
    this.streams.clear();
  }
}

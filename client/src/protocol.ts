// The bytes and messages on the wire, as docs/PROTOCOL.md lays them down. Knows nothing of the page.
import type { ImageInfo, Scene, TransferPoint } from "./scene.ts";
import type { Vec3 } from "./geometry.ts";
import type { Shape } from "./shapes.ts";

export const protocolVersion = 2;
export const subProtocol = "nora.v2";

export const codecs = { jpeg: 1, png: 2, webp: 3, h264: 4, hevc: 5, av1: 6 } as const;
export const isLossless = (codec: number): boolean => codec === codecs.png || codec === codecs.webp;
const newestCodec = codecs.av1;
export const qualities = ["moving", "sharp", "lossless"] as const;
export type Quality = (typeof qualities)[number];

/** What lies before a picture. Geometry: world = origin + right * px + down * py, in viewport pixels. */
export interface FrameHeader {
  frame: number;
  codec: number;
  quality: Quality;
  width: number;
  height: number;
  viewportWidth: number;
  viewportHeight: number;
  input: number;
  origin: Vec3;
  right: Vec3;
  down: Vec3;
  forward: Vec3;
  queueUs: number;
  renderUs: number;
  encodeUs: number;
  waitUs: number;
  hash: bigint;
  revision: number; // counts changes of the layers and their images; which of them the picture shows
  readBackUs: number;
  ahead: number; // what this page called it when it asked for it ahead; 0: shows the scene as it is
  key: boolean; // can be decoded by itself
  encoderQuality: number; // 1..100
  bandwidthKbit: number; // to this page, as the server found; 0: not known
  roundTripUs: number; // 0: not known
  view: string;
}

const knownHeaderBytes = 192;

function vector(bytes: DataView, offset: number): Vec3 {
  return [
    bytes.getFloat64(offset, true),
    bytes.getFloat64(offset + 8, true),
    bytes.getFloat64(offset + 16, true),
  ];
}

function checkStart(bytes: DataView): number {
  if (bytes.byteLength < knownHeaderBytes) {
    throw new Error(`a frame of ${bytes.byteLength} bytes is shorter than its header`);
  }
  if (bytes.getUint32(0, false) !== 0x4e4f5246) {
    throw new Error("a frame does not start with NORF");
  }
  const version = bytes.getUint16(4, true);
  if (version !== protocolVersion) {
    throw new Error(`a frame has protocol version ${version}, the page speaks ${protocolVersion}`);
  }
  return bytes.getUint16(6, true);
}

/** Reads a binary message. Throws an Error that says what is wrong with it. `picture` shares memory with `message`. */
export function parseFrame(message: ArrayBuffer): { header: FrameHeader; picture: Uint8Array<ArrayBuffer> } {
  const bytes = new DataView(message);
  const headerBytes = checkStart(bytes);
  const nameBytes = bytes.getUint16(22, true);
  if (headerBytes < knownHeaderBytes || headerBytes + nameBytes > message.byteLength) {
    throw new Error("a frame's header is longer than its message");
  }
  const codec = bytes.getUint8(12);
  const quality = qualities[bytes.getUint8(13)];
  if (codec < 1 || codec > newestCodec) throw new Error(`a frame has the unknown codec ${codec}`);
  if (quality === undefined) throw new Error("a frame has an unknown quality");
  const header: FrameHeader = {
    frame: bytes.getUint32(8, true),
    codec,
    quality,
    width: bytes.getUint16(14, true),
    height: bytes.getUint16(16, true),
    viewportWidth: bytes.getUint16(18, true),
    viewportHeight: bytes.getUint16(20, true),
    input: Number(bytes.getBigUint64(24, true)),
    origin: vector(bytes, 32),
    right: vector(bytes, 56),
    down: vector(bytes, 80),
    forward: vector(bytes, 104),
    queueUs: bytes.getUint32(128, true),
    renderUs: bytes.getUint32(132, true),
    encodeUs: bytes.getUint32(136, true),
    waitUs: bytes.getUint32(140, true),
    hash: bytes.getBigUint64(144, true),
    revision: Number(bytes.getBigUint64(152, true)),
    readBackUs: bytes.getUint32(160, true),
    ahead: bytes.getUint32(164, true),
    key: (bytes.getUint8(168) & 1) !== 0,
    encoderQuality: bytes.getUint8(169),
    bandwidthKbit: bytes.getUint32(172, true),
    roundTripUs: bytes.getUint32(176, true),
    view: new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(message, headerBytes, nameBytes)),
  };
  return { header, picture: new Uint8Array(message, headerBytes + nameBytes) };
}

const partMagic = 0x4e4f5250; // "NORP"
const largestFrame = 64 << 20;

/** Puts together the pictures that come in parts. */
export class Parts {
  private frame = 0;
  private bytes: Uint8Array<ArrayBuffer> | null = null;
  private filled = 0;

  /** The message itself if it is whole; of a part the whole message if it is the last one, else null. Throws an Error. */
  take(message: ArrayBuffer): ArrayBuffer | null {
    const bytes = new DataView(message);
    if (message.byteLength < 24 || bytes.getUint32(0, false) !== partMagic) return message;
    const [frame, offset, total] = [bytes.getUint32(8, true), bytes.getUint32(12, true), bytes.getUint32(16, true)];
    if (offset === 0) {
      if (total > largestFrame) throw new Error(`a picture of ${total} bytes is too large`);
      [this.frame, this.bytes, this.filled] = [frame, new Uint8Array(total), 0];
    }
    const part = new Uint8Array(message, bytes.getUint16(6, true));
    if (!this.bytes || frame !== this.frame || offset !== this.filled || offset + part.length > this.bytes.length) {
      throw new Error("a part of a picture does not follow the one before");
    }
    this.bytes.set(part, offset);
    this.filled += part.length;
    if (this.filled < this.bytes.length) return null;
    const whole = this.bytes.buffer;
    this.bytes = null;
    return whole;
  }

  restart(): void {
    this.bytes = null;
  }
}

/** FNV-1a 64, in two 32-bit halves (BigInt is a hundred times slower). */
export class Fnv1a64 {
  private high = 0xcbf29ce4;
  private low = 0x84222325;

  add(bytes: Uint8Array | Uint8ClampedArray): void {
    let { high, low } = this;
    for (let i = 0; i < bytes.length; ++i) {
      low = (low ^ bytes[i]!) >>> 0;
      // times 2^40 + 0x1b3
      const product = low * 0x1b3;
      high = (Math.imul(high, 0x1b3) + Math.floor(product / 0x100000000) + (low << 8)) >>> 0;
      low = product >>> 0;
    }
    [this.high, this.low] = [high, low];
  }

  value(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }
}

/** A time point that a layer shows and that is not there; its pictures show another one meanwhile. */
export interface AwaitedTime {
  time: number;
  state: "loading" | "stopped" | "failed";
}

/** How often values occur; rare ones beyond the ends are in the first and the last bin. */
export interface Histogram {
  low: number;
  high: number;
  counts: number[];
}

/** A transfer function that the layer can have; the first one is the automatic one. */
export interface TransferChoice {
  preset: string;
  title: string;
  points: TransferPoint[];
}

export interface LayerState {
  name: string;
  info: ImageInfo | null;
  shape: Shape | null; // instead of info
  window: { low: number; high: number } | null;
  state: "loading" | "ready" | "failed";
  error: string;
  note: string; // why it is there and not seen
  held: [number, number] | null; // first time point and their number, while the others are not there yet
  restStopped: boolean; // with `held`: the other time points are not being loaded
  awaited: AwaitedTime | null;
  input: number; // of the `open` that is under way; else 0
  histogram: Histogram | null;
  transfers: TransferChoice[];
}

export interface LayerValue {
  id: string;
  voxel: [number, number, number];
  inside: boolean;
  value: number | null;
  trilinear: number | null;
  rgb?: [number, number, number];
  label?: string; // of images with a label table
}

/** What lies under a pixel. */
export interface Pick {
  mm: Vec3;
  kind: "image" | "slice" | "surface" | "tracts" | "marker";
  layer?: string;
  vertex?: number;
  streamline?: number; // its number in the file
  values: { layer: string; name: string; value: number | null; label?: string }[];
}

export interface Hello {
  type: "hello";
  protocol: number;
  version: string;
  session: string;
  resumed: boolean;
  applied: number;
  revision: number;
  scene: Scene;
  codecs: string[];
}

export type ServerMessage =
  | Hello
  | { type: "scene"; input: number; applied: number; revision: number; scene: Scene }
  | { type: "images"; revision: number; layers: Record<string, Record<string, unknown>> }
  | { type: "progress"; layers: Record<string, number> }
  | { type: "values"; input: number; mm: Vec3; layers: LayerValue[] }
  | { type: "picked"; input: number; hit: Pick | null }
  | { type: "archive"; revision: number; scanning: boolean; files: number; problem?: string }
  | { type: "error"; code: string; what: string; where?: string; input?: number; layer?: string }
  | { type: "pong"; token: number };

function errorText(error: unknown): string {
  if (typeof error === "string") return error;
  if (typeof error === "object" && error !== null) {
    const { what, where } = error as { what?: unknown; where?: unknown };
    if (typeof what === "string") return typeof where === "string" && where !== "" ? `${where}: ${what}` : what;
  }
  return "";
}

/** One layer of an `images` message. `window`, `state` and `error` stand beside `info`, or inside it. */
export function layerState(raw: Record<string, unknown>): LayerState {
  const info = (raw["info"] ?? null) as (ImageInfo & Record<string, unknown>) | null;
  const field = (key: string): unknown => raw[key] ?? info?.[key];
  const window = field("window") as { low: number; high: number } | null | undefined;
  const state = field("state");
  return {
    name: typeof raw["name"] === "string" ? raw["name"] : "",
    info: info && Array.isArray(info["dims"]) ? info : null,
    shape: (raw["shape"] ?? null) as Shape | null,
    window: window && Number.isFinite(window.low) && Number.isFinite(window.high) ? window : null,
    state: state === "ready" || state === "failed" ? state : "loading",
    error: errorText(field("error")),
    note: errorText(field("note")),
    held: Array.isArray(raw["held"]) ? (raw["held"] as [number, number]) : null,
    restStopped: raw["rest"] === "stopped",
    awaited: (raw["awaits"] ?? null) as AwaitedTime | null,
    input: typeof raw["input"] === "number" ? raw["input"] : 0,
    histogram: (raw["histogram"] ?? null) as Histogram | null,
    transfers: (raw["transfers"] ?? []) as TransferChoice[],
  };
}

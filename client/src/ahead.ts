// Pictures that may be wanted soon: the neighbouring slices are asked for while nothing else is under way, and drawn at
// once when the crosshair comes to them, however far the server is.
import type { Picture } from "./decoder.ts";
import { add, dot, scale, sliceRangeMm, sliceStepMm, type Vec3 } from "./geometry.ts";
import { lookOf } from "./looks.ts";
import { scrollNormal, stepsWithin } from "./navigation.ts";
import type { FrameHeader } from "./protocol.ts";
import type { ImageInfo, Operation, Scene } from "./scene.ts";

const inHand = 8; // slices each way of the view under the hand
const elsewhere = 4;
const mostItems = 32;
const listsOnTheWay = 8;
const restMs = 40; // without an edit, before something is asked for
const travelMs = 500; // between two steps of one movement
const makingMs = 30; // of a picture, on both sides
const keptBytes = 96 << 20; // of decoded pictures
const nearMm = 1e-4;

interface Place {
  id: number;
  view: string;
  crosshairMm: Vec3;
  look: string;
  size: string;
}

/** How a view is scrolled. */
interface Travel {
  way: 1 | -1;
  perMs: number; // slices
  at: number;
}

export interface AheadPicture extends Place {
  picture: Picture;
  header: FrameHeader;
}

/** What it must know of the session. */
export interface AheadSource {
  scene(): Scene;
  revision(): number;
  focusedView(): string;
  /** Of the picture of a view that is on the page: from it the next slice is reckoned. */
  headerOf(view: string): FrameHeader | undefined;
  sizeOf(view: string): { width: number; height: number } | undefined;
  background(): ImageInfo | null;
  send(message: object): void;
}

const sizeKey = ({ width, height }: { width: number; height: number }): string => `${width}x${height}`;

export class Ahead {
  private readonly asked = new Map<number, Place>();
  private readonly kept = new Map<number, AheadPicture>(); // the oldest first
  private readonly travels = new Map<string, Travel>();
  private revision = -1;
  private bytes = 0;
  private ids = 0;
  private timer = 0;

  constructor(private readonly source: AheadSource) {}

  /** Something changed: what is missing is asked for when that has come to rest. */
  soon(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), restMs);
  }

  restart(): void {
    clearTimeout(this.timer);
    this.asked.clear();
    for (const id of [...this.kept.keys()]) this.drop(id);
  }

  scrolled(view: string, slices: number): void {
    const [way, at, before] = [slices < 0 ? -1 : 1, performance.now(), this.travels.get(view)] as const;
    const lasts = before !== undefined && before.way === way && at - before.at < travelMs;
    const perMs = lasts ? Math.abs(slices) / Math.max(1, at - before.at) : 0;
    this.travels.set(view, { way, at, perMs: lasts ? (before.perMs + perMs) / 2 : 0 });
  }

  /** Slices that will have gone by before a picture can be here. */
  private lead(view: string, { roundTripUs }: FrameHeader): number {
    const travel = this.travels.get(view);
    if (!travel || performance.now() - travel.at > travelMs) return 0;
    return Math.min(inHand, Math.floor(travel.perMs * (roundTripUs / 1000 + restMs + makingMs)));
  }

  /** The same place as a picture that is here, if one is at that place but for rounding. */
  snap(crosshairMm: Vec3): Vec3 {
    for (const place of this.kept.values()) {
      if (place.crosshairMm.every((mm, i) => Math.abs(mm - crosshairMm[i]!) < nearMm)) return place.crosshairMm;
    }
    return crosshairMm;
  }

  /** The picture that a view shall show now, if it is here. */
  find(view: string): AheadPicture | null {
    this.forgetOld();
    const [size, found] = [this.source.sizeOf(view), this.source.scene().views.find(({ name }) => name === view)];
    if (!size || !found || this.kept.size === 0) return null;
    const look = lookOf(this.source.scene(), found);
    for (const place of this.kept.values()) {
      if (place.view === view && place.look === look && place.size === sizeKey(size)) return place;
    }
    return null;
  }

  /** True if it keeps the picture. */
  take(header: FrameHeader, picture: Picture): boolean {
    const place = this.asked.get(header.ahead);
    this.asked.delete(header.ahead);
    const isRight = place && header.revision === this.source.revision() && sizeKey({ width: header.viewportWidth, height: header.viewportHeight }) === place.size;
    if (!isRight || this.has(place)) return false;
    this.kept.set(place.id, { ...place, header, picture });
    this.bytes += header.width * header.height * 4;
    for (const id of this.kept.keys()) {
      if (this.bytes <= keptBytes) break;
      this.drop(id);
    }
    return this.kept.has(place.id);
  }

  private drop(id: number): void {
    const place = this.kept.get(id);
    if (!place) return;
    this.kept.delete(id);
    this.bytes -= place.header.width * place.header.height * 4;
    place.picture.close();
  }

  /** Other images are other pictures. */
  private forgetOld(): void {
    if (this.revision === this.source.revision()) return;
    this.revision = this.source.revision();
    this.asked.clear();
    for (const id of [...this.kept.keys()]) this.drop(id);
  }

  private ask(): void {
    this.forgetOld();
    const focus = this.source.focusedView();
    const views = this.source.scene().views.filter(({ kind }) => kind === "slice").map(({ name }) => name);
    views.sort((a, b) => Number(b === focus) - Number(a === focus));
    const items: { id: number; view: string; patch: Operation[] }[] = [];
    for (const view of views) {
      for (const crosshairMm of this.placesOf(view, view === focus || views.length === 1 ? inHand : elsewhere)) {
        const place = this.placeAt(view, crosshairMm);
        if (!place || items.length >= mostItems || this.has(place)) continue;
        this.asked.set(place.id, place);
        items.push({ id: place.id, view, patch: [{ op: "replace", path: "/crosshairMm", value: crosshairMm }] });
      }
    }
    if (items.length === 0) return;
    this.source.send({ type: "ahead", items });
    // The lists before ended; pictures of them may be on their way.
    for (const id of this.asked.keys()) if (this.asked.size > listsOnTheWay * mostItems) this.asked.delete(id);
  }

  private has({ view, look, size }: Place): boolean {
    for (const place of this.kept.values()) if (place.view === view && place.look === look && place.size === size) return true;
    return false;
  }

  private placeAt(name: string, crosshairMm: Vec3): Place | null {
    const size = this.source.sizeOf(name);
    const view = this.source.scene().views.find((other) => other.name === name);
    if (!size || !view) return null;
    return { id: ++this.ids, view: name, crosshairMm, look: lookOf({ ...this.source.scene(), crosshairMm }, view), size: sizeKey(size) };
  }

  /** The crosshairs of the neighbouring slices: half of those in the direction of travel, then both ways in turn. */
  private placesOf(view: string, reach: number): Vec3[] {
    const [picture, background] = [this.source.headerOf(view), this.source.background()];
    if (!picture || !background) return [];
    const normal = scrollNormal(picture.forward);
    const step = sliceStepMm(background.affine, normal);
    const range = sliceRangeMm(background.affine, background.dims, normal);
    const { crosshairMm } = this.source.scene();
    const way = this.travels.get(view)?.way ?? 1;
    const lead = this.lead(view, picture);
    const ahead = stepsWithin(range, dot(crosshairMm, normal), step, way * (reach + lead)) * way;
    const behind = stepsWithin(range, dot(crosshairMm, normal), step, -way * reach) * -way;
    return stepsAhead({ lead, reach, ahead, behind }).map((n) => add(crosshairMm, scale(normal, step * way * n)));
  }
}

/**
 * Which neighbours to ask for, the best first; positive in the direction of travel. What is passed before it can come is
 * asked for after what is not. `ahead`, `behind`: how many slices there are.
 */
export function stepsAhead({ lead, reach, ahead, behind }: { lead: number; reach: number; ahead: number; behind: number }): number[] {
  const steps: number[] = [];
  for (let n = 1; n <= reach + reach / 2; ++n) {
    if (n <= reach && lead + n <= ahead) steps.push(lead + n);
    const back = n - reach / 2;
    if (back >= 1 && back <= behind) steps.push(-back);
  }
  for (let n = lead; n >= 1; --n) if (n <= ahead) steps.push(n);
  return steps;
}

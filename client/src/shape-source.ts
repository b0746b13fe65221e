// What to open with a surface, streamlines or values at vertices: the T1 behind them, the mesh below them.
import { isNoBackground, looksLikeT1, type Entry } from "./rows.ts";

/** Opened one after the other. */
export interface Step {
  entry: Entry;
  as: "new" | "overlay";
}

export const isShape = ({ kind }: Entry): boolean => kind === "surface" || kind === "streamlines";

const freeSurferImages = ["T1.mgz", "brain.mgz", "norm.mgz", "orig.mgz"]; // the best first
const derived = ["derivatives", "sourcedata", "rawdata"]; // folders of BIDS within a data set
const valueFormats = ["FreeSurfer curv", "FreeSurfer annotation", "FreeSurfer label", "CIFTI-2"];
const bestMeshes = [/pial/, /white/, /midthick/, /inflated/, /infl/]; // what values are looked at on
const worstMeshes = /sphere|flat|orig/;

const folderOf = ({ path }: Entry): string => path.slice(0, path.lastIndexOf("/") + 1);
const stemOf = ({ path }: Entry): string => path.slice(path.lastIndexOf("/") + 1).split(".")[0]!;
const isImage = (entry: Entry): boolean => entry.state === "ready" && entry.kind === "image";
const spaceOf = ({ name }: Entry): string => /space-([a-z0-9]+)/i.exec(name)?.[1]?.toLowerCase().replace(/^t1w$/, "") ?? "";

/** The folders above the subject's: another data set has another sub-01. */
function dataSetOf({ path, subject }: Entry): string {
  const parts = path.split("/");
  const end = parts.findIndex((part) => derived.includes(part) || part.startsWith(subject));
  return parts.slice(0, Math.max(0, end)).join("/");
}

export function sameSubject(a: Entry, b: Entry): boolean {
  return a.subject !== "" && a.subject === b.subject && dataSetOf(a) === dataSetOf(b);
}

/** How many folders two files have in common. */
function nearness(a: Entry, b: Entry): number {
  const [one, other] = [a.path.split("/"), b.path.split("/")];
  const parting = one.findIndex((part, i) => part !== other[i]);
  return parting < 0 ? one.length : parting;
}

function besideSurfaces(shape: Entry, images: Entry[]): Entry | null {
  const subject = /^(.*\/|)(surf|label)\/$/.exec(folderOf(shape))?.[1];
  if (subject === undefined) return null;
  for (const name of freeSurferImages) {
    const found = images.find(({ path }) => path === `${subject}mri/${name}`);
    if (found) return found;
  }
  return null;
}

/** The image to see a shape with: FreeSurfer's own, a T1 of the subject, one of the same folder or name. */
export function fittingImage(shape: Entry, entries: Iterable<Entry>): Entry | null {
  const images = [...entries].filter((entry) => isImage(entry) && (entry.timePoints ?? 1) <= 1);
  const own = besideSurfaces(shape, images);
  if (own) return own;
  const inFolder = (entry: Entry): boolean => folderOf(entry) === folderOf(shape);
  const isT1 = ({ name, description }: Entry): boolean => looksLikeT1.test(`${name} ${description}`) && !isNoBackground.test(name);
  const fitting = images.filter((entry) => {
    if (entry.sourceSeries) return false;
    return isT1(entry) ? sameSubject(entry, shape) || inFolder(entry) : inFolder(entry) && stemOf(entry) === stemOf(shape);
  });
  const score = (entry: Entry): number =>
    (spaceOf(entry) === spaceOf(shape) ? 200 : 0) + (entry.study === shape.study ? 100 : 0) + nearness(entry, shape);
  fitting.sort((a, b) => score(b) - score(a) || (a.path < b.path ? -1 : 1));
  return fitting[0] ?? null;
}

/** How to open a mesh or streamlines where `shown` are the entries of the layers. */
export function planShape(shape: Entry, as: Step["as"], shown: Entry[], entries: Iterable<Entry>): Step[] {
  const over: Step = { entry: shape, as: "overlay" };
  if (as === "overlay" && shown.length > 0) return [over];
  const background = shown.find((entry) => entry.kind === "image");
  if (background && sameSubject(background, shape)) return [over];
  const image = fittingImage(shape, entries);
  if (image && image.id === background?.id) return [over];
  if (image) return [{ entry: image, as: "new" }, over];
  return [shown.some((entry) => folderOf(entry) === folderOf(shape)) ? over : { entry: shape, as: "new" }];
}

/** What the name tells of a file; "" where only its bytes do. */
export function contentOf({ kind, format, name }: Entry): "mesh" | "values" | "" {
  if (kind === "streamlines") return "mesh";
  if (valueFormats.includes(format) || /\.(func|shape|label|time)\.gii/i.test(name)) return "values";
  return format === "MZ3" || (format === "GIFTI" && !/\.surf\.gii/i.test(name)) ? "" : "mesh";
}

/** "l", "r", or "" if the name does not tell. */
export function hemisphereOf({ name }: Entry): string {
  for (const word of name.toLowerCase().split(/[^a-z]+/)) {
    if (["l", "lh", "left"].includes(word)) return "l";
    if (["r", "rh", "right"].includes(word)) return "r";
  }
  return "";
}

function meshRank({ name }: Entry): number {
  const best = bestMeshes.findIndex((pattern) => pattern.test(name.toLowerCase()));
  return best >= 0 ? best : worstMeshes.test(name.toLowerCase()) ? bestMeshes.length + 1 : bestMeshes.length;
}

/** The meshes on which values may belong: of the same folder and hemisphere, the best to look at first. */
export function meshesFor(values: Entry, entries: Iterable<Entry>): Entry[] {
  const folders = [folderOf(values), folderOf(values).replace(/(^|\/)label\/$/, "$1surf/")];
  const side = hemisphereOf(values);
  const meshes = [...entries].filter((entry) => {
    if (entry.state !== "ready" || entry.kind !== "surface" || entry.id === values.id || contentOf(entry) === "values") return false;
    return folders.includes(folderOf(entry)) && (side === "" || ["", side].includes(hemisphereOf(entry)));
  });
  return meshes.sort((a, b) => meshRank(a) - meshRank(b) || (a.name < b.name ? -1 : 1));
}

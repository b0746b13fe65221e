// Rows of the archive as the API gives them, and the entries that the viewer opens.
import { formatBytes } from "./format.ts";

export type Level = "subjects" | "studies" | "files";
export const levels: Level[] = ["subjects", "studies", "files"];

export type Meta = Record<string, unknown>;

export interface Source {
  path: string;
  series?: string;
}

/** What all levels have; the rest is of files, or where it says so. */
export interface Row {
  id: number;
  level: Level;
  name: string;
  tags: string[];
  meta: Meta;
  revision: number;
  projectId: number;
  project: string;
  created: string;
  changed: string;
  rights?: string[];
  counts?: { studies?: number; files?: number }; // of subjects and studies
  subjectId?: number; // also of studies
  subject?: string;
  date?: string; // also of studies
  studyId?: number;
  study?: string;
  path?: string;
  kind?: string;
  format?: string;
  size?: number;
  modified?: string;
  state?: "present" | "vanished" | "broken";
  reason?: string;
  modality?: string;
  sequence?: string;
  dims?: number[];
  spacingMm?: number[];
  source?: Source;
  sourceSeries?: string;
  warnings?: string[];
  instances?: number;
}

/** A file as the viewer opens it. */
export interface Entry {
  id: number;
  projectId: number;
  subjectId: number;
  subject: string;
  study: string;
  name: string;
  path: string;
  kind: string;
  format: string;
  dims: number[];
  timePoints: number;
  modality: string;
  description: string;
  instances: number;
  sizeBytes: number;
  source: Source;
  sourceSeries: string; // UID of the series that it was drawn on; "" for most
  state: "ready" | "failed";
  reason: string;
  warnings: string[];
}

const reasonOf = (row: Row): string => row.reason || (row.state === "vanished" ? "the file is gone from the disk" : "");

/** True of files that can be opened; the others have a reason. */
export const isReady = (row: Row): boolean => (row.state ?? "present") === "present" && !row.reason;

export function entryOf(row: Row): Entry {
  return {
    id: row.id,
    projectId: row.projectId,
    subjectId: row.subjectId ?? 0,
    subject: row.subject ?? "",
    study: row.study ?? "",
    name: row.name,
    path: row.path ?? row.name,
    kind: row.kind ?? "other",
    format: row.format ?? "",
    dims: row.dims ?? [],
    timePoints: Math.max(1, row.dims?.[3] ?? 1),
    modality: row.modality ?? "",
    description: row.sequence ?? "",
    instances: row.instances ?? 1,
    sizeBytes: row.size ?? 0,
    source: row.source ?? { path: row.path ?? row.name },
    sourceSeries: row.sourceSeries ?? "",
    state: isReady(row) ? "ready" : "failed",
    reason: reasonOf(row),
    warnings: row.warnings ?? [],
  };
}

export const sourceKey = (source: Source | undefined): string => `${source?.path ?? ""}\0${source?.series ?? ""}`;

/** What the viewer has views for; the rest opens in a panel. */
export const isViewable = ({ kind }: { kind?: string }): boolean => ["image", "surface", "streamlines"].includes(kind ?? "");

export function naturalKey(name: string): string {
  return name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, "0"));
}

/** The few characters at the right of a narrow row that say what it is: "4D 40", "MR", "streamlines". */
export function shortKind(row: Row): string {
  if (row.state === "broken") return "failed";
  if (row.state === "vanished") return "gone";
  if (!isReady(row)) return row.format || "no view";
  if (row.kind !== "image") return row.kind ?? "";
  const points = row.dims?.[3] ?? 1;
  return points > 1 ? `4D ${points}` : (row.modality ?? "");
}

/** The tooltip of a row. */
export function rowTitle(row: Row): string {
  if (row.level !== "files") return row.name;
  const entry = entryOf(row);
  const size = entry.dims.slice(0, 3).filter((n) => n > 0).join(" × ");
  const parts = [entry.format, size, entry.sizeBytes > 0 ? formatBytes(entry.sizeBytes) : ""];
  const lines = [entry.path, entry.description === entry.name ? "" : entry.description];
  lines.push(parts.filter((part) => part !== "").join(" · "));
  if (entry.state !== "ready") lines.push(`Cannot be opened: ${entry.reason || "the format is not supported"}`);
  for (const warning of entry.warnings) lines.push(`Warning: ${warning}`);
  return lines.filter((line) => line !== "").join("\n");
}

export const looksLikeT1 = /(^|[^a-z0-9])t1(w|c|[^a-z0-9]|$)|mprage|mp2rage|spgr|bravo/i;
export const isNoBackground = /seg|mask|label|atlas|stat|zmap|tmap|aparc|parc|roi|lesion/i;

/** The image to begin with: a T1 by its name, else the first still image, else the first of any kind. */
export function firstImage(entries: Iterable<Entry>): { entry: Entry; likelyT1: boolean } | null {
  const images = [...entries].filter((entry) => entry.state === "ready" && entry.kind === "image");
  images.sort((a, b) => (a.path < b.path ? -1 : 1));
  const plain = images.filter((e) => !e.sourceSeries && !isNoBackground.test(e.name) && (e.timePoints ?? 1) <= 1);
  const t1 = plain.find((entry) => looksLikeT1.test(`${entry.name} ${entry.description}`));
  const entry = t1 ?? plain[0] ?? images[0];
  return entry ? { entry, likelyT1: t1 !== undefined } : null;
}

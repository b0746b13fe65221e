// The columns of the wide table: which there are at each level, which the user chose and how wide they made them.
import { formatBytes, formatCount, formatValue } from "./format.ts";
import type { Level, Row } from "./rows.ts";

export interface Column {
  key: string; // of the API, or "meta.KEY"
  title: string;
  widthPx: number;
  numeric?: boolean;
}

const sortedEverywhere = ["name", "created", "changed", "project"];
const sorted: Record<Level, string[]> = {
  subjects: sortedEverywhere,
  studies: [...sortedEverywhere, "date", "subject"],
  files: [
    ...sortedEverywhere, "path", "kind", "format", "size", "modified", "state", "modality", "sequence", "date", "instances", "dims",
    "spacingMm", "subject", "study",
  ],
};

/** True if the server has an order for it. */
export const isSorted = (level: Level, key: string): boolean => sorted[level].includes(key);

const leastPx = 48;
const mostPx = 900;

const day = (time: string | undefined): string => (time ?? "").slice(0, 16).replace("T", " ");

const dims = (row: Row): string => (row.dims ?? []).filter((n, i) => n > (i === 3 ? 1 : 0)).join(" × ");

const texts: Record<string, (row: Row) => string> = {
  size: (row) => (row.size === undefined ? "" : formatBytes(row.size)),
  dims,
  spacingMm: (row) => (row.spacingMm ?? []).filter((mm) => mm > 0).map(formatValue).join(" × "),
  modified: (row) => day(row.modified),
  created: (row) => day(row.created),
  changed: (row) => day(row.changed),
  studies: (row) => (row.counts?.studies === undefined ? "" : formatCount(row.counts.studies)),
  files: (row) => (row.counts?.files === undefined ? "" : formatCount(row.counts.files)),
  tags: (row) => row.tags.join(", "),
  warnings: (row) => (row.warnings ?? []).join("; "),
};

function metaText(meta: unknown, path: string): string {
  let value = meta;
  let rest = path;
  while (rest !== "") {
    if (typeof value !== "object" || value === null) return "";
    const found = Object.keys(value).find((key) => rest === key || rest.startsWith(`${key}.`)); // keys may have dots
    if (found === undefined) return "";
    value = (value as Record<string, unknown>)[found];
    rest = rest.slice(found.length + 1);
  }
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function cellText(row: Row, key: string): string {
  if (key.startsWith("meta.")) return metaText(row.meta, key.slice(5));
  const text = texts[key];
  if (text) return text(row);
  const value = (row as unknown as Record<string, unknown>)[key];
  return value === undefined || value === null ? "" : String(value);
}

const all: Record<string, Omit<Column, "key">> = {
  name: { title: "Name", widthPx: 280 },
  path: { title: "Path", widthPx: 320 },
  subject: { title: "Subject", widthPx: 130 },
  study: { title: "Study", widthPx: 130 },
  project: { title: "Project", widthPx: 110 },
  kind: { title: "Kind", widthPx: 90 },
  format: { title: "Format", widthPx: 90 },
  modality: { title: "Modality", widthPx: 80 },
  sequence: { title: "Sequence", widthPx: 150 },
  dims: { title: "Size, voxels", widthPx: 160 },
  spacingMm: { title: "Voxel, mm", widthPx: 110 },
  date: { title: "Date", widthPx: 95 },
  size: { title: "Bytes", widthPx: 85, numeric: true },
  modified: { title: "Modified", widthPx: 130 },
  state: { title: "State", widthPx: 80 },
  reason: { title: "Reason", widthPx: 260 },
  warnings: { title: "Warnings", widthPx: 220 },
  instances: { title: "Instances", widthPx: 85, numeric: true },
  studies: { title: "Studies", widthPx: 80, numeric: true },
  files: { title: "Files", widthPx: 80, numeric: true },
  tags: { title: "Tags", widthPx: 190 },
  created: { title: "Added", widthPx: 130 },
  changed: { title: "Changed", widthPx: 130 },
};

const offered: Record<Level, string[]> = {
  subjects: ["project", "studies", "files", "tags", "created", "changed"],
  studies: ["project", "subject", "date", "files", "tags", "created", "changed"],
  files: ["path", "project", "subject", "study", "kind", "format", "modality", "sequence", "dims", "spacingMm", "date", "size", "modified", "state", "reason", "warnings", "instances", "tags", "created", "changed"],
};

const usual: Record<Level, string[]> = {
  subjects: ["studies", "files", "tags", "changed"],
  studies: ["subject", "date", "files", "tags", "changed"],
  files: ["subject", "study", "modality", "sequence", "dims", "size", "date", "tags"],
};

/** A tree shows all levels: what its files are stands beside what its subjects hold. */
const inTree = ["modality", "sequence", "dims", "size", "date", "files", "tags"];

export function columnOf(key: string): Column {
  const known = all[key];
  if (known) return { key, ...known };
  return { key, title: key.replace(/^meta\./, ""), widthPx: 120 };
}

/** What is kept in the browser: the keys chosen for each kind of table, and widths of all. */
export class ColumnChoice {
  private kept: { chosen: Record<string, string[]>; widths: Record<string, number> } = { chosen: {}, widths: {} };
  private static readonly place = "nora.columns";

  constructor() {
    try {
      const kept = JSON.parse(localStorage.getItem(ColumnChoice.place) ?? "{}") as Partial<ColumnChoice["kept"]>;
      this.kept = { chosen: kept.chosen ?? {}, widths: kept.widths ?? {} };
    } catch {
      // nothing was kept
    }
  }

  /** The name comes first, always. */
  columns(level: Level, tree: boolean): Column[] {
    const keys = this.kept.chosen[this.kind(level, tree)] ?? (tree ? inTree : usual[level]);
    return ["name", ...keys].map((key) => ({ ...columnOf(key), widthPx: this.kept.widths[key] ?? columnOf(key).widthPx }));
  }

  offered(level: Level, tree: boolean): string[] {
    return tree ? [...new Set([...offered.files, ...offered[level]])] : offered[level];
  }

  choose(level: Level, tree: boolean, keys: string[] | null): void {
    if (keys) this.kept.chosen[this.kind(level, tree)] = keys;
    else delete this.kept.chosen[this.kind(level, tree)];
    this.keep();
  }

  resize(key: string, widthPx: number): void {
    this.kept.widths[key] = Math.round(Math.min(mostPx, Math.max(leastPx, widthPx)));
    this.keep();
  }

  private kind(level: Level, tree: boolean): string {
    return tree ? `${level} tree` : level;
  }

  private keep(): void {
    try {
      localStorage.setItem(ColumnChoice.place, JSON.stringify(this.kept));
    } catch {
      // then it is as usual the next time
    }
  }
}

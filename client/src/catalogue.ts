// The list of files, kept up to date from the server and grouped as subject > study > entry.
//
// 100,000 entries arrive in pages; only groups that changed are sorted again, and only open groups become rows.

export interface Source {
  path: string;
  series?: string;
}

export interface Entry {
  id: string;
  revision: number;
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
  state: "ready" | "unsupported" | "failed" | "removed";
  reason: string;
  warnings: string[];
}

interface Item {
  entry: Entry;
  key: string; // sorts names as people do: image2 before image10
  text: string; // what the filter looks at
}

interface Study {
  name: string;
  key: string;
  items: Item[];
  sorted: boolean;
}

interface Subject {
  name: string;
  key: string;
  studies: Map<string, Study>;
  order: Study[] | null;
}

export type Row =
  | { kind: "subject"; id: string; name: string; count: number; open: boolean; depth: 0 }
  | { kind: "study"; id: string; name: string; count: number; open: boolean; depth: 1 }
  | { kind: "entry"; id: string; entry: Entry; depth: number };

export type Shown = "all" | "images" | "problems";

const openAllUpTo = 400; // entries: a larger list starts with its subjects closed

export function naturalKey(name: string): string {
  return name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, "0"));
}

const sourceKey = (source: Source | undefined): string => `${source?.path ?? ""}\0${source?.series ?? ""}`;

function isShown(entry: Entry, shown: Shown): boolean {
  if (shown === "images") return entry.state === "ready" && entry.kind === "image";
  return shown === "all" || entry.state !== "ready";
}

const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

export class Catalogue {
  readonly entries = new Map<string, Entry>();
  problems = 0; // entries that cannot be opened
  private readonly subjects = new Map<string, Subject>();
  private readonly bySource = new Map<string, Entry>();
  private readonly studyOf = new Map<string, Study>();
  private order: Subject[] | null = null;
  private readonly toggled = new Map<string, boolean>();

  merge(entries: Entry[]): void {
    for (const entry of entries) {
      this.take(entry.id);
      if (entry.state !== "removed") this.put(entry);
    }
  }

  clear(): void {
    this.entries.clear();
    this.subjects.clear();
    this.studyOf.clear();
    this.bySource.clear();
    this.order = null;
    this.problems = 0;
  }

  /** The entry from which a layer was opened. */
  find(source: Source): Entry | undefined {
    return this.bySource.get(sourceKey(source));
  }

  isOpen(id: string): boolean {
    return this.toggled.get(id) ?? this.entries.size <= openAllUpTo;
  }

  setOpen(id: string, open: boolean): void {
    this.toggled.set(id, open);
  }

  /** The rows of the list as it is now. A filter opens every group in which it finds something. */
  rows(filter: string, shown: Shown): Row[] {
    const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const wanted = (item: Item): boolean =>
      isShown(item.entry, shown) &&
      words.every((word) => item.text.includes(word));
    if (shown === "problems") return this.flatRows(wanted);
    const rows: Row[] = [];
    for (const subject of this.sortedSubjects()) this.addSubject(rows, subject, wanted, words.length > 0);
    return rows;
  }

  /** Problems are few and looked at as a list. */
  private flatRows(wanted: (item: Item) => boolean): Row[] {
    const studies = this.sortedSubjects().flatMap((subject) => this.sortedStudies(subject));
    const items = studies.flatMap((study) => this.sortedItems(study).filter(wanted));
    return items.map(({ entry }) => ({ kind: "entry", id: `e/${entry.id}`, entry, depth: 0 }));
  }

  private addSubject(rows: Row[], subject: Subject, wanted: (item: Item) => boolean, found: boolean): void {
    const id = `s/${subject.name}`;
    const open = found || this.isOpen(id);
    const at = rows.length;
    let count = 0;
    for (const study of this.sortedStudies(subject)) {
      const items = open ? this.sortedItems(study).filter(wanted) : study.items.filter(wanted);
      count += items.length;
      if (open && items.length > 0) this.addStudy(rows, id, study, items, found);
    }
    const row: Row = { kind: "subject", id, name: subject.name, count, open, depth: 0 };
    if (count === 0) return;
    if (at === rows.length) rows.push(row);
    else rows.splice(at, 0, row);
  }

  private addStudy(rows: Row[], subjectId: string, study: Study, items: Item[], found: boolean): void {
    const named = study.name !== "";
    const id = `${subjectId}\0${study.name}`;
    const open = !named || found || this.isOpen(id);
    if (named) rows.push({ kind: "study", id, name: study.name, count: items.length, open, depth: 1 });
    if (!open) return;
    const depth = named ? 2 : 1;
    for (const { entry } of items) rows.push({ kind: "entry", id: `e/${entry.id}`, entry, depth });
  }

  private sortedSubjects(): Subject[] {
    this.order ??= [...this.subjects.values()].sort(byKey);
    return this.order;
  }

  private sortedStudies(subject: Subject): Study[] {
    subject.order ??= [...subject.studies.values()].sort(byKey);
    return subject.order;
  }

  private sortedItems(study: Study): Item[] {
    if (!study.sorted) study.items.sort(byKey);
    study.sorted = true;
    return study.items;
  }

  private take(id: string): void {
    const old = this.entries.get(id);
    const study = this.studyOf.get(id);
    if (!old || !study) return;
    if (old.state !== "ready") --this.problems;
    study.items.splice(
      study.items.findIndex((item) => item.entry === old),
      1,
    );
    this.entries.delete(id);
    this.bySource.delete(sourceKey(old.source));
    this.studyOf.delete(id);
  }

  private put(entry: Entry): void {
    const study = this.studyFor(entry);
    const text = `${entry.subject} ${entry.study} ${entry.path} ${entry.name} ${entry.modality} ${entry.format}`;
    study.items.push({ entry, key: naturalKey(`${entry.name} ${entry.path}`), text: text.toLowerCase() });
    study.sorted = false;
    this.entries.set(entry.id, entry);
    this.bySource.set(sourceKey(entry.source), entry);
    this.studyOf.set(entry.id, study);
    if (entry.state !== "ready") ++this.problems;
  }

  private studyFor(entry: Entry): Study {
    let subject = this.subjects.get(entry.subject);
    if (!subject) {
      subject = { name: entry.subject, key: naturalKey(entry.subject), studies: new Map(), order: null };
      this.subjects.set(entry.subject, subject);
      this.order = null;
    }
    let study = subject.studies.get(entry.study);
    if (!study) {
      study = { name: entry.study, key: naturalKey(entry.study), items: [], sorted: true };
      subject.studies.set(entry.study, study);
      subject.order = null;
    }
    return study;
  }
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

// Which item stands in which line of the table: a plain list of ids, or a tree of which only open groups have lines.
import { naturalKey, type Level, type Row } from "./rows.ts";

export interface Line {
  level: Level;
  id: number;
  depth: number;
  open: boolean | null; // null: nothing can be below it
}

export interface Lines {
  readonly count: number;
  line(at: number): Line | undefined;
  indexOf(level: Level, id: number): number;
}

export class FlatLines implements Lines {
  constructor(
    private readonly level: Level,
    readonly ids: Float64Array,
    readonly count = ids.length, // the first ones are there before the others
  ) {}

  line(at: number): Line | undefined {
    const id = this.ids[at];
    return id === undefined ? undefined : { level: this.level, id, depth: 0, open: null };
  }

  indexOf(level: Level, id: number): number {
    return level === this.level ? this.ids.indexOf(id) : -1;
  }
}

/** Something that opens. `children`: null while nobody knows them. */
export interface Group {
  level: Level;
  id: number;
  children: (Group | number)[] | null; // a number is a file
}

interface Opened {
  at: number; // among the tops
  start: number; // its line
  lines: Line[]; // below it
}

/** Tops may be a million; what is below them is kept of those that were opened. */
export class TreeLines implements Lines {
  private readonly groups = new Map<string, Group>();
  private readonly openIds = new Set<string>();
  private opened: Opened[] = [];
  count = 0;

  constructor(
    private readonly level: Level,
    private readonly ids: Float64Array,
    private loose: number[] = [], // files that belong to no group, at the end
  ) {
    this.rebuild();
  }

  static key = (level: Level, id: number): string => `${level}/${id}`;

  setLoose(files: number[]): void {
    this.loose = files;
    this.rebuild();
  }

  setChildren(group: Group): void {
    this.groups.set(TreeLines.key(group.level, group.id), group);
    for (const child of group.children ?? []) if (typeof child !== "number") this.setChildren(child);
  }

  childrenOf(level: Level, id: number): Group["children"] {
    return this.groups.get(TreeLines.key(level, id))?.children ?? null;
  }

  isOpen(level: Level, id: number): boolean {
    return this.openIds.has(TreeLines.key(level, id));
  }

  setOpen(level: Level, id: number, open: boolean): void {
    if (open) this.openIds.add(TreeLines.key(level, id));
    else this.openIds.delete(TreeLines.key(level, id));
  }

  openGroups(): string[] {
    return [...this.openIds];
  }

  rebuild(): void {
    this.opened = [];
    let start = 0;
    const openTops = this.openIds.size > 0;
    for (let at = 0; openTops && at < this.ids.length; ++at) {
      const id = this.ids[at]!;
      if (!this.isOpen(this.level, id)) continue;
      const lines = this.below({ level: this.level, id, children: this.childrenOf(this.level, id) }, 1);
      const before = this.opened.at(-1);
      start = before ? before.start + before.lines.length + (at - before.at) : at;
      this.opened.push({ at, start, lines });
    }
    this.count = this.ids.length + this.loose.length + this.opened.reduce((sum, { lines }) => sum + lines.length, 0);
  }

  private below(group: Group, depth: number): Line[] {
    return (group.children ?? []).flatMap((child): Line[] => {
      if (typeof child === "number") return [{ level: "files", id: child, depth, open: null }];
      const open = this.isOpen(child.level, child.id);
      const line: Line = { level: child.level, id: child.id, depth, open };
      return open ? [line, ...this.below(child, depth + 1)] : [line];
    });
  }

  line(at: number): Line | undefined {
    let [low, high] = [0, this.opened.length]; // the last one that starts at or before the line
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.opened[middle]!.start <= at) low = middle + 1;
      else high = middle;
    }
    const before = this.opened[low - 1];
    const behind = before ? at - before.start : at;
    if (before && behind >= 1 && behind <= before.lines.length) return before.lines[behind - 1];
    const top = before ? before.at + (behind === 0 ? 0 : behind - before.lines.length) : at;
    const id = this.ids[top];
    if (id !== undefined) return { level: this.level, id, depth: 0, open: this.isOpen(this.level, id) };
    const loose = this.loose[top - this.ids.length];
    return loose === undefined ? undefined : { level: "files", id: loose, depth: 0, open: null };
  }

  indexOf(level: Level, id: number): number {
    const at = level === this.level ? this.ids.indexOf(id) : -1;
    if (at >= 0) {
      const before = this.opened.findLast((each) => each.at <= at);
      if (!before) return at;
      return before.start + (at === before.at ? 0 : before.lines.length + at - before.at);
    }
    for (const { start, lines } of this.opened) {
      const below = lines.findIndex((line) => line.level === level && line.id === id);
      if (below >= 0) return start + 1 + below;
    }
    const loose = level === "files" ? this.loose.indexOf(id) : -1;
    return loose < 0 ? -1 : this.count - this.loose.length + loose;
  }
}

const orderKey = ({ subject, study, name }: Row): string => [subject ?? "", study ?? "", name].map(naturalKey).join("\0");

/** Subjects, studies and files as people count. */
function inOrder(files: Row[]): Row[] {
  const keyed = files.map((file) => ({ file, key: orderKey(file) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.file.id - b.file.id)).map(({ file }) => file);
}

/** Files grouped below their studies, and these below their subjects where the top is subjects. */
export function groupFiles(files: Row[], top: Level): { groups: Group[]; loose: number[] } {
  const groups = new Map<string, Group>();
  const tops: Group[] = [];
  const loose: number[] = [];
  const groupOf = (level: Level, id: number, parent: Group | null): Group => {
    const key = TreeLines.key(level, id);
    const known = groups.get(key);
    if (known) return known;
    const group: Group = { level, id, children: [] };
    groups.set(key, group);
    if (parent) parent.children!.push(group);
    else tops.push(group);
    return group;
  };
  for (const file of inOrder(files)) {
    const subject = top === "subjects" && file.subjectId ? groupOf("subjects", file.subjectId, null) : null;
    const study = file.studyId ? groupOf("studies", file.studyId, subject) : null;
    const parent = study ?? subject;
    if (parent) parent.children!.push(file.id);
    else loose.push(file.id);
  }
  return { groups: tops, loose };
}

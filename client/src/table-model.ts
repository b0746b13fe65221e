// The table's side of the archive: a search, the lines that it gives, and the rows of those in sight.
//
// A first page paints at once; the ids of all rows follow and give the scroll bar its length. Rows are asked for as they
// come into sight; a request for rows that were passed over is given up. After news what is shown stays until its new
// self is there.
import { getJson, Problem, queryOf, request, sendJson, textOf, type List } from "./api.ts";
import type { Archive } from "./archive.ts";
import { decodeIds } from "./id-list.ts";
import { levels, type Level, type Row } from "./rows.ts";
import { FlatLines, groupFiles, TreeLines, type Group, type Line, type Lines } from "./table-lines.ts";

export type Shown = "all" | "images" | "problems";
const notBeside = "!kind:sidecar"; // what belongs to another file is not listed, unless kinds are asked for
const shownQueries: Record<Shown, string> = { all: notBeside, images: "kind:image state:present", problems: "state:broken" };

const firstRows = 100;
const mostInTree = 1000; // files that a search shows as a tree
const openAllUpTo = 400; // files: a larger archive starts with its subjects closed
const rowsAtOnce = 200;
const ahead = 150; // lines fetched beyond those in sight, where the user is going
const behind = 30;
const mostCached = 20_000; // rows
const pauseMs = 20; // between two requests for rows
const restMs = 400; // at least between two looks at what is new; longer where they take long

interface Cached {
  row: Row | null; // null: gone
  age: number;
}

interface Page extends List<Row> {
  total?: number | null;
  totalIsMore?: boolean;
}

export class TableModel {
  level: Level = "subjects";
  tree = true;
  query = "";
  shown: Shown = "all";
  project = 0;
  sort = "";
  descending = false;
  lines: Lines = new FlatLines("files", new Float64Array());
  total: number | null = null;
  loading = true;
  failure: { text: string; column: number } | null = null; // column in `query`, from 1
  problems = 0; // files that cannot be read
  tooManyForTree = false;
  private readonly rows: Record<Level, Map<number, Cached>> = { subjects: new Map(), studies: new Map(), files: new Map() };
  private age = 1; // of what is asked for now
  private asked = new AbortController();
  private fetching: { ids: Set<number>; abort: AbortController } | null = null;
  private sight = { from: 0, to: 60, down: true };
  private timer = 0;
  private refreshTimer = 0;
  private looseAsked = true;
  private seenRevision = -1;
  private etag = "";
  private readonly groupNames = new Map<string, string>();
  private readonly closed = new Set<string>(); // groups, by hand
  private lastMs = 0; // that the last look took

  constructor(
    private readonly archive: Archive,
    private readonly changed: () => void,
  ) {}

  row(level: Level, id: number): Row | undefined {
    return this.rows[level].get(id)?.row ?? undefined;
  }

  /** Known of a group from its files before its own row is there. */
  groupName(level: Level, id: number): string {
    return this.groupNames.get(TreeLines.key(level, id)) ?? "";
  }

  isGone(level: Level, id: number): boolean {
    return this.rows[level].get(id)?.row === null;
  }

  /** The level of what is searched: problems, and trees of what was found, are of files. */
  get searched(): Level {
    return this.shown === "problems" || this.groupsFound ? "files" : this.level;
  }

  /** What the order is of: in a tree its tops; null where groups of what was found are in order of their names. */
  get sortedLevel(): Level | null {
    return this.groupsFound && !this.tooManyForTree ? null : this.isTree && !this.tooManyForTree ? this.level : this.searched;
  }

  /** Groups are those of the files that were found. */
  private get groupsFound(): boolean {
    return this.isTree && (this.query.trim() !== "" || this.shown === "images");
  }

  get isTree(): boolean {
    return this.tree && this.level !== "files" && this.shown !== "problems";
  }

  /** What the server is asked: what was typed, and what the buttons say. */
  get search(): string {
    const query = this.query.trim() === "" ? "" : this.query;
    const isSaid = this.searched !== "files" || (this.shown === "all" && /\bkind\b/.test(query));
    const extra = isSaid ? "" : shownQueries[this.shown];
    return query === "" || extra === "" ? query || extra : `(${query}) ${extra}`;
  }

  /** Of the whole result, for the server. */
  get scope(): Record<string, string | number | boolean> {
    return { q: this.search, project: this.project };
  }

  // ---- asking

  /** After the search, the level or the order changed. */
  async reload(): Promise<void> {
    this.asked.abort();
    this.asked = new AbortController();
    this.etag = "";
    this.loading = true;
    this.changed();
    await this.ask(this.asked.signal, true);
  }

  /** The archive has changed: soon, and not too often. */
  refresh(): void {
    if (this.archive.revision === this.seenRevision || this.refreshTimer !== 0) return;
    const wait = this.seenRevision < 0 ? 0 : restMs + 4 * this.lastMs;
    this.refreshTimer = window.setTimeout(() => {
      this.refreshTimer = 0;
      if (this.loading) return;
      this.age += 1;
      void this.ask(this.asked.signal, false);
    }, wait);
  }

  private async ask(signal: AbortSignal, isNew: boolean): Promise<void> {
    const started = performance.now();
    const revision = this.archive.revision;
    try {
      await (this.isTree ? this.askTree(signal, isNew) : this.askFlat(signal, isNew));
      this.failure = null;
      this.seenRevision = revision;
      void this.countProblems(signal);
    } catch (error) {
      if (signal.aborted) return;
      const fault = await this.faultOf(error, signal);
      if (signal.aborted) return;
      this.failure = { text: textOf(fault), column: fault instanceof Problem ? fault.column : 0 };
      if (!(error instanceof Problem) || error.status === 0 || error.status >= 500) window.setTimeout(() => !signal.aborted && void this.reload(), 3000);
    }
    this.lastMs = performance.now() - started;
    this.loading = false;
    this.changed();
    this.want(this.sight.from, this.sight.to);
    if (this.archive.revision !== revision) this.refresh();
  }

  /** Of a search that was put together, what is wrong with the part that was typed. */
  private async faultOf(error: unknown, signal: AbortSignal): Promise<unknown> {
    if (!(error instanceof Problem) || error.column === 0 || this.search === this.query) return error;
    try {
      await getJson(`${this.searched}${queryOf({ q: this.query, limit: 1 })}`, signal);
      return error;
    } catch (plain) {
      return plain;
    }
  }

  private async askFlat(signal: AbortSignal, isNew: boolean): Promise<void> {
    const level = this.searched;
    const question = { ...this.scope, sort: this.sort, descending: this.descending };
    const ids = this.fetchIds(level, queryOf(question), signal);
    ids.catch(() => undefined); // it is awaited below
    this.tooManyForTree = false;
    if (isNew) {
      const page = await getJson<Page>(`${level}${queryOf({ ...question, limit: firstRows, total: true })}`, signal);
      this.keep(level, page.items);
      const first = Float64Array.from(page.items, (row) => row.id);
      this.total = page.totalIsMore ? null : (page.total ?? null);
      this.show(new FlatLines(level, first, page.next === null ? first.length : Math.max(first.length, this.total ?? 0)));
    }
    const all = await ids;
    if (!all) return;
    this.total = all.length;
    this.show(new FlatLines(level, all));
  }

  /** Null if they are as they were. */
  private async fetchIds(level: Level, query: string, signal: AbortSignal, mayKnow = true): Promise<Float64Array | null> {
    const path = `${level}/ids${query}`;
    const known = mayKnow && this.etag.startsWith(`${path} `) ? this.etag.slice(path.length + 1) : "";
    const answer = await request("GET", path, { signal, headers: known === "" ? {} : { "If-None-Match": known } });
    if (answer.status === 304) return null;
    const ids = decodeIds(new Uint8Array(await answer.arrayBuffer()));
    if (mayKnow) this.etag = `${path} ${answer.headers.get("etag") ?? ""}`;
    return ids;
  }

  private async askTree(signal: AbortSignal, isNew: boolean): Promise<void> {
    if (this.groupsFound) return this.askFound(signal);
    const order = { sort: this.sort || "name", descending: this.descending, project: this.project };
    const all = { q: notBeside, project: this.project };
    const [ids, count] = await Promise.all([
      this.fetchIds(this.level, queryOf(order), signal, false),
      getJson<Page>(`files${queryOf({ ...all, limit: 1, total: true })}`, signal),
      isNew ? getJson<Page>(`${this.level}${queryOf({ ...order, limit: firstRows })}`, signal).then((page) => this.keep(this.level, page.items)) : null,
    ]);
    const whole = (count.total ?? Infinity) <= openAllUpTo ? (await this.fetchFiles(all, signal)).rows : null;
    const tops = ids ?? new Float64Array();
    const lines = new TreeLines(this.level, tops, whole ? groupFiles(whole, this.level).loose : []);
    await this.reopen(lines, this.lines, whole, signal);
    this.looseAsked = whole !== null;
    this.total = tops.length;
    this.show(lines);
  }

  /** Files of no group are mostly none, and to know that takes the server a while: asked when the end comes into sight. */
  private async askLoose(): Promise<void> {
    const { lines } = this;
    if (this.looseAsked || this.groupsFound || !(lines instanceof TreeLines)) return;
    this.looseAsked = true;
    try {
      const q = `${this.level === "subjects" ? "!subject:*" : "!study:*"} ${notBeside}`;
      const { rows } = await this.fetchFiles({ project: this.project, q }, this.asked.signal);
      if (rows.length === 0 || lines !== this.lines) return;
      lines.setLoose(groupFiles(rows, this.level).loose);
      this.changed();
    } catch {
      this.looseAsked = false;
    }
  }

  /** What was open stays open, with what is in it now. */
  private async reopen(lines: TreeLines, before: Lines, whole: Row[] | null, signal: AbortSignal): Promise<void> {
    const open = before instanceof TreeLines ? before : null;
    if (whole) {
      for (const group of groupFiles(whole, this.level).groups) {
        lines.setChildren(group);
        this.openAll(lines, group);
      }
      return lines.rebuild();
    }
    for (const key of open?.openGroups() ?? []) {
      const [level, id] = key.split("/") as [Level, string];
      if (level === this.level || lines.childrenOf(level, Number(id)) === null) await this.fetchChildren(lines, level, Number(id), signal);
      lines.setOpen(level, Number(id), true);
    }
    lines.rebuild();
  }

  /** All but those that were closed by hand. */
  private openAll(lines: TreeLines, { level, id, children }: Group): void {
    if (this.closed.has(TreeLines.key(level, id))) return;
    lines.setOpen(level, id, true);
    for (const child of children ?? []) if (typeof child !== "number") this.openAll(lines, child);
  }

  private async askFound(signal: AbortSignal): Promise<void> {
    const page = await getJson<Page>(`files${queryOf({ ...this.scope, limit: mostInTree })}`, signal);
    if (page.next !== null) {
      await this.askFlat(signal, true);
      this.tooManyForTree = true;
      return;
    }
    this.tooManyForTree = false;
    this.keep("files", page.items);
    const { groups, loose } = groupFiles(page.items, this.level);
    const lines = new TreeLines(this.level, Float64Array.from(groups, (group) => group.id), loose);
    for (const group of groups) {
      lines.setChildren(group);
      this.openAll(lines, group);
    }
    lines.rebuild();
    this.total = page.items.length;
    this.show(lines);
  }

  private async fetchFiles(where: Record<string, string | number>, signal: AbortSignal): Promise<{ rows: Row[]; more: boolean }> {
    const page = await getJson<Page>(`files${queryOf({ ...where, limit: mostInTree })}`, signal);
    this.keep("files", page.items);
    return { rows: page.items, more: page.next !== null };
  }

  private async fetchChildren(lines: TreeLines, level: Level, id: number, signal: AbortSignal): Promise<void> {
    const where: Record<string, number> = level === "subjects" ? { subject: id } : { study: id };
    const { rows, more } = await this.fetchFiles({ ...where, q: notBeside }, signal);
    if (!more) {
      const { groups, loose } = groupFiles(rows, "studies");
      return lines.setChildren({ level, id, children: level === "subjects" ? [...groups, ...loose] : rows.map((row) => row.id) });
    }
    const files = await this.fetchIds("files", queryOf({ ...where, q: level === "subjects" ? `!study:* ${notBeside}` : notBeside, sort: "name" }), signal, false);
    const studies = level === "subjects" ? await this.fetchIds("studies", queryOf({ ...where, sort: "name" }), signal, false) : null;
    const groups = Array.from(studies ?? [], (study) => ({ level: "studies" as const, id: study, children: null }));
    lines.setChildren({ level, id, children: [...groups, ...(files ?? [])] });
  }

  /** Opens or closes a group of the tree. */
  async toggle(line: Line): Promise<void> {
    const { lines } = this;
    if (!(lines instanceof TreeLines) || line.open === null) return;
    const open = !line.open;
    const key = TreeLines.key(line.level, line.id);
    if (open) this.closed.delete(key);
    else this.closed.add(key);
    if (open && lines.childrenOf(line.level, line.id) === null) {
      try {
        await this.fetchChildren(lines, line.level, line.id, this.asked.signal);
      } catch (error) {
        if (!this.asked.signal.aborted) this.failure = { text: textOf(error), column: 0 };
        return this.changed();
      }
    }
    lines.setOpen(line.level, line.id, open);
    lines.rebuild();
    this.changed();
    this.want(this.sight.from, this.sight.to);
  }

  private show(lines: Lines): void {
    this.lines = lines;
    this.archive.firstShown();
    this.changed();
    this.want(this.sight.from, this.sight.to);
  }

  private async countProblems(signal: AbortSignal): Promise<void> {
    try {
      const q = shownQueries.problems;
      const page = await getJson<Page>(`files${queryOf({ q, project: this.project, limit: 1, total: true })}`, signal);
      this.problems = page.total ?? page.items.length;
      this.changed();
    } catch {
      // the count stays as it was
    }
  }

  // ---- rows

  private keep(level: Level, rows: (Row | null)[], ids: number[] = [], age = this.age): void {
    const cache = this.rows[level];
    if (cache.size > mostCached) for (const id of [...cache.keys()].slice(0, mostCached / 2)) cache.delete(id);
    rows.forEach((row, i) => cache.set(row?.id ?? ids[i]!, { row, age }));
    if (level !== "files") return;
    this.archive.remember(rows.filter((row) => row !== null));
    for (const row of rows) {
      if (row?.subjectId) this.groupNames.set(TreeLines.key("subjects", row.subjectId), row.subject ?? "");
      if (row?.studyId) this.groupNames.set(TreeLines.key("studies", row.studyId), row.study ?? "");
    }
  }

  /** What the page itself has changed, before the server tells. */
  replace(row: Row): void {
    this.rows[row.level].set(row.id, { row, age: this.age });
    this.changed();
  }

  /** The rows of these lines are in sight. */
  want(from: number, to: number): void {
    this.sight = { from, to, down: from === this.sight.from ? this.sight.down : from > this.sight.from };
    if (to >= this.lines.count && !this.loading) void this.askLoose();
    const missing = this.missing();
    if (missing && this.fetching && ![...missing.ids].some((id) => this.fetching!.ids.has(id))) this.fetching.abort.abort();
    if (!missing || this.timer !== 0 || this.fetching) return;
    void this.fetchRows(missing.level, missing.ids);
  }

  private missing(): { level: Level; ids: number[] } | null {
    const { from, to, down } = this.sight;
    const found = this.gather(from, to);
    if (!found) return null;
    const beyond = down ? this.gather(to, to + ahead, found) : this.gather(from - ahead, from, found);
    return down ? this.gather(from - behind, from, beyond) : this.gather(to, to + behind, beyond);
  }

  /** Adds ids of one level whose rows are not there, or old. */
  private gather(from: number, to: number, found: { level: Level; ids: number[] } | null = null): { level: Level; ids: number[] } | null {
    const ids = new Set(found?.ids);
    let level = found?.level;
    for (let at = Math.max(0, from); at < Math.min(this.lines.count, to) && ids.size < rowsAtOnce; ++at) {
      const line = this.lines.line(at);
      if (!line || (level && line.level !== level) || this.rows[line.level].get(line.id)?.age === this.age) continue;
      level = line.level;
      ids.add(line.id);
    }
    return level && ids.size > 0 ? { level, ids: [...ids] } : null;
  }

  private async fetchRows(level: Level, ids: number[]): Promise<void> {
    const { age } = this;
    const abort = new AbortController();
    this.fetching = { ids: new Set(ids), abort };
    try {
      const answer = await request("POST", `${level}/rows`, { body: { ids }, signal: abort.signal });
      const { items } = (await answer.json()) as { items: (Row | null)[] };
      this.keep(level, items, ids, age);
    } catch (error) {
      if (!abort.signal.aborted) this.failure = { text: textOf(error), column: 0 };
    }
    this.fetching = null;
    this.changed();
    if (this.failure) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.want(this.sight.from, this.sight.to);
    }, pauseMs);
  }

  // ---- finding a line

  /** The first line in the order of the table whose name begins so; -1: none. */
  async lineOfName(start: string): Promise<number> {
    const level = this.isTree ? this.level : this.searched;
    const name = start.replace(/[\\"*?]/g, "?").replace(/[\s()&|!:=<>]/g, "?");
    const q = this.search;
    const query = this.isTree || q === "" ? `name:${name}*` : `(${q}) name:${name}*`;
    const order = { sort: this.sort || (this.isTree ? "name" : ""), descending: this.descending, project: this.project };
    const page = await getJson<Page>(`${level}${queryOf({ ...order, q: query, limit: 1 })}`, this.asked.signal);
    const [row] = page.items;
    return row ? this.lines.indexOf(level, row.id) : -1;
  }

  /** Adds tags to, and removes them from, what is chosen; how many items changed. */
  async tag(targets: [Level, number[]][] | null, add: string[], remove: string[]): Promise<number> {
    let changed = 0;
    const ask = async (body: object): Promise<void> => {
      changed += (await sendJson<{ changed: number }>("POST", "tags", { ...body, add, remove })).changed;
    };
    if (!targets) await ask({ level: this.searched, ...this.bodyScope });
    for (const [level, ids] of targets ?? []) {
      for (let at = 0; at < ids.length; at += 10_000) await ask({ level, ids: ids.slice(at, at + 10_000) });
    }
    this.age += 1;
    this.want(this.sight.from, this.sight.to);
    return changed;
  }

  /** The whole result, in the body of a request. */
  get bodyScope(): { q: string; project?: number } {
    return { q: this.search, ...(this.project ? { project: this.project } : {}) };
  }

  /** All keys of metadata that were met, "a.b" for nested ones. */
  metaKeys(): string[] {
    const keys = new Set<string>();
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return void (path === "" || keys.add(path));
      for (const [key, below] of Object.entries(value)) walk(below, path === "" ? key : `${path}.${key}`);
    };
    for (const level of levels) for (const { row } of this.rows[level].values()) if (row && keys.size < 500) walk(row.meta, "");
    return [...keys].sort();
  }
}

/** Tags and how many items of the level have them, the most used first. */
export async function tagCounts(level: Level, project: number): Promise<[string, number][]> {
  const { items } = await getJson<List<{ name: string; count: number }>>(`tags${queryOf({ level, project })}`);
  return items.map(({ name, count }): [string, number] => [name, count]).sort((a, b) => b[1] - a[1]);
}

// What the viewer asks of the archive: where a layer came from, what lies beside a file, what to begin with; and the
// news of the archive. The table asks for its rows itself (table-model.ts).
import { getAll, getJson, queryOf, type List } from "./api.ts";
import { entryOf, firstImage, sourceKey, type Entry, type Row, type Source } from "./rows.ts";

export interface Project {
  id: number;
  name: string;
  title: string;
  root?: string;
  inPlace: boolean;
  hideIdentity: boolean;
  rights: string[];
  showsIdentity: boolean;
  counts: { subjects: number; studies: number; files: number };
}

/** A word of the search language that is taken as it is. */
export const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&")}"`;

const pageRows = 1000;
const projectsEveryMs = 1000; // while a scan brings news
const tablePatienceMs = 1500;
const mostNeighbours = 4000; // files of one subject
const likelyT1 = "kind:image state:present (name:*t1* | name:*mprage* | name:*mp2rage* | name:*spgr* | sequence:*t1* | sequence:*mprage*)";
const anyImage = "kind:image state:present";

export class Archive {
  revision = 0;
  scanning = false;
  files = 0; // looked at by the scan
  problem = ""; // why a scan did not come to its end
  private timer = 0;
  private projectsTookMs = 0;
  private loading: Promise<void> | null = null; // of the projects
  projects: Project[] = [];
  projectsKnown = false;
  private readonly bySource = new Map<string, Entry>();
  private readonly asked = new Set<string>(); // sources that were looked up
  private neighbours = { subjectId: 0, revision: -1, entries: Promise.resolve<Entry[]>([]) };

  /** The table has its first lines, which come before all else; or has waited for them long enough. */
  readonly tableShown: Promise<void>;
  firstShown = (): void => undefined;

  constructor(
    private readonly changed: () => void,
    private readonly named: () => void, // more names of layers are known
  ) {
    this.tableShown = new Promise((resolve) => {
      this.firstShown = resolve;
      window.setTimeout(resolve, tablePatienceMs);
    });
  }

  /** News from the socket. */
  announce(revision: number, scanning: boolean, files: number, problem: string): void {
    const isNew = revision !== this.revision || scanning !== this.scanning;
    [this.revision, this.scanning, this.files, this.problem] = [revision, scanning, files, problem];
    if (isNew) this.loadProjectsSoon();
    this.changed();
  }

  private loadProjectsSoon(): void {
    if (this.timer !== 0) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      void this.loadProjects();
    }, projectsEveryMs + 10 * this.projectsTookMs);
  }

  loadProjects(): Promise<void> {
    this.loading ??= this.fetchProjects().finally(() => (this.loading = null));
    return this.loading;
  }

  private async fetchProjects(): Promise<void> {
    const started = performance.now();
    try {
      this.projects = (await getJson<List<Project>>("projects")).items;
      this.projectsKnown = true;
      this.projectsTookMs = performance.now() - started;
      this.changed();
    } catch {
      // the table says why nothing can be fetched
    }
  }

  project(id: number): Project | undefined {
    return this.projects.find((project) => project.id === id);
  }

  /** True if the user has a right in the project; "edit" and the like as in the API. */
  may(right: string, projectId: number): boolean {
    return this.project(projectId)?.rights.includes(right) ?? false;
  }

  remember(rows: Iterable<Row | Entry>): void {
    for (const row of rows) {
      const entry = "timePoints" in row ? row : entryOf(row);
      this.bySource.set(sourceKey(entry.source), entry);
    }
  }

  /** The entry from which a layer was opened, if it is known by now; else it is asked for, and news follow. */
  find(source: Source): Entry | undefined {
    const key = sourceKey(source);
    const entry = this.bySource.get(key);
    if (!entry && !this.asked.has(key)) {
      this.asked.add(key);
      this.lookUp(source).catch(() => undefined); // the layer keeps the name that the server gave it
    }
    return entry;
  }

  entry(id: number): Entry | undefined {
    for (const entry of this.bySource.values()) if (entry.id === id) return entry;
    return undefined;
  }

  /** The files of the same subject, and with them all that an overlay, a surface or values may belong to. */
  async beside(entry: Entry): Promise<Entry[]> {
    const { neighbours, revision } = this;
    if (neighbours.subjectId !== entry.subjectId || neighbours.revision !== revision) {
      const query = queryOf({ subject: entry.subjectId, q: entry.subjectId === 0 ? "!subject:*" : "", limit: pageRows });
      const entries = getAll<Row>(`files${query}`, mostNeighbours).then((rows) => rows.map(entryOf));
      this.neighbours = { subjectId: entry.subjectId, revision, entries };
      entries.catch(() => (this.neighbours.revision = -1));
    }
    const found = await this.neighbours.entries;
    this.remember(found);
    return found;
  }

  /** An image to look at without a click; null while there is none. */
  async first(): Promise<{ entry: Entry; likelyT1: boolean } | null> {
    for (const q of [likelyT1, anyImage]) {
      const page = await getJson<List<Row>>(`files${queryOf({ q, limit: 200 })}`);
      const found = firstImage(page.items.map(entryOf));
      if (found && (found.likelyT1 || q === anyImage)) {
        this.remember([found.entry]);
        return found;
      }
    }
    return null;
  }

  /** The same, for who waits for it. Throws a Problem. */
  async lookUp(source: Source): Promise<Entry | undefined> {
    const known = this.bySource.get(sourceKey(source));
    if (known) return known;
    const row = await this.rowOf(source);
    if (!row || sourceKey(row.source) !== sourceKey(source)) return undefined;
    this.remember([row]);
    this.named();
    return entryOf(row);
  }

  /** A source is "PROJECT/PATH", or "[ID] NAME" where names may not be seen. */
  private async rowOf(source: Source): Promise<Row | undefined> {
    const id = /^\[(\d+)\]/.exec(source.path)?.[1];
    if (id) return getJson<Row>(`files/${id}`);
    const cut = source.path.indexOf("/");
    const q = `project:${quoted(source.path.slice(0, cut))} path:${quoted(source.path.slice(cut + 1))}`;
    const page = await getJson<List<Row>>(`files${queryOf({ q, limit: 1000 })}`);
    return page.items.find((row) => sourceKey(row.source) === sourceKey(source));
  }
}

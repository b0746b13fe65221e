// What can be done with rows of the table: opened, downloaded, copied, tagged.
import { apiUrl, queryOf, textOf } from "./api.ts";
import { save, saveAnswer } from "./save-file.ts";
import { entryOf, isViewable, type Level, type Row } from "./rows.ts";
import type { Selection } from "./selection.ts";
import type { TableModel } from "./table-model.ts";
import type { Ui } from "./ui.ts";

/** Rows that something is done with; null: the whole result of the search. */
export type Targets = [Level, number[]][] | null;

const mostCopied = 10_000;

export class TableActions {
  constructor(
    private readonly ui: Ui,
    private readonly model: TableModel,
    private readonly selection: Selection,
  ) {}

  /** What was chosen if the row is one of it, else the row alone. */
  targets(row: Row | null): Targets {
    const { selection } = this;
    if (row && !selection.has(row.level, row.id)) return [[row.level, [row.id]]];
    return selection.wholeResult ? null : selection.byLevel();
  }

  countOf(targets: Targets): number {
    return targets ? targets.reduce((sum, [, ids]) => sum + ids.length, 0) : (this.model.total ?? 0);
  }

  /** In the views, or in the panel over them. */
  open(row: Row, as: "new" | "overlay"): void {
    if (row.level !== "files") return;
    const entry = entryOf(row);
    if (entry.state === "ready" && !isViewable(entry)) this.ui.openSheet(entry);
    else {
      this.ui.closeSheet();
      this.ui.session.open(entry, as);
      this.ui.uncoverViews();
    }
    if (this.ui.tableWide && entry.state === "ready") this.ui.update({ tableWide: false });
    if (entry.state === "ready" && isViewable(entry)) this.ui.focusViews();
  }

  async download(row: Row | null): Promise<void> {
    const targets = this.targets(row);
    const only = targets?.length === 1 && targets[0]![1].length === 1 ? targets[0]! : null;
    if (only && only[0] === "files") {
      const file = this.model.row("files", only[1][0]!);
      return save(apiUrl(`files/${only[1][0]}/content`), file?.name ?? "file");
    }
    for (const [level, ids] of targets ?? [[this.model.searched, null] as const]) {
      saveAnswer("zip", ids ? { level, ids } : { level, ...this.model.bodyScope }, (trouble) => this.ui.session.toast("error", `The zip could not be had: ${trouble}`, "table"));
    }
  }

  /** The columns that are shown, of everything that the search finds. */
  csv(columns: string[]): void {
    const level = this.model.isTree && this.model.query === "" ? this.model.level : this.model.searched;
    const { sort, descending } = this.model;
    save(apiUrl(`${level}.csv${queryOf({ ...this.model.scope, sort, descending, columns: columns.join(",") })}`), `${level}.csv`);
  }

  async copyPaths(row: Row | null): Promise<void> {
    const rows = (this.targets(row) ?? []).flatMap(([level, ids]) => ids.flatMap((id) => this.model.row(level, id) ?? []));
    const text = rows.slice(0, mostCopied).map((each) => each.path ?? each.name).join("\n");
    await this.said("The path", async () => navigator.clipboard.writeText(text));
  }

  async tag(targets: Targets, add: string[], remove: string[]): Promise<void> {
    await this.said("The tags", async () => {
      const changed = await this.model.tag(targets, add, remove);
      this.ui.session.toast("note", `${changed} ${changed === 1 ? "item" : "items"} changed.`, "tags");
    });
  }

  private async said(what: string, job: () => Promise<void>): Promise<void> {
    try {
      await job();
    } catch (error) {
      this.ui.session.toast("error", `${what} could not be had: ${textOf(error)}`, "table");
    }
  }
}

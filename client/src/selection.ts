// Which rows of the table are chosen. The whole result of a search may be, without a million ids in memory.
import type { Level } from "./rows.ts";

export class Selection {
  wholeResult = false; // of the level `level`
  level: Level = "files";
  private readonly ids = new Map<Level, Set<number>>();

  has(level: Level, id: number): boolean {
    return this.wholeResult ? level === this.level : (this.ids.get(level)?.has(id) ?? false);
  }

  /** `total`: of the whole result. */
  count(total: number): number {
    if (this.wholeResult) return total;
    return [...this.ids.values()].reduce((sum, ids) => sum + ids.size, 0);
  }

  clear(): void {
    this.wholeResult = false;
    this.ids.clear();
  }

  all(level: Level): void {
    this.clear();
    this.level = level;
    this.wholeResult = true;
  }

  set(level: Level, id: number, chosen: boolean): void {
    const ids = this.ids.get(level) ?? new Set();
    this.ids.set(level, ids);
    if (chosen) ids.add(id);
    else ids.delete(id);
  }

  /** Before single rows of the whole result are taken out. */
  spellOut(ids: Float64Array): void {
    if (!this.wholeResult) return;
    this.clear();
    this.ids.set(this.level, new Set(ids));
  }

  /** The ids by level; of the whole result none. */
  byLevel(): [Level, number[]][] {
    return [...this.ids].filter(([, ids]) => ids.size > 0).map(([level, ids]) => [level, [...ids]]);
  }
}

// The keys of the table: moving, choosing, opening, and typing ahead.
import type { ArchiveTable } from "./archive-table.ts";

const typingMs = 900; // a pause that ends a word
const ofThePage = ["?", "~", "`"];

let typed = "";
let typedAt = 0;

/** Letters go to the first line whose name begins with them. */
async function typeAhead(table: ArchiveTable, letter: string): Promise<void> {
  const now = performance.now();
  typed = now - typedAt > typingMs ? letter : typed + letter;
  typedAt = now;
  const start = typed;
  const { lines } = table.model;
  for (let at = 0; at < Math.min(lines.count, 2000); ++at) {
    const line = lines.line(at);
    const row = line && table.model.row(line.level, line.id);
    if (!row) break; // beyond this the server knows
    if (row.name.toLowerCase().startsWith(start.toLowerCase())) return table.goTo(at);
  }
  try {
    const at = await table.model.lineOfName(start);
    if (at >= 0 && typed === start) table.goTo(at);
  } catch {
    // nothing begins so
  }
}

function move(table: ArchiveTable, to: number, extend: boolean): void {
  const at = Math.min(table.model.lines.count - 1, Math.max(0, to));
  if (extend && table.anchor < 0) table.anchor = Math.max(0, table.currentAt);
  table.goTo(at);
  if (extend) table.chooseRange(at);
}

function toParent(table: ArchiveTable, from: number): void {
  const depth = table.model.lines.line(from)?.depth ?? 0;
  for (let at = from - 1; at >= 0; --at) {
    if ((table.model.lines.line(at)?.depth ?? 0) < depth) return table.goTo(at);
  }
}

function withCtrl(table: ArchiveTable, event: KeyboardEvent): boolean {
  const key = event.key.toLowerCase();
  if (key === "a") table.chooseAll();
  else if (key === "c" && window.getSelection()?.isCollapsed !== false) {
    const at = table.currentAt;
    const line = table.model.lines.line(at);
    void table.actions.copyPaths((line && table.model.row(line.level, line.id)) ?? null);
  } else return false;
  return true;
}

function act(table: ArchiveTable, event: KeyboardEvent): boolean {
  const at = table.currentAt;
  const { lines } = table.model;
  const line = lines.line(at);
  const row = line && table.model.row(line.level, line.id);
  const page = Math.max(1, table.linesInSight - 1);
  const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: lines.count - 1 };
  const to = moves[event.key];
  if (event.key.length > 1 && event.key !== "Shift") typed = ""; // what is still looked for is not wanted any more
  if (to !== undefined) move(table, to, event.shiftKey);
  else if (event.key === "Escape" && table.selection.count(1) > 0) table.unselect();
  else if (event.key === "Escape" && table.isWide) table.setWide(false);
  else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) table.openMenu(at, null);
  else if (event.key === " " && line) table.choose(at, !table.selection.has(line.level, line.id));
  else if (line && line.open !== null && ["ArrowRight", "ArrowLeft", "Enter"].includes(event.key)) {
    if (event.key === "Enter" || line.open === (event.key === "ArrowLeft")) void table.model.toggle(line);
    else if (event.key === "ArrowLeft") toParent(table, at);
    else move(table, at + 1, false);
  } else if (event.key === "ArrowLeft" && line) toParent(table, at);
  else if (row && line.open === null && (event.key === "Enter" || event.key === "+")) {
    table.actions.open(row, event.shiftKey || event.key === "+" ? "overlay" : "new");
  } else if (event.key.length === 1 && event.key !== " " && !ofThePage.includes(event.key)) void typeAhead(table, event.key);
  else return false;
  return true;
}

export function tableKey(table: ArchiveTable, event: KeyboardEvent): void {
  if ((event.target as HTMLElement).closest("input, button") !== null || event.altKey) return;
  if (!(event.ctrlKey || event.metaKey ? withCtrl(table, event) : act(table, event))) return;
  event.preventDefault();
  event.stopPropagation();
}

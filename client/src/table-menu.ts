// The menu of a row: right click, the menu key, or the dots at its end.
import { html, nothing, type TemplateResult } from "lit";
import { styleMap } from "lit/directives/style-map.js";
import { isReady, isViewable, type Row } from "./rows.ts";

export interface MenuItem {
  text: string;
  key?: string; // as it is told
  act: () => void;
  off?: string; // why it cannot be done
}

export interface OpenMenu {
  x: number;
  y: number;
  items: (MenuItem | null)[]; // null: a line
}

/** In the order of the menu; what makes no sense for the row is left out. */
export function rowItems(
  row: Row,
  count: number,
  may: (right: string) => boolean,
  act: Record<"open" | "overlay" | "download" | "copy" | "tag" | "meta" | "subject" | "select", () => void>,
): (MenuItem | null)[] {
  const many = count > 1 ? ` (${count.toLocaleString("en")})` : "";
  const isFile = row.level === "files";
  const needs = (right: string, text: string): { off?: string } => (may(right) ? {} : { off: `You need the right to ${text}: ask an administrator of the project` });
  const unreadable = isFile && !isReady(row) ? { off: row.reason || "The file is gone" } : {};
  return [
    ...(isFile ? [{ text: "Open", key: "Enter", act: act.open, ...unreadable }] : []),
    ...(isFile && isViewable(row) ? [{ text: "Add as overlay", key: "+", act: act.overlay, ...unreadable }] : []),
    ...(isFile ? [null] : []),
    { text: "Metadata …", act: act.meta },
    { text: `Tags …${many}`, act: act.tag, ...needs("annotate", "annotate") },
    { text: "Select", key: "Space", act: act.select },
    null,
    { text: `${isFile && count === 1 ? "Download" : "Download zip"}${many}`, act: act.download, ...needs("download", "download") },
    { text: isFile ? "Copy path" : "Copy name", key: "Ctrl+C", act: act.copy },
    ...(row.subject || row.level === "subjects" ? [{ text: "Show all of this subject", act: act.subject }] : []),
  ];
}

export function renderMenu(menu: OpenMenu | null, close: () => void): TemplateResult | typeof nothing {
  if (!menu) return nothing;
  const key = (event: KeyboardEvent): void => {
    const list = event.currentTarget as HTMLElement;
    const buttons = [...list.querySelectorAll<HTMLElement>("button:not(:disabled)")];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (next !== undefined) buttons.at(next % buttons.length)?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const left = (event: FocusEvent): void => {
    const list = event.currentTarget as HTMLElement;
    if (event.relatedTarget instanceof Node && !list.contains(event.relatedTarget)) close();
  };
  return html`<div class="menu-ground" @pointerdown=${close} @contextmenu=${(event: Event) => event.preventDefault()}></div>
    <div class="menu at" role="menu" aria-label="Row" style=${styleMap({ left: `${menu.x}px`, top: `${menu.y}px` })} @keydown=${key} @focusout=${left}>
      ${menu.items.map((item) =>
        item === null
          ? html`<hr />`
          : html`<button
              role="menuitem"
              ?disabled=${item.off !== undefined}
              title=${item.off ?? nothing}
              @click=${() => {
                close();
                item.act();
              }}
            >
              <span>${item.text}</span><kbd>${item.key ?? nothing}</kbd>
            </button>`,
      )}
    </div>`;
}

/** Keeps an open menu on the page, and gives it the keys. */
export function placeMenu(menu: HTMLElement | null): void {
  if (!menu) return;
  const box = menu.getBoundingClientRect();
  if (box.right > innerWidth) menu.style.left = `${Math.max(0, innerWidth - box.width - 4)}px`;
  if (box.bottom > innerHeight) menu.style.top = `${Math.max(0, innerHeight - box.height - 4)}px`;
  if (!menu.contains(document.activeElement)) menu.querySelector<HTMLElement>("button:not(:disabled)")?.focus({ preventScroll: true });
}

// The rows of the panels: a slider, a choice, a number. Each has a title, shows its value and works with the keyboard.
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { formatValue } from "./format.ts";

/** The number in a field; null if it is empty or none. */
export function numberOf(event: Event): number | null {
  const text = (event.target as HTMLInputElement).value.trim().replace(",", ".").replace("−", "-");
  const value = Number(text);
  return text !== "" && Number.isFinite(value) ? value : null;
}

/** As in the read-out, but with an ASCII minus: it goes into a field that is edited. */
export function plain(value: number): string {
  return formatValue(value).replace("−", "-");
}

interface Row {
  id: string;
  label: string;
  title: string;
}

interface Slider extends Row {
  min: number;
  max: number;
  step: number | "any";
  value: number;
  text: string; // the value as it is read
  change: (value: number, event: Event) => void;
  reset?: (event: Event) => void; // by a double click
}

export function slider(row: Slider): TemplateResult {
  const { id, label, title, min, max, step, value, text, change, reset } = row;
  return html`<div class="control" title=${title}>
    <label for=${id}>${label}</label>
    <input id=${id} type="range" min=${min} max=${max} step=${step} .value=${live(String(value))} aria-valuetext=${text}
      @input=${(event: Event) => change(Number((event.target as HTMLInputElement).value), event)}
      @dblclick=${(event: Event) => reset?.(event)} />
    <output>${text}</output>
  </div>`;
}

interface Choice<T extends string> extends Row {
  options: readonly (readonly [T, string])[];
  value: T;
  change: (value: T, event: Event) => void;
}

export function choice<T extends string>({ id, label, title, options, value, change }: Choice<T>): TemplateResult {
  return html`<div class="control" title=${title}>
    <label for=${id}>${label}</label>
    <select id=${id} @change=${(event: Event) => change((event.target as HTMLSelectElement).value as T, event)}>
      ${options.map(([name, text]) => html`<option value=${name} ?selected=${name === value}>${text}</option>`)}
    </select>
  </div>`;
}

interface NumberField {
  label: string; // for those who do not see it
  title: string;
  text: string; // of the value
  unit?: string;
  placeholder?: string;
  change: (value: number | null, event: Event) => void;
}

/** A value by hand. What is no number is not taken. */
export function numberField({ label, title, text, unit, placeholder, change }: NumberField): TemplateResult {
  return html`<label class="number" title=${title}>
    <input type="text" inputmode="decimal" aria-label=${label} placeholder=${placeholder ?? ""} .value=${live(text)}
      @change=${(event: Event) => {
        const { value } = event.target as HTMLInputElement;
        const number = numberOf(event);
        if (number === null && (value.trim() !== "" || placeholder === undefined)) (event.target as HTMLInputElement).value = text;
        else change(number, event);
      }} />
    ${unit ? html`<span>${unit}</span>` : nothing}
  </label>`;
}

interface Fold {
  name: string;
  title: string;
  note?: string; // what is set in it, seen while it is shut
  open: Set<string>;
  changed: () => void;
}

/** What is not needed every day; stays open for the next layer. */
export function fold({ name, title, note, open, changed }: Fold, content: () => unknown): TemplateResult {
  const toggle = (event: Event): void => {
    event.preventDefault();
    if (!open.delete(name)) open.add(name);
    changed();
  };
  const isOpen = open.has(name);
  return html`<section class="fold" data-fold=${name}>
    <button class="fold-head" aria-expanded=${isOpen} title=${title} @click=${toggle}>${name}${note ? html` <small>${note}</small>` : nothing}</button>
    ${isOpen ? html`<div class="fold-body">${content()}</div>` : nothing}
  </section>`;
}

// What nora knows of an image, a surface or streamlines, as lists of names and values.
import { html, nothing, type TemplateResult } from "lit";
import type { EntryInfo } from "./entry-content.ts";
import { formatCount, formatMm, formatValue } from "./format.ts";
import type { TableData } from "./table.ts";
import "./table.ts";

type Fact = [string, string];

const num = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => {
  if (typeof value === "number") return formatValue(value);
  return typeof value === "string" ? value : value === null || value === undefined ? "" : JSON.stringify(value);
};
/** For the cells of a table: an ASCII minus, so that they sort as numbers. */
const cell = (value: unknown): string => (typeof value === "number" ? formatValue(value).replace("−", "-") : text(value));
const times = (values: unknown[]): string => values.map(text).join(" × ");
const counted = (n: unknown): string => (num(n) === null ? "" : formatCount(num(n)!));
const point = (value: unknown): string => formatMm(list(value).map(Number));

function range(info: Record<string, unknown>): string {
  const [low, high] = [num(info["min"]), num(info["max"])];
  return low === null || high === null ? "" : `${formatValue(low)} to ${formatValue(high)}`;
}

function imageFacts(info: EntryInfo): Fact[] {
  const slope = num(info["slope"]) ?? 1;
  const inter = num(info["inter"]) ?? 0;
  const step = num(info["timeStepSeconds"]) ?? 0;
  return [
    ["format", text(info.format)],
    ["description", text(info["description"])],
    ["modality", text(info["modality"])],
    ["intent", text(info["intent"])],
    ["voxels", times(list(info["dims"]))],
    ["voxel size, mm", times(list(info["spacingMm"]))],
    ["time step, s", step > 0 ? formatValue(step) : ""],
    ["stored as", text(info["type"])],
    ["scale", slope === 1 && inter === 0 ? "" : `${formatValue(slope)} × stored${inter === 0 ? "" : ` + ${formatValue(inter)}`}`],
    ["unit", text(info["unit"])],
    ["values", range(info)],
    ["mean", num(info["mean"]) === null ? "" : formatValue(num(info["mean"])!)],
    ["not a number", (num(info["notFinite"]) ?? 0) > 0 ? counted(info["notFinite"]) : ""],
    ["orientation", text(info["orientation"])],
    ["position from", text(info["affineSource"])],
    ...list(info["otherUnits"]).map((other): Fact => [`1 ${text(info["unit"])}`, `${text(list(other)[1])} ${text(list(other)[0])}`]),
    ...list(info["windowPresets"]).map((preset): Fact => [`window ${text(list(preset)[0])}`, `${text(list(preset)[1])} to ${text(list(preset)[2])}`]),
  ];
}

function geometryFacts(info: EntryInfo): Fact[] {
  const bounds = list(info["boundsMm"]);
  const lengths = (info["lengthMm"] ?? {}) as Record<string, unknown>;
  return [
    ["format", text(info.format)],
    ["description", text(info["description"])],
    ["structure", text(info["structure"])],
    ["vertices", (info["verticesAtLeast"] === true ? "at least " : "") + counted(info["vertices"])],
    ["triangles", info["triangles"] === 0 ? "" : counted(info["triangles"])],
    ["streamlines", counted(info["streamlines"])],
    ["points", counted(info["streamlines"] === undefined ? undefined : info["points"])],
    ["lengths, mm", "max" in lengths ? `${text(lengths["min"])} to ${text(lengths["max"])}, mean ${text(lengths["mean"])}` : ""],
    ["from, mm", bounds.length === 2 ? point(bounds[0]) : ""],
    ["to, mm", bounds.length === 2 ? point(bounds[1]) : ""],
    ["positions", text(info["space"])],
  ];
}

function section(title: string, facts: Fact[]) {
  const known = facts.filter(([, value]) => value !== "");
  if (known.length === 0) return nothing;
  return html`<section>
    <h3>${title}</h3>
    <dl class="facts">${known.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
  </section>`;
}

function affineSection(affine: unknown) {
  if (list(affine).length !== 4) return nothing;
  return html`<section>
    <h3>World from voxel</h3>
    <table class="matrix" aria-label="Affine matrix">
      ${list(affine).map((row) => html`<tr>${list(row).map((v) => html`<td>${text(v)}</td>`)}</tr>`)}
    </table>
  </section>`;
}

/** Labels of a table: value, colour, name; nameless ones only where all are. */
export function labelTable(labels: unknown): TableData | null {
  const entries = list((labels as Record<string, unknown> | undefined)?.["labels"]).map(list);
  if (entries.length === 0) return null;
  const named = entries.filter((entry) => text(entry[1]) !== "");
  const shown = named.length > 0 ? named : entries;
  return { columns: ["value", "colour", "name"], rows: shown.map((e) => [String(e[0]), text(e[2]), text(e[1])]), colourColumn: 1 };
}

function tableSection(title: string, data: TableData | null, source: unknown) {
  if (!data) return nothing;
  const height = `${Math.min(300, 24 * data.rows.length + 64)}px`;
  return html`<section class="long" style="height: ${height}">
    <h3>${title} <small>${formatCount(data.rows.length)}${text(source) === "" ? "" : `, ${text(source)}`}</small></h3>
    <nora-table .data=${data} .label=${title}></nora-table>
  </section>`;
}

function diffusionTable(diffusion: unknown): TableData | null {
  const scheme = (diffusion ?? {}) as Record<string, unknown>;
  const directions = list(scheme["directions"]).map(list);
  const rows = list(scheme["b"]).map((b, i) => [String(i + 1), cell(b), ...(directions[i] ?? []).map(cell)]);
  return rows.length === 0 ? null : { columns: ["volume", "b", "x", "y", "z"], rows };
}

/** Of an annotation. */
function labelsOfData(entry: unknown) {
  const data = (entry ?? {}) as Record<string, unknown>;
  const labels = data["labels"] as Record<string, unknown> | undefined;
  return tableSection(`Labels of ${text(data["name"])}`, labelTable(labels), labels?.["source"]);
}

/** Values at vertices, points, streamlines; groups. */
function dataTable(entries: unknown): TableData | null {
  const rows = list(entries).map((entry) => {
    const data = (entry ?? {}) as Record<string, unknown>;
    const times = Number(data["timePoints"] ?? 1);
    const width = times > 1 ? `${times} time points` : cell(data["components"]);
    return [text(data["name"]), text(data["role"]), width, range(data), text(data["structure"] ?? data["intent"])];
  });
  return rows.length === 0 ? null : { columns: ["name", "kind", "numbers", "values", "of"], rows };
}

function groupTable(groups: unknown): TableData | null {
  const rows = list(groups).map((group) => {
    const g = (group ?? {}) as Record<string, unknown>;
    return [text(g["name"]), counted(g["count"])];
  });
  return rows.length === 0 ? null : { columns: ["group", "streamlines"], rows };
}

export function warningList(info: EntryInfo) {
  return list(info["warnings"]).map((warning) => html`<p class="state warning">${text(warning)}</p>`);
}

export function renderInfo(info: EntryInfo): TemplateResult {
  const fields = list(info["fields"]).map((pair): Fact => [text(list(pair)[0]), text(list(pair)[1])]);
  const labels = info["labels"] as Record<string, unknown> | undefined;
  const diffusion = info["diffusion"] as Record<string, unknown> | undefined;
  return html`<div class="info">
    ${warningList(info)}
    ${section(info.kind === "image" ? "Image" : info.kind === "tracts" ? "Streamlines" : "Surface", info.kind === "image" ? imageFacts(info) : geometryFacts(info))}
    ${affineSection(info["affine"])} ${tableSection("Labels", labelTable(labels), labels?.["source"])}
    ${tableSection("Diffusion weighting", diffusionTable(diffusion), diffusion?.["source"])}
    ${tableSection("Values", dataTable(info["data"]), "")} ${list(info["data"]).map(labelsOfData)} ${tableSection("Values at points", dataTable(info["perPoint"]), "")}
    ${tableSection("Values of streamlines", dataTable(info["perStreamline"]), "")} ${tableSection("Groups", groupTable(info["groups"]), "")}
    ${section("Header", fields)}
  </div>`;
}

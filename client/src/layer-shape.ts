// What the card of a surface, of values or of streamlines shows: its colour, which values are on it, how it is drawn.
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { gradient } from "./colour-maps.ts";
import { choice, fold, numberField, plain, slider } from "./fields.ts";
import type { Layer } from "./scene.ts";
import { drawable, fits, isTracts, isValues, shownData, type Shape } from "./shapes.ts";
import type { Ui } from "./ui.ts";
import { axisPlanes } from "./view-settings.ts";

export const plainColour = "#e0d6c8"; // the server's, of what has none
const widestEdgePx = 8;
const widestLinePx = 10;
const widestTubeMm = 4;
const largestMm = 10_000;
const bare = "\0"; // no name of values

type Set = (key: string, value: unknown, event?: Event) => void;

const colourings = [
  ["direction", "Direction"], ["ends", "End to end"], ["data", "Values"], ["group", "Group"], ["single", "One colour"],
] as const;
const shadings = [["smooth", "Smooth"], ["flat", "Flat"]] as const;
const slabPlanes = axisPlanes.map(([plane]) => [plane, plane] as const);

/** The colours of a layer in a few pixels. */
export function shapeSwatch(layer: Layer, shape: Shape): string {
  if (shownData(layer, shape)) return gradient(layer.colourMap);
  if (isTracts(shape) && ["direction", "ends"].includes(layer.streamlines.colourBy)) return "linear-gradient(to right, #e33, #3c3, #36e)";
  return (isTracts(shape) ? layer.streamlines.colour : layer.surface.colour) ?? plainColour;
}

/** `colours`: the controls of the values that are shown, empty where none are. */
export function renderShape(ui: Ui, layer: Layer, shape: Shape, colours: () => unknown): TemplateResult {
  const set: Set = (key, value, event) => ui.session.store.setLayer(layer.id, key, value, event?.timeStamp);
  const shown = shownData(layer, shape) ? colours() : nothing;
  if (isTracts(shape)) return renderTracts(ui, layer, shape, shown, set);
  return isValues(shape) ? renderValues(ui, layer, shape, shown, set) : renderMesh(layer, shape, shown, set);
}

function colourRow(layer: Layer, title: string, value: string | null, change: (colour: string, event: Event) => void) {
  const id = `colour-${layer.id}`;
  return html`<div class="control" title=${title}>
    <label for=${id}>Colour</label>
    <input id=${id} type="color" .value=${live(value ?? plainColour)}
      @input=${(event: Event) => change((event.target as HTMLInputElement).value, event)} />
  </div>`;
}

function dataChoice(layer: Layer, names: string[], value: string, none: boolean, change: (name: string, event: Event) => void) {
  const options = [...(none ? [[bare, "none"] as const] : []), ...[...new Set(names)].map((name) => [name, name || "unnamed"] as const)];
  return options.length < 2 ? nothing : choice({ id: `data-${layer.id}`, label: "Values", title: "What is shown as colours", options, value, change });
}

function inVolume(layer: Layer, set: Set) {
  return html`<label class="check">
    <input type="checkbox" .checked=${live(layer.inVolume !== false)}
      @change=${(event: Event) => set("inVolume", (event.target as HTMLInputElement).checked ? null : false, event)} />
    in the 3D view
  </label>`;
}

function renderMesh(layer: Layer, shape: Shape, colours: unknown, set: Set) {
  const { colour, shading, edgePixels } = layer.surface;
  const shown = shownData(layer, shape);
  return html`${colourRow(layer, "Colour of the surface, where no values are", colour, (value, event) => set("surface/colour", value, event))}
    ${dataChoice(layer, drawable(shape.data).map(({ name }) => name), shown?.name ?? bare, true, (name, event) => {
      set("surface/bare", name === bare, event);
      if (name !== bare) set("surface/data", name, event);
    })}
    ${colours}
    ${choice({
      id: `shading-${layer.id}`,
      label: "Shading",
      title: "Flat: every triangle by itself",
      options: shadings,
      value: shading,
      change: (value, event) => set("surface/shading", value, event),
    })}
    ${inVolume(layer, set)}
    ${slider({
      id: `edge-${layer.id}`,
      label: "In slices",
      title: "Width of the line in which slices cut the surface",
      min: 0,
      max: widestEdgePx,
      step: 0.5,
      value: edgePixels,
      text: edgePixels > 0 ? `${edgePixels} px` : "off",
      change: (value, event) => set("surface/edgePixels", value, event),
    })}`;
}

function renderValues(ui: Ui, layer: Layer, shape: Shape, colours: unknown, set: Set) {
  const { session } = ui;
  const meshes = session.scene.layers.filter(({ id }) => fits(shape, session.images.get(id)?.shape ?? { kind: "" }));
  return html`${meshes.length === 0 ? html`<p class="state warning">No surface here has as many vertices: open the one that they belong to.</p>` : nothing}
    ${dataChoice(layer, drawable(shape.data).map(({ name }) => name), shownData(layer, shape)?.name ?? "", false, (name, event) => set("surface/data", name, event))}
    ${meshes.length + Number(layer.surface.on !== "") < 2
      ? nothing
      : choice({
          id: `on-${layer.id}`,
          label: "On",
          title: "The surface on which the values are painted",
          options: [["", "all that fit"], ...meshes.map((mesh) => [mesh.id, session.layerName(mesh)] as const)],
          value: layer.surface.on,
          change: (value, event) => set("surface/on", value, event),
        })}
    ${colours}`;
}

function renderTracts(ui: Ui, layer: Layer, shape: Shape, colours: unknown, set: Set) {
  const look = layer.streamlines;
  const names = [...drawable(shape.perPoint), ...drawable(shape.perStreamline)].map(({ name }) => name);
  const groups = shape.groups ?? [];
  const possible = colourings.filter(([name]) => (name !== "data" || names.length > 0) && (name !== "group" || groups.length > 0));
  const folds = { open: ui.folds, changed: () => ui.update({}) };
  const limits = describeLimits(layer);
  return html`${choice({
      id: `colourby-${layer.id}`,
      label: "Colour by",
      title: "Red left-right, green front-back, blue up-down: of each piece, or from end to end; or values, groups, one colour",
      options: possible,
      value: look.colourBy,
      change: (value, event) => set("streamlines/colourBy", value, event),
    })}
    ${look.colourBy === "single"
      ? colourRow(layer, "Colour of the streamlines", look.colour, (value, event) => set("streamlines/colour", value, event))
      : nothing}
    ${look.colourBy === "data"
      ? dataChoice(layer, names, shownData(layer, shape)?.name ?? "", false, (name, event) => set("streamlines/data", name, event))
      : nothing}
    ${colours}
    ${slider({
      id: `width-${layer.id}`,
      label: "Width",
      title: "Width of the lines",
      min: 1,
      max: widestLinePx,
      step: 0.5,
      value: look.widthPixels,
      text: `${look.widthPixels} px`,
      change: (value, event) => set("streamlines/widthPixels", value, event),
    })}
    ${slider({
      id: `tube-${layer.id}`,
      label: "Tubes",
      title: "Diameter of shaded tubes in the 3D view; off: thin lines",
      min: 0,
      max: widestTubeMm,
      step: 0.1,
      value: look.tubeMm,
      text: look.tubeMm > 0 ? `${plain(look.tubeMm)} mm` : "off",
      change: (value, event) => set("streamlines/tubeMm", value, event),
    })}
    ${inVolume(layer, set)}
    ${fold({ ...folds, name: "Which", title: "By length, every n-th, near the crosshair", note: limits }, () => renderLimits(layer, shape, set))}
    ${groups.length > 0
      ? fold({ ...folds, name: "Groups", title: "Tick groups to see only these", note: look.groups.length > 0 ? `${look.groups.length} of ${groups.length}` : "all" }, () =>
          renderGroups(layer, groups, set),
        )
      : nothing}`;
}

/** What keeps streamlines from being shown. */
function describeLimits({ streamlines }: Layer): string {
  const { minLengthMm, maxLengthMm, every, slabMm } = streamlines;
  const texts = [minLengthMm > 0 || maxLengthMm > 0 ? "by length" : "", every > 1 ? `1 of ${every}` : "", slabMm > 0 ? `${plain(slabMm)} mm slab` : ""];
  return texts.filter(Boolean).join(", ");
}

function renderLimits(layer: Layer, shape: Shape, set: Set) {
  const look = layer.streamlines;
  const { min = 0, max = 0 } = shape.lengthMm ?? {};
  const mm = (key: "minLengthMm" | "maxLengthMm" | "sliceMm" | "slabMm", label: string, title: string, placeholder: string) =>
    numberField({
      label,
      title,
      text: look[key] === 0 ? "" : plain(look[key]),
      unit: "mm",
      placeholder,
      change: (value, event) => set(`streamlines/${key}`, Math.min(largestMm, Math.max(0, value ?? 0)), event),
    });
  const of = `they are ${Math.round(min)} to ${Math.round(max)} mm long`;
  return html`<div class="control lines"><label>Length</label><div class="pair">
      ${mm("minLengthMm", "Shortest", `Only streamlines of at least this length; ${of}`, "from")}
      ${mm("maxLengthMm", "Longest", `Only streamlines of at most this length; ${of}`, "to")}
    </div></div>
    <div class="control"><label>Every</label>${numberField({
      label: "Every n-th",
      title: "1: all; 10: each tenth, taken evenly",
      text: String(look.every),
      change: (value, event) => set("streamlines/every", Math.max(1, Math.round(value!)), event),
    })}</div>
    <div class="control"><label>In slices</label>${mm("sliceMm", "Thickness in slices", "A slice shows what is so near in all; empty: nothing", "off")}</div>
    <div class="control"><label>Slab in 3D</label>${mm("slabMm", "Slab in 3D", "The 3D view shows only what is so near in all to a plane through the crosshair; empty: everything", "off")}</div>
    ${look.slabMm > 0
      ? choice({
          id: `slab-${layer.id}`,
          label: "Plane",
          title: "The plane through the crosshair around which streamlines are shown",
          options: slabPlanes,
          value: look.slabPlane,
          change: (value, event) => set("streamlines/slabPlane", value, event),
        })
      : nothing}`;
}

function renderGroups(layer: Layer, groups: NonNullable<Shape["groups"]>, set: Set) {
  const chosen = layer.streamlines.groups;
  const toggle = (name: string, event: Event): void =>
    set("streamlines/groups", chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name], event);
  return html`<div class="groups" role="group" aria-label="Groups that are shown">
    ${groups.map(
      ({ name, count }) => html`<label class="check">
        <input type="checkbox" .checked=${live(chosen.includes(name))} @change=${(event: Event) => toggle(name, event)} />
        ${name} <span class="muted">${count}</span>
      </label>`,
    )}
    ${chosen.length === 0 ? html`<p class="muted">All are shown: tick some to see only these.</p>` : nothing}
  </div>`;
}

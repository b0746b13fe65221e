// How a surface, streamlines or values from the list are opened where the session shows something else.
import type { Entry } from "./rows.ts";
import { fetchInfo } from "./entry-content.ts";
import { fits, isValues, type Shape } from "./shapes.ts";
import { contentOf, hemisphereOf, meshesFor, planShape, type Step } from "./shape-source.ts";
import type { Session } from "./session.ts";

const askedAtMost = 6; // meshes, whether values fit on them
const answerWithinMs = 20_000;

async function shapeOf(entry: Entry): Promise<Shape | null> {
  try {
    return (await fetchInfo(entry, AbortSignal.timeout(answerWithinMs))) as Shape;
  } catch {
    return null; // opening it says why
  }
}

/** Of each hemisphere the first mesh that the values fit. */
async function fittingMeshes(values: Shape, candidates: Entry[]): Promise<Entry[]> {
  const found: Entry[] = [];
  for (const mesh of candidates.slice(0, askedAtMost)) {
    if (found.some((other) => hemisphereOf(other) === hemisphereOf(mesh))) continue;
    const shape = await shapeOf(mesh);
    if (shape && fits(values, shape)) found.push(mesh);
  }
  return found;
}

export async function planOpeningShape(session: Session, entry: Entry, as: Step["as"]): Promise<{ steps: Step[]; note: string }> {
  const entries = await session.entriesBeside(entry);
  const shown = session.scene.layers.flatMap(({ source }) => session.archive.find(source) ?? []);
  const plan = (mesh: Entry): Step[] => planShape(mesh, as, shown, entries);
  const content = contentOf(entry);
  const values = content === "mesh" ? null : await shapeOf(entry);
  if (!values || !isValues(values)) return { steps: plan(entry), note: "" };
  const there = session.scene.layers.some(({ id }) => fits(values, session.images.get(id)?.shape ?? { kind: "" }));
  if (there) return { steps: [{ entry, as: "overlay" }], note: "" };
  const [mesh, ...others] = await fittingMeshes(values, meshesFor(entry, entries));
  if (!mesh) return { steps: plan(entry), note: `${entry.name} holds values for a surface: open the surface that they belong to` };
  const over = [...others, entry].map((other): Step => ({ entry: other, as: "overlay" }));
  return { steps: [...plan(mesh), ...over], note: "" };
}

// Segmentations and structure sets open over the series that they were drawn on.
import type { Entry, Source } from "./rows.ts";

const seriesUid = (series: string | undefined): string => (series ?? "").split("#")[0] ?? "";

/** What was drawn on, if it is listed: of several images of the series the one with most files. */
export function sourceEntry(overlay: Entry, entries: Iterable<Entry>): Entry | null {
  if (!overlay.sourceSeries) return null;
  let best: Entry | null = null;
  for (const entry of entries) {
    if (entry.state !== "ready" || entry.kind !== "image" || entry.id === overlay.id) continue;
    if (seriesUid(entry.source.series) !== overlay.sourceSeries) continue;
    if (!best || entry.instances > best.instances) best = entry;
  }
  return best;
}

export interface Plan {
  /** To be opened first, as the new background; then the entry goes over it. */
  source: Entry | null;
  as: "new" | "overlay";
}

/**
 * How to open an entry where `shown` are the sources of the layers, the background first. An overlay goes over what it
 * was drawn on: over the background if that is it, else its source is opened first. Who asks for an overlay over another
 * image gets it.
 */
export function planOpening(entry: Entry, as: "new" | "overlay", shown: Source[], entries: Iterable<Entry>): Plan {
  const background = shown[0];
  if (!entry.sourceSeries || (as === "overlay" && background)) return { source: null, as: background ? as : "new" };
  if (background && seriesUid(background.series) === entry.sourceSeries) return { source: null, as: "overlay" };
  const source = sourceEntry(entry, entries);
  return source ? { source, as: "overlay" } : { source: null, as: "new" };
}

// A thin bar and a percentage for work that takes a while.
import { html, nothing } from "lit";
import { styleMap } from "lit/directives/style-map.js";

/** `fraction` 0..1; undefined: it is not known yet. */
export function progressBar(fraction: number | undefined, label: string) {
  const percent = fraction === undefined ? undefined : Math.floor(fraction * 100);
  return html`<span class="progress">
    <span class="track" role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${percent ?? nothing}>
      <i style=${styleMap({ width: `${percent ?? 0}%` })}></i>
    </span>
    <span class="percent">${percent === undefined ? "" : `${percent} %`}</span>
  </span>`;
}

// The server's colour maps by name, with CSS gradients that look like them, for the controls only.

const stops: Record<string, string[]> = {
  gray: ["#000", "#fff"],
  inverse: ["#fff", "#000"],
  hot: ["#000", "#f00", "#ff0", "#fff"],
  cold: ["#000", "#00f", "#0ff", "#fff"],
  jet: ["#00007f", "#00f", "#0ff", "#7fff7f", "#ff0", "#f00", "#7f0000"],
  viridis: ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"],
  plasma: ["#0d0887", "#7e03a8", "#cc4778", "#f89540", "#f0f921"],
  inferno: ["#000004", "#57106e", "#bc3754", "#f98e09", "#fcffa4"],
  magma: ["#000004", "#51127c", "#b73779", "#fc8961", "#fcfdbf"],
  cividis: ["#00224e", "#414d6b", "#7c7b78", "#bcaf6f", "#fee838"],
  redblue: ["#08306b", "#3a87c0", "#f7f7f7", "#d6604d", "#67001f"],
  red: ["#000", "#f00"],
  green: ["#000", "#0f0"],
  blue: ["#000", "#00f"],
  yellow: ["#000", "#ff0"],
  cyan: ["#000", "#0ff"],
  magenta: ["#000", "#f0f"],
};

export const colourMapNames = [...Object.keys(stops), "labels"];

export function gradient(name: string): string {
  if (name === "labels") {
    const colours = ["#e6194b", "#3cb44b", "#ffe119", "#4363d8", "#f58231", "#911eb4", "#46f0f0", "#f032e6"];
    const bands = colours.map((c, i) => `${c} ${(i * 100) / 8}% ${((i + 1) * 100) / 8}%`);
    return `linear-gradient(to right, ${bands.join(", ")})`;
  }
  return `linear-gradient(to right, ${(stops[name] ?? stops["gray"]!).join(", ")})`;
}

function channels(colour: string): number[] {
  const digits = colour.length === 4 ? [...colour.slice(1)].map((c) => c + c) : colour.slice(1).match(/../g)!;
  return digits.map((pair) => parseInt(pair, 16));
}

/** Between two colours ("#rgb" or "#rrggbb"); `place` 0 is the first. */
export function mixed(first: string, second: string, place: number): string {
  const other = channels(second);
  const mix = channels(first).map((c, i) => Math.round(c + (other[i]! - c) * place));
  return `#${mix.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}

/** About the colour that a map has at a place 0..1 of the window. */
export function mapColour(name: string, place: number): string {
  const colours = stops[name] ?? stops["gray"]!;
  const at = Math.min(1, Math.max(0, place)) * (colours.length - 1);
  const low = Math.min(Math.floor(at), colours.length - 2);
  return mixed(colours[low]!, colours[low + 1]!, at - low);
}

// The server's colour maps by name, with CSS gradients that look like them, for the controls only.

const stops: Record<string, string[]> = {
  gray: ["#000", "#fff"],
  hot: ["#000", "#c00000", "#ff6000", "#ffd000", "#fff"],
  cold: ["#000", "#0030c0", "#0090ff", "#60e0ff", "#fff"],
  jet: ["#00007f", "#00f", "#0ff", "#7fff7f", "#ff0", "#f00", "#7f0000"],
  viridis: ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"],
  plasma: ["#0d0887", "#7e03a8", "#cc4778", "#f89540", "#f0f921"],
  inferno: ["#000004", "#57106e", "#bc3754", "#f98e09", "#fcffa4"],
  magma: ["#000004", "#51127c", "#b73779", "#fc8961", "#fcfdbf"],
  cividis: ["#00224e", "#414d6b", "#7c7b78", "#bcaf6f", "#fee838"],
  redblue: ["#2166ac", "#92c5de", "#f7f7f7", "#f4a582", "#b2182b"],
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

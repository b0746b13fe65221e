// What the benchmarks of the page share: a phantom, the server, the browser, rows.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { chromium } = createRequire(join(root, "client/package.json"))("playwright-core");
export const program = process.env.NORA_PROGRAM ?? join(root, "build/bin/nora");

export const launch = (more = []) =>
  chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...more],
  });

/** An int16 NIfTI of size^3 voxels of 1 mm with nested shells and a texture. */
export function writePhantom(path, size) {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [3, size, size, size, 1, 1, 1, 1].forEach((n, i) => header.writeInt16LE(n, 40 + 2 * i));
  header.writeInt16LE(4, 70);
  header.writeInt16LE(16, 72);
  [1, 1, 1, 1, 1, 1, 1, 1].forEach((n, i) => header.writeFloatLE(n, 76 + 4 * i));
  header.writeFloatLE(352, 108);
  header.writeFloatLE(1, 112);
  header.writeInt16LE(1, 254);
  [1, 0, 0, -size / 2, 0, 1, 0, -size / 2, 0, 0, 1, -size / 2].forEach((n, i) => header.writeFloatLE(n, 280 + 4 * i));
  header.write("n+1\0", 344, "latin1");
  const voxels = new Int16Array(size ** 3);
  let at = 0;
  for (let z = 0; z < size; ++z)
    for (let y = 0; y < size; ++y)
      for (let x = 0; x < size; ++x, ++at) {
        const [u, v, w] = [x, y, z].map((n) => ((n + 0.5) / size) * 2 - 1);
        const r = Math.sqrt((u * u) / 0.5 + (v * v) / 0.75 + (w * w) / 0.6);
        if (r <= 1) voxels[at] = r > 0.93 ? 900 : r > 0.85 ? 150 : 450 + 150 * Math.sin(14 * u) * Math.sin(11 * v) * Math.sin(9 * w);
      }
  writeFileSync(path, Buffer.concat([header, Buffer.from(voxels.buffer)]));
}

const indexes = [];
process.on("exit", () => indexes.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** The environment of a server with an index of its own, which goes when this program ends. */
export function ownIndex() {
  const folder = mkdtempSync(join(tmpdir(), "nora-index-"));
  indexes.push(folder);
  return { ...process.env, NORA_INDEX: join(folder, "index.sqlite"), NORA_STORE: join(folder, "store") };
}

export function startNora(folder) {
  const server = spawn(program, ["serve", folder, "--port", "0", "--log-level", "error"], { stdio: ["ignore", "pipe", "inherit"], env: ownIndex() });
  return new Promise((resolve, reject) => {
    let text = "";
    server.stdout.on("data", (part) => {
      text += part;
      const url = /http:\/\/\S+/.exec(text);
      if (url) resolve({ server, url: url[0] });
    });
    server.on("exit", (code) => reject(new Error(`nora ended with ${code}`)));
  });
}

export const percentile = (values, p) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)];
};

export const row = (id, name, value, unit, target, peer, peerValue) => ({
  id, name, value, unit, target: target ?? null, met: target == null ? null : value <= target,
  peer: peer ?? "", peerValue: peerValue ?? null, ratio: peerValue == null ? null : peerValue / value,
});

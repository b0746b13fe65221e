// What the tests of the page share: a server on generated images, headless Chromium on its page, an independent reader.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const { chromium } = createRequire(join(root, "client/package.json"))("playwright-core");
const python = "/usr/bin/python3";
export const program = process.env.NORA_PROGRAM ?? join(root, "build/bin/nora");
const chromiumFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
export const slices = ["axial", "coronal", "sagittal"];
export const views = [...slices, "3d"];
const patienceMs = 30_000;

export function makeData() {
  const folder = mkdtempSync(join(tmpdir(), "nora-e2e-"));
  execFileSync(python, [join(here, "make_data.py"), folder]);
  return folder;
}

/** Voxel, value and trilinear value of a file at world points, by nibabel. */
export function readValues(file, points, time = 0) {
  const question = JSON.stringify({ file, points, time });
  return JSON.parse(execFileSync(python, [join(here, "read_values.py")], { input: question }));
}

const indexes = new Map(); // folder -> the folder of its index, which servers of one test file share
process.once("exit", () => {
  for (const folder of indexes.values()) rmSync(folder, { recursive: true, force: true });
});

/** The environment of programs that work on a folder: an index of its own for each. */
export function environmentOf(folder) {
  if (!indexes.has(folder)) indexes.set(folder, mkdtempSync(join(tmpdir(), "nora-index-")));
  return { ...process.env, NORA_INDEX: join(indexes.get(folder), "index.sqlite") };
}

export async function serve(folder, port = 0, options = []) {
  const server = spawn(program, ["serve", folder, "--port", String(port), ...options], {
    stdio: ["ignore", "pipe", "inherit"],
    env: environmentOf(folder),
  });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  let text = "";
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no address from ${program}: ${text}`)), patienceMs);
    server.stdout.on("data", (data) => {
      text += data;
      const found = /at (https?:\/\/\S+)/.exec(text);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1]);
    });
    server.once("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  const stop = async () => {
    server.kill("SIGTERM");
    await ended;
  };
  return { url, port: Number(new URL(url).port), pid: server.pid, stop, said: () => text };
}

/** Shows all projects of a server to guests, too: who comes by a proxy is not who sits at the machine. */
export async function showToEverybody(url) {
  const api = new URL("api/v1/", url.endsWith("/") ? url : `${url}/`);
  const { csrf } = await (await fetch(new URL("me", api))).json();
  const { items } = await (await fetch(new URL("projects", api))).json();
  for (const project of items) {
    const answer = await fetch(new URL(`projects/${project.id}/grants`, api), {
      method: "PUT",
      headers: { "Content-Type": "application/json", Origin: api.origin, "X-Nora-Csrf": csrf },
      body: JSON.stringify({ everybody: true, rights: ["read", "download"] }),
    });
    if (!answer.ok) throw new Error(`cannot show ${project.name}: ${await answer.text()}`);
  }
}

/** A server on fresh data and a browser, for one test file; `after` is node:test's, `prepare` may add to the data. */
export async function start(after, prepare = () => undefined) {
  const folder = makeData();
  prepare(folder);
  const server = await serve(folder);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: chromiumFlags });
  after(async () => {
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, server, browser };
}

/** The page on the server, with every complaint of the browser kept; the size fits four views of some 300 pixels. */
export async function openPage({ browser, server }, { prepare, ...options } = {}) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 760 }, ...options });
  await prepare?.(page);
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  page.setDefaultTimeout(patienceMs);
  await page.addInitScript(() => {
    const set = setInterval(() => {
      if (!window.nora) return;
      window.nora.verify = true;
      clearInterval(set);
    }, 1);
  });
  await page.goto(server.url);
  await still(page);
  return page;
}

/** Waits until every visible view shows everything done so far, losslessly. */
export async function still(page) {
  // A change of the layout is heard at the next frame, and its pictures are asked for at the one after.
  await page.evaluate(async () => {
    for (let n = 0; n < 3; ++n) await new Promise((resolve) => requestAnimationFrame(resolve));
  });
  await page.waitForFunction(() => {
    const { nora } = window;
    if (!nora || nora.scene.layers.length === 0) return false;
    if (!nora.scene.layers.every((layer) => nora.images[layer.id]?.state === "ready")) return false;
    const views = [...document.querySelectorAll("nora-viewport:not([hidden])")].map((v) => v.dataset.view);
    return views.every((view) => nora.isStill(view));
  });
}

/** Opens an entry by its name, as the background or as an overlay, and waits for its pictures. */
export async function openEntry(page, name, overlay = false) {
  const row = page.locator(".row.entry", { hasText: name }).first();
  await row.click(overlay ? { modifiers: ["Shift"] } : {});
  await page.waitForFunction(
    (n) => Object.values(window.nora.images).some((i) => i.name.includes(n) && i.state === "ready"),
    name,
  );
  await still(page);
}

export const scene = (page) => page.evaluate(() => structuredClone(window.nora.scene));
export const picture = (page, view) => page.evaluate((v) => window.nora.pictures[v], view);
export const viewport = (page, view) => page.locator(`nora-viewport[data-view="${view}"]`);
export const letters = (page, view) =>
  viewport(page, view).evaluate((v) => ["left", "right", "top", "bottom"].map((e) => v.querySelector(`.edge.${e}`).textContent));

/** Pixels (red, green, blue) of the canvas at [x, y] in device pixels. */
export function pixels(page, view, points) {
  return viewport(page, view).evaluate((v, at) => {
    const canvas = v.querySelector("canvas.picture");
    const context = canvas.getContext("2d");
    return at.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)]);
  }, points);
}

/** World point at the middle of a pixel. */
export function worldAt(geometry, [x, y]) {
  return geometry.origin.map((o, i) => o + geometry.right[i] * (x + 0.5) + geometry.down[i] * (y + 0.5));
}

export function pixelOf(geometry, world) {
  const d = world.map((w, i) => w - geometry.origin[i]);
  const along = (axis) => d.reduce((sum, v, i) => sum + v * axis[i], 0) / axis.reduce((sum, v) => sum + v * v, 0);
  return [along(geometry.right), along(geometry.down)];
}

/** Page coordinates of a world point on a view. */
export async function pagePoint(page, view, world) {
  const geometry = await picture(page, view);
  const box = await viewport(page, view).boundingBox();
  const [x, y] = pixelOf(geometry, world);
  return { x: box.x + (x / geometry.width) * box.width, y: box.y + (y / geometry.height) * box.height };
}

export async function clickWorld(page, view, world) {
  const { x, y } = await pagePoint(page, view, world);
  await page.mouse.click(x, y);
}

/** A grid of device pixels well inside a view. */
export function gridOf(geometry, count = 7) {
  const points = [];
  for (let j = 1; j <= count; ++j) {
    for (let i = 1; i <= count; ++i) {
      points.push([Math.round((geometry.width * i) / (count + 1)), Math.round((geometry.height * j) / (count + 1))]);
    }
  }
  return points;
}

export const grey = (value, low, high) => Math.min(255, Math.max(0, ((value - low) / (high - low)) * 255));

/** The grey levels of a still picture are those of the file: trilinear, or nearest, of the voxels under each pixel. */
export async function checkPixels(page, view, file, { low, high, mode = "trilinear", time = 0, tolerance = 1 }) {
  const geometry = await picture(page, view);
  const at = gridOf(geometry);
  const expected = readValues(file, at.map((p) => worldAt(geometry, p)), time);
  const shown = await pixels(page, view, at);
  let compared = 0;
  at.forEach((point, i) => {
    const { value, inner } = expected[i];
    if (value === null || (mode === "nearest" ? nearBoundary(expected[i].at) : !inner)) return;
    ++compared;
    const wanted = grey(mode === "nearest" ? value : expected[i].trilinear, low, high);
    const where = `${view} pixel ${point}: shown ${shown[i]}, expected ${wanted.toFixed(1)}`;
    for (const channel of shown[i]) assert.ok(Math.abs(channel - wanted) <= tolerance, where);
  });
  assert.ok(compared >= 8, `only ${compared} pixels of ${view} lie in the image`);
  return compared;
}

const nearBoundary = (at) => at.some((v) => Math.abs(v - Math.floor(v) - 0.5) < 0.02);

export function assertNoComplaints(page) {
  assert.deepEqual(page.complaints, []);
}

// What the scenarios of the streaming benchmark share: subjects, servers, the page in a given size, the network, rows.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownIndex, percentile, program, writePhantom } from "./page_support.mjs";
import { installTap } from "./stream_tap.mjs";

export const here = dirname(fileURLToPath(import.meta.url));
export const wanted = { width: 1280, height: 720 };
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const shared = process.env.NORA_SHARED_DATA ?? join(here, "../../shared/data");

// ---- rows

/** A row of the table. `atLeast`: the value shall not be below the target. */
export function row(id, name, value, unit, { target = null, atLeast = false, peer = "", peerValue = null, note = "" } = {}) {
  const met = target === null || value === null ? null : atLeast ? value >= target : value <= target;
  const ratio = peerValue === null || !value ? null : peerValue / value;
  return { id, name, value, unit, target, met, peer, peerValue, ratio, load: loadavg()[0], note };
}

/** Says what could not be measured, and why. */
export const leftOut = (id, name, why) => {
  process.stderr.write(`left out: ${name}: ${why}\n`);
  return row(id, name, null, "", { note: `left out: ${why}` });
};

/** Rows of p50, p95, p99; `targets` and `floor` by percentile. */
export function percentileRows(id, name, times, { targets = {}, floor = null, note = "" } = {}) {
  if (times.length === 0) return [leftOut(id, name, "no input was shown")];
  return [50, 95, 99].map((p) =>
    row(id, `${name}, p${p}`, percentile(times, p), "ms", {
      target: targets[p] ?? null, note,
      ...(floor ? { peer: "floor: echo of a ready JPEG", peerValue: percentile(floor, p) } : {}),
    }),
  );
}

/** Slope of a line through [x, y] by least squares. */
export function slope(points) {
  const n = points.length;
  const mean = (k) => points.reduce((sum, point) => sum + point[k], 0) / n;
  const [mx, my] = [mean(0), mean(1)];
  const above = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return above / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

// ---- subjects

function subject(folder, label, variable, other, size) {
  mkdirSync(folder);
  const source = process.env[variable] ?? join(shared, other);
  if (existsSync(source)) {
    cpSync(source, join(folder, basename(source)), { recursive: true });
    return label;
  }
  writePhantom(join(folder, "phantom.nii"), size);
  return `phantom ${size}^3`;
}

/** Folders with one image each for slices and for volumes, and what to call them. */
export function makeSubjects() {
  const folder = mkdtempSync(join(tmpdir(), "nora-stream-"));
  const slices = { folder: join(folder, "slices"), name: subject(join(folder, "slices"), "T1", "NORA_BENCH_T1", "nifti/T1w_studyforrest_sub-02_defaced.nii.gz", 256) };
  const volume = { folder: join(folder, "volume"), name: subject(join(folder, "volume"), "CT", "NORA_BENCH_CT", "dicom/ct_lidc_0314", 512) };
  return { folder, slices, volume, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

// ---- programs

const children = new Set();
process.on("exit", () => children.forEach((child) => child.kill())); // also where the benchmark fails

function started(command, pattern, env = process.env) {
  const child = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"], env });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return new Promise((resolve, reject) => {
    let text = "";
    const failed = (code) => reject(new Error(`${command.join(" ")} ended with ${code}: ${text}`));
    child.once("exit", failed);
    child.stdout.on("data", (part) => {
      text += part;
      const found = pattern.exec(text);
      if (!found) return;
      child.removeListener("exit", failed);
      resolve({ child, found });
    });
  });
}

const ended = (child) => new Promise((resolve) => (child.exitCode !== null || child.signalCode !== null ? resolve() : child.once("exit", resolve)));

/**
 * `nora serve`, in a namespace of a network if one is given: {url, port, pid, stop}. Who comes through a network is nobody
 * that it knows: everybody may read there.
 */
export async function serve(folder, { port = 0, network = null } = {}) {
  const env = ownIndex();
  if (network) {
    execFileSync(program, ["project", "add", "subject", folder], { env });
    execFileSync(program, ["user", "add", "somebody", "--administrator", "--no-password"], { env }); // or the page asks for one
    execFileSync(program, ["grant", "set", "subject", "read,see-identity", "--everybody"], { env });
  }
  const address = network ? network.there : "127.0.0.1";
  const command = [...(network ? network.inside : []), program, "serve", folder, "--bind", address, "--port", String(port), "--log-level", "error"];
  const { child, found } = await started(command, /(http:\/\/\S+)/, env);
  const listeningAt = Date.now();
  const stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    await ended(child);
  };
  const url = `http://${address}:${new URL(found[1]).port}`;
  return { url, port: Number(new URL(url).port), pid: child.pid, listeningAt, stop };
}

/** Resident memory of a process, MB of 2^20 bytes. */
export const residentMb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

// ---- network

const namespacePorts = { slices: 18080, volume: 18081, floor: 18082 };
export const networkOrigins = Object.values(namespacePorts).map((port) => `http://10.97.0.2:${port}`);

/** A network of its own (stream_link.py), with nora and the floor at its other end; null with a reason where there can be none. */
export async function openNetwork() {
  if (process.getuid() !== 0) return { why: "network namespaces need root" };
  if (!existsSync("/dev/net/tun")) return { why: "there is no /dev/net/tun" };
  const namespace = `nora-stream-${process.pid}`;
  let link;
  try {
    link = await started(["/usr/bin/python3", join(here, "stream_link.py"), namespace], /(\{.*\})\n/);
  } catch (error) {
    return { why: String(error.message) };
  }
  const { child, found } = link;
  const answers = [];
  let text = "";
  child.stdout.on("data", (part) => {
    const lines = (text += part).split("\n");
    text = lines.pop();
    for (const line of lines) answers.shift()?.(JSON.parse(line));
  });
  const tell = (command) => {
    const answer = new Promise((resolve) => answers.push(resolve));
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return answer;
  };
  const close = async () => {
    child.stdin.end();
    await ended(child);
  };
  return { ...JSON.parse(found[1]), inside: ["ip", "netns", "exec", namespace], ports: namespacePorts, tell, close };
}

/** The floor at the other end of a network. */
export async function serveFloor(jpeg, network) {
  const file = join(mkdtempSync(join(tmpdir(), "nora-floor-")), "slice.jpg");
  writeFileSync(file, jpeg);
  const command = [...network.inside, process.execPath, join(here, "page_floor.mjs"), file, network.there, String(network.ports.floor)];
  const { child, found } = await started(command, /(http:\/\/\S+)/);
  const stop = async () => {
    child.kill();
    await ended(child);
    rmSync(dirname(file), { recursive: true });
  };
  return { url: found[1], stop };
}

/** What a network really is: round trip (of a connect, ms) and rate (of 1 MB from the floor, Mbit/s). */
export async function measureNetwork(network) {
  const trips = [];
  for (let i = 0; i < 5; ++i) {
    const start = performance.now();
    await new Promise((resolve, reject) => {
      const socket = connect(network.ports.floor, network.there, () => resolve(socket.destroy())).on("error", reject);
    });
    trips.push(performance.now() - start);
  }
  const start = performance.now();
  const size = (await (await fetch(`http://${network.there}:${network.ports.floor}/bytes`)).arrayBuffer()).byteLength;
  return { roundTripMs: percentile(trips, 50), mbit: (size * 8e-3) / (performance.now() - start) };
}

/** A TCP relay to a port, to cut connections with: {port, cut, close}. */
export async function relay(target) {
  const pairs = new Set();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: target, host: "127.0.0.1", noDelay: true });
    const pair = { near, far };
    pairs.add(pair);
    for (const socket of [near, far]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        near.destroy();
        far.destroy();
        pairs.delete(pair);
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => pairs.forEach(({ near, far }) => [near, far].forEach((socket) => socket.resetAndDestroy()));
  return {
    port: server.address().port, cut,
    close: () => {
      cut();
      server.close();
    },
  };
}

// ---- the page

export const isStill = (page, view) => page.waitForFunction((v) => window.nora.isStill(v), view, { timeout: 120_000, polling: 20 });

/** The page with one view alone in the wanted size (`alone` null: all views as they are), and everything still. */
export async function openView(browser, url, view, alone = true) {
  const page = await browser.newPage({ viewport: { width: 1800, height: 1000 } });
  await page.addInitScript(installTap);
  await page.goto(url);
  await page.waitForFunction((v) => window.nora?.lastPresented(v), view, { timeout: 120_000 });
  if (alone) await page.keyboard.press(view === "3d" ? "4" : "1");
  for (let i = 0; i < 8; ++i) {
    await page.waitForTimeout(500);
    await isStill(page, view);
    const now = await page.evaluate((v) => window.nora.pictures[v], view);
    if (!alone || (now.width === wanted.width && now.height === wanted.height)) return page;
    const size = page.viewportSize();
    await page.setViewportSize({ width: size.width + wanted.width - now.width, height: size.height + wanted.height - now.height });
  }
  throw new Error(`the view ${view} does not get its size`);
}

/** Middle of a view on the page. */
export const middleOf = (page, view) =>
  page.evaluate((v) => {
    const box = document.querySelector(`nora-viewport[data-view='${v}']`).getBoundingClientRect();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  }, view);

/** Everything the tap holds. */
export const tapOf = (page) => page.evaluate(() => ({ inputs: window.streamTap.inputs, frames: window.streamTap.frames, wire: window.streamTap.wire }));

/** Asks for a codec of moving pictures by hand; false where the server or the page has not got it. */
export const prefer = (page, codec) =>
  page.evaluate((wantedCodec) => {
    if (wantedCodec !== "auto" && !window.nora.codecs.includes(wantedCodec)) return false;
    window.nora.prefer(wantedCodec, "auto");
    return true;
  }, codec);

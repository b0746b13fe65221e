// Scenarios of many sessions, of a client that reads nothing, of connections and servers that go away, and of time.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { percentile } from "./page_support.mjs";
import { move } from "./stream_motion.mjs";
import { here, isStill, openView, percentileRows, relay, residentMb, row, serve, sleep, slope } from "./stream_support.mjs";
import { latencies } from "./stream_tap.mjs";

const view = "axial";
const clientsPerSecond = 15;

/** Clients in Python that scroll: {ready, results}. */
function clients(port, count, seconds, more = []) {
  const child = spawn("/usr/bin/python3", [join(here, "stream_clients.py"), port, count, seconds, clientsPerSecond, ...more].map(String), { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  const ready = new Promise((resolve, reject) => {
    child.stdout.on("data", (part) => {
      text += part;
      if (text.includes("ready\n")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`stream_clients.py ended with ${code}`)));
  });
  const results = new Promise((resolve, reject) => {
    child.once("close", (code) => (code === 0 ? resolve(JSON.parse(text.split("ready\n")[1])) : reject(new Error(`stream_clients.py ended with ${code}`))));
  });
  return { ready, results };
}

/** Sessions at once: clients, and one real page among them. */
export async function sessions({ browser, subjects, quick }) {
  const rows = [];
  const seconds = quick ? 4 : 12;
  for (const count of [4, 16]) {
    const server = await serve(subjects.slices.folder);
    const page = await openView(browser, server.url, view);
    const others = clients(server.port, count - 1, seconds + 2);
    await others.ready;
    const moved = await move(page, view, "scroll", { perSecond: clientsPerSecond, seconds });
    const found = await others.results;
    await page.close();
    await server.stop();
    const name = `${count} sessions at ${clientsPerSecond} slices/s, 1280x720`;
    const all = found.flatMap(({ times }) => times);
    const rates = found.map(({ perSecond }) => perSecond).sort((a, b) => a - b);
    const target = count === 4 ? 14.5 : null; // Q19 promises four on two cores
    rows.push(
      row("Q19", `${name}: pictures/s of the slowest client`, rates[0], "1/s", { target, atLeast: true, note: `each: ${rates.map((r) => r.toFixed(1)).join(" ")}` }),
      row("", `${name}: edit to arrival at the clients, p50`, percentile(all, 50), "ms"),
      row("", `${name}: edit to arrival at the clients, p99`, percentile(all, 99), "ms"),
      row("", `${name}: pictures of the page`, moved.perSecond, "1/s"),
      ...percentileRows("", `${name}: input to photon of the page`, moved.times),
    );
  }
  return rows;
}

/** A client that asks and reads nothing, beside four that read: what it costs them and the server. */
export async function stalled({ subjects, quick }) {
  const server = await serve(subjects.slices.folder);
  const seconds = quick ? 4 : 12;
  const times = { without: [], with: [] };
  const memory = { without: [], with: [] };
  for (let round = 0; round < (quick ? 2 : 4); ++round) {
    const kind = round % 2 === 0 ? "without" : "with"; // in turn: other work on the machine hits both
    const run = clients(server.port, 4, seconds, kind === "with" ? ["--stall"] : []);
    await run.ready;
    const idle = setInterval(() => memory[kind].push(residentMb(server.pid)), 200);
    times[kind].push(...(await run.results).flatMap((found) => found.times));
    clearInterval(idle);
  }
  await server.stop();
  const p99 = { without: percentile(times.without, 99), with: percentile(times.with, 99) };
  const name = "one stalled client beside four at 15 slices/s";
  return [
    row("Q18", `${name}: their p99, edit to arrival, with it over without`, p99.with / p99.without, "", { target: 1.1, note: `${p99.without.toFixed(1)} and ${p99.with.toFixed(1)} ms` }),
    row("Q18", `${name}: memory of the server, with it less without`, Math.max(...memory.with) - Math.max(...memory.without), "MB", { target: 8 }),
  ];
}

/** First picture that was received after `since` (ms of Date.now()); ms from there to its photon. */
async function firstAfter(page, since, timeout = 60_000) {
  const handle = await page.waitForFunction((at) => {
    const from = at - performance.timeOrigin;
    const frame = window.streamTap.frames.find((f) => f.tReceive > from);
    return frame ? { ms: frame.photon - from } : false;
  }, since, { timeout, polling: 20 });
  return (await handle.jsonValue()).ms;
}

const sceneOf = (page) => page.evaluate(() => JSON.stringify(window.nora.scene));

/** The connection is reset under the page. */
export async function reconnect({ browser, subjects, quick }) {
  const server = await serve(subjects.slices.folder);
  const between = await relay(server.port);
  const page = await openView(browser, `http://127.0.0.1:${between.port}`, view);
  const times = [];
  let kept = 0;
  const rounds = quick ? 3 : 10;
  for (let i = 0; i < rounds; ++i) {
    await page.keyboard.press("PageUp");
    await isStill(page, view);
    await sleep(6000 * (i > 0)); // a connection that has lived for so long is a good one
    const before = await sceneOf(page);
    await page.evaluate(() => window.streamTap.clear());
    const at = Date.now();
    between.cut();
    times.push(await firstAfter(page, at));
    await isStill(page, view);
    kept += (await sceneOf(page)) === before ? 1 : 0;
  }
  await page.close();
  between.close();
  await server.stop();
  return [
    row("Q20", "connection reset to the first picture, p50", percentile(times, 50), "ms", { target: 500 }),
    row("Q20", "connection reset to the first picture, longest", Math.max(...times), "ms", { target: 500 }),
    row("Q20", "connection reset: scenes lost", rounds - kept, "", { target: 0, note: `of ${rounds}` }),
  ];
}

/** The server ends and comes back two seconds later on the same port. */
export async function restart({ browser, subjects }) {
  let server = await serve(subjects.slices.folder);
  const page = await openView(browser, server.url, view);
  await page.keyboard.press("PageUp");
  await isStill(page, view);
  const before = await sceneOf(page);
  await page.evaluate(() => window.streamTap.clear());
  const { port } = server;
  await server.stop("SIGKILL");
  await sleep(2000);
  server = await serve(subjects.slices.folder, { port });
  const ms = await firstAfter(page, server.listeningAt, 120_000);
  await isStill(page, view);
  const same = (await sceneOf(page)) === before;
  await page.close();
  await server.stop();
  return [
    row("Q20", "server killed, back after 2 s: listening to the first picture", ms, "ms", { note: "the image is read again" }),
    row("Q20", "server killed: scenes lost", same ? 0 : 1, "", { target: 0 }),
  ];
}

/** Scrolling for long: memory and latency must not creep. */
export async function soak({ browser, subjects, soakMinutes }) {
  const server = await serve(subjects.slices.folder);
  const page = await openView(browser, server.url, view);
  const start = Date.now();
  const memory = [];
  const minutes = () => (Date.now() - start) / 60_000;
  const sampling = setInterval(() => memory.push([minutes(), residentMb(server.pid)]), 2000);
  const p50 = [];
  while (minutes() < soakMinutes) {
    const moved = await move(page, view, "scroll", { perSecond: 15, seconds: Math.min(20, soakMinutes * 10) });
    p50.push(percentile(latencies(moved, [view]).times, 50));
    await page.evaluate(() => window.streamTap.clear());
    await sleep(1000);
  }
  clearInterval(sampling);
  await page.close();
  await server.stop();
  const settled = memory.slice(Math.floor(memory.length / 5));
  const name = `${soakMinutes} minutes of scrolling`;
  const some = Math.max(1, Math.floor(p50.length / 5));
  const middle = (values) => percentile(values, 50);
  return [
    { ...row("Q20", `${name}: growth of the server's memory`, slope(settled), "MB/min", { target: 0.1, note: `${settled[0][1].toFixed(0)} to ${settled.at(-1)[1].toFixed(0)} MB` }),
      trace: memory.map(([at, mb]) => `${at.toFixed(2)} min, ${mb.toFixed(1)} MB`) },
    row("Q3", `${name}: input to photon p50, last fifth over first`, middle(p50.slice(-some)) / middle(p50.slice(0, some)), "", {
      target: 1.1, note: `${middle(p50.slice(0, some)).toFixed(1)} and ${middle(p50.slice(-some)).toFixed(1)} ms` }),
  ];
}

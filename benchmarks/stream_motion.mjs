// What the hand does in the benchmarks of streaming, and what is read off it: latencies, pictures a second, bytes, and the
// way to the lossless picture afterwards.
import { isStill, middleOf, sleep, tapOf } from "./stream_support.mjs";
import { latencies } from "./stream_tap.mjs";

const warmUp = 10; // inputs of a motion that are not counted
const patienceMs = 30_000;

/** Calls `act(i)` so many times a second, for so long. */
export async function pace(perSecond, seconds, act) {
  const start = performance.now();
  const count = Math.round(perSecond * seconds);
  for (let i = 0; i < count && performance.now() - start < seconds * 1000; ++i) {
    await act(i);
    await sleep(Math.max(0, start + ((i + 1) * 1000) / perSecond - performance.now()));
  }
  return (performance.now() - start) / 1000;
}

const upAndDown = (i, period) => (i % (2 * period) < period ? 1 : -1);

/** Motions that go on by themselves; each returns how long it took, s. */
export const motions = {
  scroll: async (page, { x, y }, { perSecond = 30, seconds }) => {
    await page.mouse.move(x, y);
    return pace(perSecond, seconds, (i) => page.mouse.wheel(0, -120 * upAndDown(i, 40)));
  },
  crosshair: async (page, at, options) => drag(page, at, options, 150, 100),
  rotate: async (page, at, options) => drag(page, at, options, 200, 60),
};

async function drag(page, { x, y }, { perSecond = 60, seconds }, width, height) {
  await page.mouse.move(x, y);
  await page.mouse.down();
  const took = await pace(perSecond, seconds, (i) => page.mouse.move(x + width * Math.sin((i + 1) / 40), y + height * Math.sin((i + 1) / 60)));
  await page.mouse.up();
  return took;
}

/** A motion in a view; photons are of all `shownIn`. Ends when everything stands still. */
export async function move(page, view, motion, options, shownIn = [view]) {
  await isStill(page, view);
  const at = await middleOf(page, view);
  await page.mouse.move(at.x, at.y);
  await page.evaluate(() => window.streamTap.clear());
  const seconds = await motions[motion](page, at, options);
  const wireWhileMoving = (await tapOf(page)).wire;
  for (const name of shownIn) await isStill(page, name);
  await page.waitForTimeout(100); // the animation frame of the last picture
  const tap = await tapOf(page);
  const last = Math.max(...tap.inputs.flatMap(({ times }) => times));
  const moving = tap.frames.filter((f) => f.view === shownIn[0] && f.photon <= last);
  const after = tap.frames.filter((f) => f.view === shownIn[0] && f.photon > last && f.input >= tap.inputs.at(-1).input);
  const full = (f) => f.width >= Math.max(...tap.frames.map((other) => other.width));
  const isSharp = (f) => f.quality !== "moving"; // JPEG 4:4:4 of quality 95, or lossless
  const { times, never } = latencies({ ...tap, inputs: tap.inputs.slice(warmUp) }, shownIn);
  const { pictures } = latencies(tap, shownIn);
  return {
    ...tap, times, never, seconds, moving,
    perSecond: pictures / seconds,
    mbit: (wireWhileMoving.bytes * 8e-6) / seconds,
    sharpMs: after.length > 0 && after.find(isSharp) ? after.find(isSharp).photon - last : null,
    fullMs: after.find(full) ? after.find(full).photon - last : null,
    losslessMs: (after.find((f) => f.quality === "lossless")?.photon ?? NaN) - last,
  };
}

/** Inputs one by one, each after the picture of the one before; ten slices each, farther than what may be sent ahead. */
export async function steps(page, view, kind, count) {
  await isStill(page, view);
  const { x, y } = await middleOf(page, view);
  await page.mouse.move(x, y);
  await page.evaluate(() => window.streamTap.clear());
  for (let i = 0; i < count; ++i) {
    const up = upAndDown(i, 5);
    if (kind === "key") await page.keyboard.press(up > 0 ? "PageUp" : "PageDown");
    else await page.mouse.wheel(0, -1200 * up);
    await page.waitForFunction(([v, n]) => window.streamTap.shown(v, n), [view, i + 1], { timeout: patienceMs, polling: 5 });
    await sleep(10 + ((i * 7) % 23));
  }
  const tap = await tapOf(page);
  return { ...tap, times: latencies({ ...tap, inputs: tap.inputs.slice(warmUp) }, [view]).times };
}

/** The same against the floor. */
export async function floorSteps(browser, url, kind, count) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.goto(url);
  await page.waitForFunction(() => window.ready());
  await page.mouse.move(400, 400);
  for (let i = 0; i < count; ++i) {
    if (kind === "key") await page.keyboard.press("ArrowUp");
    else await page.mouse.wheel(0, 120);
    await page.waitForFunction((n) => window.photons.length >= n, i + 1, { timeout: patienceMs, polling: 5 });
    await sleep(10 + ((i * 7) % 23));
  }
  const times = await page.evaluate(() => window.photons);
  await page.close();
  return times.slice(warmUp);
}

/** What the pacer did: a line a picture, and changes of the level (width of the pictures) per second once it is settled. */
export function pacerTrace({ frames, inputs }, view) {
  const start = inputs[0].times[0] ?? inputs[0].sent;
  const end = inputs.at(-1).sent;
  const moving = frames.filter((f) => f.view === view && f.quality === "moving" && f.photon <= end && f.ahead === 0);
  const lines = moving.map((f) =>
    [((f.photon - start) / 1000).toFixed(2) + " s", `${f.width}x${f.height}`, `codec ${f.codec}`, `q${f.encoderQuality}`, `${(f.bytes / 1024).toFixed(1)} KiB`,
      `${f.bandwidthKbit} kbit/s`, `${Math.round(f.roundTripUs / 1000)} ms`].join(", "));
  const settled = moving.filter((f) => f.photon > start + (end - start) / 3);
  const changes = settled.filter((f, i) => i > 0 && f.width !== settled[i - 1].width).length;
  return { lines, changesPerSecond: settled.length > 1 ? changes / ((settled.at(-1).photon - settled[0].photon) / 1000) : null };
}

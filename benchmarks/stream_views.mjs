// Scenarios of one page on one server: slices and volume by codec on loopback, the same through bad networks, a cut,
// standing still, and stepping onto slices that were sent ahead.
import { floorSteps, move, pace, pacerTrace, steps } from "./stream_motion.mjs";
import { isStill, leftOut, measureNetwork, middleOf, openView, percentileRows, prefer, row, serve, serveFloor, sleep, tapOf } from "./stream_support.mjs";
import { latencies } from "./stream_tap.mjs";

const byHand = ["jpeg", "h264"];
const codecNames = { 1: "JPEG", 2: "PNG", 3: "WebP", 4: "H.264", 5: "HEVC", 6: "AV1" };
const bandwidthTargets = { jpeg: 12, h264: 4 }; // Mbit/s, Q16
const latencyTargets = { jpeg: { id: "Q1", 50: 25, 99: 50 }, h264: { id: "Q2", 50: 22, 99: 45 } };
const views = { slices: "axial", volume: "3d" };

/** Codecs of the moving pictures that came, for a note. */
const codecsOf = ({ frames }) =>
  [...new Set(frames.filter((f) => f.quality === "moving" && f.ahead === 0).map((f) => codecNames[f.codec]))].join("+") || "no moving picture";

async function eachCodec(page, name, measure, codecs = byHand) {
  const rows = [];
  for (const codec of codecs) {
    if (await prefer(page, codec)) rows.push(...(await measure(codec)));
    else rows.push(leftOut("", `${name}, ${codec}`, "the server or the browser has not got the codec"));
  }
  return rows;
}

/** A JPEG as nora sends it, of a full-sized slice. */
export async function sliceJpeg(browser, url) {
  const page = await openView(browser, url, views.slices);
  await prefer(page, "jpeg");
  await page.evaluate(() => (window.streamTap.keepJpeg = true));
  await steps(page, views.slices, "key", 12);
  await isStill(page, views.slices);
  const bytes = await page.evaluate(() => [...(window.streamTap.jpeg ?? [])]);
  await page.close();
  if (bytes.length === 0) throw new Error("no full-sized JPEG came");
  return Buffer.from(bytes);
}

export async function floor({ browser, floorUrl, count, jpeg }) {
  const name = `floor: echo of a ready JPEG of ${Math.round(jpeg.length / 1024)} KiB, 1280x720, loopback`;
  const rows = [];
  for (const kind of ["key", "wheel"]) rows.push(...percentileRows("", `${name}, ${kind}`, await floorSteps(browser, floorUrl, kind, count)));
  return rows;
}

export async function slices({ browser, urls, subjects, count, seconds, floorUrl }) {
  const page = await openView(browser, urls.slices, views.slices);
  const rows = await eachCodec(page, "slices", async (codec) => {
    const what = `${subjects.slices.name}, 1280x720, ${codec}, loopback`;
    const targets = latencyTargets[codec];
    const found = [];
    const floors = {};
    for (const kind of ["key", "wheel"]) {
      floors[kind] = await floorSteps(browser, floorUrl, kind, count); // just before: machines are shared
      await page.bringToFront();
      const { times } = await steps(page, views.slices, kind, count);
      found.push(...percentileRows(targets.id, `input (${kind}) to photon, ten slices a step, ${what}`, times, { targets, floor: floors[kind] }));
    }
    found.push(...movingRows(targets.id, `scrolling, 30 clicks/s, ${what}`, await move(page, views.slices, "scroll", { seconds }), { targets, floor: floors.wheel }));
    return found;
  });
  await page.close();
  return [...rows, ...(await crosshair(browser, urls.slices, subjects.slices.name, seconds))];
}

/** Dragging the crosshair over the axial view redraws the two other slice views. */
async function crosshair(browser, url, name, seconds) {
  const page = await openView(browser, url, views.slices, false);
  await prefer(page, "jpeg");
  const moved = await move(page, "axial", "crosshair", { seconds }, ["coronal", "sagittal"]);
  const { width, height } = await page.evaluate(() => window.nora.pictures.coronal);
  await page.close();
  const what = `dragging the crosshair, 60 moves/s, ${name}, two views of ${width}x${height} and a volume view, jpeg, loopback`;
  return [...percentileRows("Q1", `${what}: input to photon of both`, moved.times), row("", `${what}: pictures of a view`, moved.perSecond, "1/s")];
}

export async function dvr({ browser, urls, subjects, seconds, count, floorUrl }) {
  const page = await openView(browser, urls.volume, views.volume);
  await move(page, views.volume, "rotate", { seconds: 2 }); // what a picture takes is known afterwards
  const rows = await eachCodec(page, "rotating", async (codec) => {
    const floor = await floorSteps(browser, floorUrl, "key", count);
    await page.bringToFront();
    return movingRows("", `rotating, 60 moves/s, ${subjects.volume.name}, 1280x720, ${codec}, loopback`, await move(page, views.volume, "rotate", { seconds }), { floor });
  });
  await page.close();
  return rows;
}

/** Latency, rate, size and refinement of a motion. */
function movingRows(id, name, moved, { targets = {}, floor = null, refinement = true } = {}) {
  const widths = moved.moving.map((f) => f.width).sort((a, b) => a - b);
  const note = `${codecsOf(moved)}; ${moved.never} inputs never shown; width p50 ${widths[widths.length >> 1]}; ${Math.round(moved.wire.aheadBytes / 1024)} KiB ahead`;
  return [
    ...percentileRows(id, `${name}: input to photon`, moved.times, { targets, floor, note }),
    row("", `${name}: pictures`, moved.perSecond, "1/s"),
    row("", `${name}: bandwidth`, moved.mbit, "Mbit/s"),
    row("Q17", `${name}: last input to sharp`, moved.sharpMs, "ms", { target: refinement ? 150 : null }),
    row("Q17", `${name}: last input to lossless`, moved.losslessMs, "ms", { target: refinement ? 400 : null }),
  ];
}

/** At 30 inputs a second, and ten seconds of nothing. */
export async function bandwidth({ browser, urls, subjects, seconds, quick }) {
  const rows = [];
  for (const [kind, motion] of [["slices", "scroll"], ["volume", "rotate"]]) {
    const page = await openView(browser, urls[kind], views[kind]);
    await move(page, views[kind], motion, { perSecond: 30, seconds: 2 });
    rows.push(...(await eachCodec(page, motion, async (codec) => {
      const moved = await move(page, views[kind], motion, { perSecond: 30, seconds });
      const name = `bandwidth at 30 inputs/s, ${motion}, ${subjects[kind].name}, 1280x720, ${codec}`;
      const note = `${moved.perSecond.toFixed(1)} pictures/s, ${codecsOf(moved)}`;
      return [row("Q16", name, moved.mbit, "Mbit/s", { target: bandwidthTargets[codec], note })];
    })));
    rows.push(...(await standing(page, kind, quick ? 3 : 10)));
    await page.close();
  }
  return rows;
}

async function standing(page, kind, seconds) {
  await isStill(page, views[kind]);
  for (let before = -1, now = 0; before !== now; ) {
    before = now; // pictures sent ahead may still come
    await sleep(1000);
    now = (await tapOf(page)).wire.messages;
  }
  await page.evaluate(() => window.streamTap.clear());
  await sleep(seconds * 1000);
  const { wire } = await tapOf(page);
  const name = `${seconds} s of standing still, ${views[kind]} view`;
  return [
    row("Q16", `${name}: pictures`, wire.pictures + wire.aheadPictures, "", { target: 0 }),
    row("", `${name}: bytes`, wire.bytes, "B"),
  ];
}

const networks = [
  { name: "40 ms, 10 Mbit/s", delayMs: 20, mbit: 10, loss: 0, targets: { id: "Q3", 50: 80, 99: 150 } },
  { name: "150 ms, 2 Mbit/s, 1 % loss", delayMs: 75, mbit: 2, loss: 0.01, targets: { id: "" } },
];
const open = { delayMs: 0, mbit: 0, loss: 0, up: true };

/** Servers and pages at the other end of the network; `use` gets {pages, names}. */
async function throughNetwork({ browser, network, subjects, jpeg }, kinds, use) {
  await network.tell(open);
  const servers = [await serveFloor(jpeg, network)];
  const pages = {};
  try {
    for (const kind of kinds) {
      servers.push(await serve(subjects[kind].folder, { port: network.ports[kind], network }));
      pages[kind] = await openView(browser, servers.at(-1).url, views[kind]);
    }
    return await use(pages, servers[0].url);
  } finally {
    for (const page of Object.values(pages)) await page.close();
    await network.tell(open);
    for (const server of servers) await server.stop();
  }
}

export async function badNetworks(context) {
  const { browser, network, subjects, seconds, quick } = context;
  if (!network.tell) return [leftOut("Q3", "bad networks", network.why)];
  return throughNetwork(context, ["slices", "volume"], async (pages, floorUrl) => {
    const rows = [];
    for (const profile of networks) {
      await network.tell(open);
      for (const page of Object.values(pages)) await page.bringToFront();
      await network.tell(profile);
      const real = await measureNetwork(network);
      rows.push(row("", `${profile.name}: round trip as measured`, real.roundTripMs, "ms"), row("", `${profile.name}: rate as measured`, real.mbit, "Mbit/s"));
      const floor = await floorSteps(browser, floorUrl, "wheel", quick ? 20 : 60);
      rows.push(...percentileRows("", `${profile.name}: floor, echo of a ready JPEG, wheel`, floor));
      for (const [kind, motion] of [["slices", "scroll"], ["volume", "rotate"]]) {
        await pages[kind].bringToFront();
        await network.tell({ count: true });
        rows.push(...(await eachCodec(pages[kind], `${profile.name}: ${motion}`, (codec) => inNetwork(context, profile, pages[kind], kind, motion, codec, floor), [...byHand, "auto"])));
      }
    }
    return rows;
  });
}

async function inNetwork({ network, subjects, seconds, quick }, profile, page, kind, motion, codec, floor) {
  const rows = [];
  const what = `${subjects[kind].name}, 1280x720, ${codec}`;
  if (kind === "slices") {
    const { times } = await steps(page, views.slices, "wheel", quick ? 20 : 60);
    rows.push(...percentileRows(profile.targets.id, `${profile.name}: input (wheel) to photon, ten slices a step, ${what}`, times, { targets: profile.targets, floor }));
  }
  await network.tell({ count: true });
  const moved = await move(page, views[kind], motion, { perSecond: 30, seconds: 2 * seconds });
  const { toClient } = await network.tell({ count: true });
  const name = `${profile.name}: ${motion}, 30 inputs/s, ${what}`;
  const { lines, changesPerSecond } = pacerTrace(moved, views[kind]);
  const target = profile.targets.id ? { 50: profile.targets[50], 99: profile.targets[99] } : {};
  rows.push(...movingRows(profile.targets.id, name, moved, { targets: target, floor, refinement: false }));
  rows.push(row("", `${name}: lost packets`, toClient.lost + toClient.overflowed, "", { note: `${toClient.packets} passed` }));
  rows.push({ ...row("", `${name}: changes of size once settled`, changesPerSecond, "1/s"), trace: lines });
  return rows;
}

/** The line is down for 3 s while the wheel turns: the first picture after it is back, and whether all clicks counted. */
export async function cut(context) {
  const { network } = context;
  if (!network.tell) return [leftOut("Q20", "a cut of 3 s", network.why)];
  const rows = await throughNetwork(context, ["slices"], async ({ slices: page }) => {
    const { x, y } = await middleOf(page, views.slices);
    await page.mouse.move(x, y);
    const height = () => page.evaluate(() => window.nora.scene.crosshairMm[2]);
    const before = await height();
    await page.mouse.wheel(0, -120);
    await isStill(page, views.slices);
    const step = (await height()) - before;
    await network.tell({ ...networks[0], up: true });
    await page.evaluate(() => window.streamTap.clear());
    let clicks = 0;
    const turning = pace(5, 9, (i) => page.mouse.wheel(0, -120 * (++clicks <= 23 ? 1 : -1)).then(() => i));
    await sleep(2000);
    await network.tell({ up: false });
    await sleep(3000);
    await network.tell({ up: true });
    const upAt = Date.now();
    await turning;
    await isStill(page, views.slices);
    await page.waitForTimeout(100);
    const tap = await tapOf(page);
    const origin = await page.evaluate(() => performance.timeOrigin);
    const first = tap.frames.find((f) => f.tReceive + origin > upAt && f.input > 0);
    const moved = ((await height()) - before) / step - 1;
    const expected = 2 * Math.min(clicks, 23) - clicks;
    return [
      row("Q20", "a cut of 3 s (40 ms, 10 Mbit/s): line is back to the first picture", first ? first.photon + origin - upAt : null, "ms", { target: 500 }),
      row("Q20", "a cut of 3 s: wheel clicks lost", Math.abs(Math.round(expected - moved)), "", { target: 0, note: `${clicks} clicks, 3 s of them without a line` }),
    ];
  });
  return rows;
}

/** One slice at a time, in one direction and back, at the pace of a reader. */
export async function ahead(context) {
  const { network } = context;
  const rows = [];
  const measure = async (page, where) => {
    for (const perSecond of [5, 10]) {
      await prefer(page, "jpeg");
      await isStill(page, views.slices);
      const { x, y } = await middleOf(page, views.slices);
      await page.mouse.move(x, y);
      await page.keyboard.press("ArrowUp"); // the direction is known
      await sleep(3000);
      await page.evaluate(() => window.streamTap.clear());
      await pace(perSecond, context.quick ? 4 : 12, (i) => page.keyboard.press(i % 80 < 40 ? "ArrowUp" : "ArrowDown"));
      await isStill(page, views.slices);
      await page.waitForTimeout(100);
      const tap = await tapOf(page);
      const hits = tap.inputs.filter(({ have }) => have?.[views.slices] !== undefined);
      const name = `slice by slice, ${perSecond}/s, ${where}`;
      rows.push(...percentileRows("S6", `${name}: input to photon`, latencies(tap, [views.slices]).times, { targets: { 50: 1000 / 60 + 8 } }));
      rows.push(row("S6", `${name}: slices that were there already`, (100 * hits.length) / tap.inputs.length, "%", { note: `${tap.wire.aheadPictures} pictures ahead, ${Math.round(tap.wire.aheadBytes / 1024)} KiB` }));
    }
  };
  const page = await openView(context.browser, context.urls.slices, views.slices);
  await measure(page, "loopback");
  await page.close();
  if (!network.tell) return [...rows, leftOut("S6", "slice by slice through a network", network.why)];
  await throughNetwork(context, ["slices"], async ({ slices }) => {
    for (const roundTripMs of [40, 150]) {
      await network.tell({ ...open, delayMs: roundTripMs / 2 });
      await measure(slices, `${roundTripMs} ms`);
    }
  });
  return rows;
}

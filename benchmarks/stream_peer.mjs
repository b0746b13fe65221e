// Beside nora, in the same run and by the same keys: vtkWebApplication, which draws and encodes for ParaViewWeb and trame,
// behind the page of the floor. ParaViewWeb itself needs wslink, which Debian has not got; it would come on top.
// Debian's python3-paraview holds that class, and cannot be installed beside python3-vtk9:
//   apt-get install xvfb; apt-get download paraview python3-paraview; dpkg -x each FOLDER; NORA_BENCH_PARAVIEW=FOLDER
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { startFloor } from "./page_floor.mjs";
import { percentile } from "./page_support.mjs";
import { floorSteps, move, steps } from "./stream_motion.mjs";
import { here, leftOut, openView, prefer, row } from "./stream_support.mjs";

const headBytes = 12;
const unpacked = process.env.NORA_BENCH_PARAVIEW;
const environment = unpacked
  ? { ...process.env, LD_LIBRARY_PATH: join(unpacked, "usr/lib/x86_64-linux-gnu"), PYTHONPATH: join(unpacked, "usr/lib/python3/dist-packages") }
  : process.env;

function whyNot(image) {
  if (!image) return "it reads NIfTI alone, and the image for slices is none";
  if (!existsSync("/usr/bin/xvfb-run")) return "there is no xvfb-run";
  try {
    execFileSync("/usr/bin/python3", ["-c", "import nibabel, vtkmodules.vtkWebCore"], { env: environment, stdio: "ignore" });
  } catch {
    return "Debian's python3-vtk9 is built without vtkWebCore; unpack python3-paraview and name the folder in NORA_BENCH_PARAVIEW";
  }
  return "";
}

/** Pictures of stream_peer.py, one at a time: {picture, took, stop}; `took`: ms of drawing and encoding. */
function startPeer(image, mode) {
  const child = spawn("xvfb-run", ["-a", "-s", "-screen 0 1280x720x24", "/usr/bin/python3", join(here, "stream_peer.py"), image, mode], {
    env: environment, stdio: ["pipe", "pipe", "ignore"],
  });
  const took = [];
  let bytes = Buffer.alloc(0);
  let arrived = null;
  child.stdout.on("data", (part) => {
    bytes = Buffer.concat([bytes, part]);
    if (bytes.length < headBytes || bytes.length < headBytes + bytes.readUInt32LE(0)) return;
    const end = headBytes + bytes.readUInt32LE(0);
    took.push(bytes.readDoubleLE(4));
    const picture = bytes.subarray(headBytes, end);
    bytes = bytes.subarray(end);
    arrived?.resolve(picture);
  });
  child.once("exit", (code) => arrived?.reject(new Error(`stream_peer.py ended with ${code}`)));
  const picture = () =>
    new Promise((resolve, reject) => {
      arrived = { resolve, reject };
      child.stdin.write("x");
    });
  return { picture, took, stop: () => child.stdin.end() };
}

async function measurePeer(browser, image, mode, count) {
  const peer = startPeer(image, mode);
  await peer.picture(); // the first one takes longer
  const { server, url } = await startFloor(peer.picture);
  const times = await floorSteps(browser, url, "key", count);
  server.close();
  server.closeAllConnections();
  peer.stop();
  return { times, took: peer.took.slice(1) };
}

const serverMs = (frames) => frames.filter((f) => f.quality === "moving" && f.ahead === 0).map((f) => (f.renderUs + f.encodeUs) / 1000);

export async function peer({ browser, urls, subjects, count, seconds, quick }) {
  const file = readdirSync(subjects.slices.folder).find((name) => /\.nii(\.gz)?$/.test(name));
  const image = file && join(subjects.slices.folder, file);
  const why = whyNot(image);
  if (why) return [leftOut("", "vtkWebApplication beside nora", why)];
  const page = await openView(browser, urls.slices, "axial");
  await prefer(page, "jpeg");
  const ours = await steps(page, "axial", "key", count);
  await page.close();
  const theirs = await measurePeer(browser, image, "slice", count);
  const volumePage = await openView(browser, urls.slices, "3d");
  await prefer(volumePage, "jpeg");
  await move(volumePage, "3d", "rotate", { seconds: 1 });
  const ourVolume = await move(volumePage, "3d", "rotate", { seconds, perSecond: 30 });
  await volumePage.close();
  const theirVolume = await measurePeer(browser, image, "volume", quick ? 12 : 30);
  const against = (name, unit, mine, other, note) =>
    [50, 99].map((p) => row("", `${name}, p${p}`, percentile(mine, p), unit, { peer: "vtkWebApplication", peerValue: percentile(other, p), note }));
  const width = ourVolume.moving[ourVolume.moving.length >> 1]?.width;
  return [
    ...against("slice of the T1, 1280x720: drawing and encoding", "ms", serverMs(ours.frames), theirs.took, "theirs draws by OpenGL without a GPU"),
    ...against("slice of the T1, 1280x720: input (key) to photon", "ms", ours.times, theirs.times),
    ...against("volume of the T1, shaded, turning: drawing and encoding", "ms", serverMs(ourVolume.frames), theirVolume.took, `ours ${width} of 1280 pixels wide while it moves, theirs full size`),
    ...against("volume of the T1, shaded, turning: input to photon", "ms", ourVolume.times, theirVolume.times),
  ];
}

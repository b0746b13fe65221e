// Streaming as a viewer sees it: the real page in headless Chromium against a real `nora serve`, on loopback and through
// bad networks. node stream_bench.mjs [--only NAME,...] [--quick] [--soak-minutes N]; prints the rows as JSON.
// A subset by name runs without the others; the floor is measured in every run. A machine with other work is seen in
// `load` (load average of one minute) of each row.
import { launch } from "./page_support.mjs";
import { startFloor } from "./page_floor.mjs";
import { reconnect, restart, sessions, soak, stalled } from "./stream_loads.mjs";
import { peer } from "./stream_peer.mjs";
import { leftOut, makeSubjects, networkOrigins, openNetwork, serve } from "./stream_support.mjs";
import { ahead, badNetworks, bandwidth, cut, dvr, floor, sliceJpeg, slices } from "./stream_views.mjs";
import { parseArgs } from "node:util";

const scenarios = { floor, slices, dvr, bandwidth, networks: badNetworks, cut, ahead, sessions, stalled, reconnect, restart, peer, soak };
const { values: options } = parseArgs({
  options: { only: { type: "string" }, quick: { type: "boolean", default: false }, "soak-minutes": { type: "string" } },
});
const names = options.only?.split(",") ?? Object.keys(scenarios);
const unknown = names.find((name) => !(name in scenarios));
if (unknown) {
  console.error(`no scenario ${unknown}; there are ${Object.keys(scenarios).join(", ")}`);
  process.exit(2);
}
const needsNetwork = names.some((name) => ["networks", "cut", "ahead"].includes(name));

const subjects = makeSubjects();
const network = needsNetwork ? await openNetwork() : { why: "not asked for" };
// Browsers decode video only on pages of this machine or of https: here the other end of the network is one of ours.
const browser = await launch([`--unsafely-treat-insecure-origin-as-secure=${networkOrigins.join(",")}`]);
const servers = { slices: await serve(subjects.slices.folder), volume: await serve(subjects.volume.folder) };
const rows = [];
try {
  const jpeg = await sliceJpeg(browser, servers.slices.url);
  const { server: floorServer, url: floorUrl } = await startFloor(jpeg);
  const context = {
    browser, network, subjects, jpeg, floorUrl, quick: options.quick,
    urls: { slices: servers.slices.url, volume: servers.volume.url },
    count: options.quick ? 40 : 200, seconds: options.quick ? 3 : 8,
    soakMinutes: Number(options["soak-minutes"] ?? (options.quick ? 0.5 : 10)),
  };
  for (const name of ["floor", ...names.filter((other) => other !== "floor")]) {
    process.stderr.write(`stream: ${name} ...\n`);
    try {
      rows.push(...(await scenarios[name](context)).map((found) => ({ scenario: name, ...found })));
    } catch (error) {
      rows.push({ scenario: name, ...leftOut("", name, `it failed: ${error.message.split("\n")[0]}`), met: false });
    }
  }
  floorServer.close();
  floorServer.closeAllConnections();
} finally {
  await browser.close();
  for (const server of Object.values(servers)) await server.stop();
  await network.close?.();
  subjects.remove();
}
process.stdout.write(JSON.stringify(rows) + "\n", () => process.exit(0)); // once a pipe has taken it all

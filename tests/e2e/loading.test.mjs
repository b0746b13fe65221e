// Loading: a large series shows its first time point at once, progress is shown, and a load that is stopped really stops.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { assertNoComplaints, openEntry, openPage, picture, pixels, scene, start, still, viewport } from "./support.mjs";

const makeLarge = join(dirname(fileURLToPath(import.meta.url)), "make_large.py");
const here = await start(after, (folder) => {
  execFileSync("/usr/bin/python3", [makeLarge, join(folder, "large")]);
  for (const copy of ["stopped", "escaped"]) { // the server keeps what it has read
    cpSync(join(folder, "large/series.nii.gz"), join(folder, `large/${copy}.nii.gz`));
  }
});

/** Process ids of the server's readers: its children or theirs that run `nora reader`. */
function readers() {
  const found = [];
  for (const task of readdirSync(`/proc/${here.server.pid}/task`)) {
    const children = readFileSync(`/proc/${here.server.pid}/task/${task}/children`, "utf8");
    for (const pid of children.split(" ").filter(Boolean)) {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[1] === "reader") found.push(Number(pid));
    }
  }
  return found;
}

function isAlive(pid) {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const row = (page, name) => page.locator(".row.entry", { hasText: name }).first();
const imageOf = (page, name) => page.evaluate((n) => Object.values(window.nora.images).find((i) => i.name.includes(n)), name);
const waitForImage = (page, name, state, partly) =>
  page.waitForFunction(
    ([n, s, p]) => Object.values(window.nora.images).some((i) => i.name.includes(n) && i.state === s && (i.held !== null) === p),
    [name, state, partly],
  );
const waitForValue = (page, value) =>
  page.waitForFunction((v) => window.nora.values.crosshair?.layers[0]?.value === v, value);
const background = async (page) => (await scene(page)).layers[0].source.path;

test("a time point that does not come keeps the old picture, says so, and comes when asked for again", async () => {
  const page = await openPage(here);
  await row(page, "stopped.nii.gz").click();
  await waitForImage(page, "stopped", "ready", true);
  await waitForValue(page, 200);
  await page.getByRole("button", { name: "Stop loading stopped.nii.gz" }).click();
  await page.locator(".layer .loading", { hasText: "the other times are not loaded" }).waitFor();
  await page.waitForTimeout(500);
  assert.equal(await page.locator(".progress").count(), 0, "progress stays");
  await page.getByRole("button", { name: "Load stopped.nii.gz" }).click();
  await page.getByRole("button", { name: "Stop loading stopped.nii.gz" }).click();
  await page.locator(".layer .loading", { hasText: "the other times are not loaded" }).waitFor();
  await still(page);
  const middle = async () => {
    const { width, height } = await picture(page, "axial");
    return (await pixels(page, "axial", [[width >> 1, height >> 1]]))[0][0];
  };
  const bright = await middle();
  const caption = page.locator("[data-view=axial] .pending");
  const badge = page.locator("[data-view=axial] .quality");
  const pending = (text) => page.waitForFunction((t) => document.querySelector(".pending")?.textContent === t, text);
  await page.locator(".time input[type=range]").fill("99"); // behind all the others in the file
  await pending("shows time 1; loading time 100 …");
  assert.ok(Math.abs((await middle()) - bright) < 8, "the old picture is gone");
  assert.equal((await badge.textContent()).trim(), "not current");
  await viewport(page, "axial").focus();
  await page.keyboard.press("Escape");
  await pending("shows time 1; time 100 is not loaded");
  await page.locator(".time").getByRole("button", { name: "Load" }).waitFor();
  await page.waitForTimeout(300);
  assert.ok(Math.abs((await middle()) - bright) < 8, "the old picture is gone");
  assert.match(await page.locator("tr[data-reading=crosshair] .value").textContent(), /not loaded/);
  await page.locator(".time input[type=range]").fill("1"); // elsewhere
  await waitForValue(page, 210);
  await page.locator(".time input[type=range]").fill("99"); // and back at the one that was stopped
  await waitForValue(page, 230);
  await still(page);
  assert.equal(await caption.textContent(), "");
  assert.equal((await badge.textContent()).trim(), "lossless");
  assertNoComplaints(page);
  await page.close();
});

test("a large series shows a time point while the others are still being loaded", async () => {
  const page = await openPage(here);
  await row(page, "series.nii.gz").click();
  await waitForImage(page, "series", "ready", true);
  assert.deepEqual((await imageOf(page, "series")).held, [0, 1]);
  await waitForValue(page, 200);
  await page.locator(".layer .progress .percent").waitFor();
  assert.match(await page.locator(".layer .progress .percent").textContent(), /^\d+ %$/);
  await page.keyboard.press("]");
  await waitForValue(page, 210);
  await waitForImage(page, "series", "ready", false);
  assert.equal(await page.locator(".layer .progress").count(), 0);
  await still(page);
  const { width, height } = await picture(page, "axial");
  const [[middle]] = await pixels(page, "axial", [[width >> 1, height >> 1]]);
  assert.ok(middle > 240, `the bright voxel in the middle is ${middle}`);
  assertNoComplaints(page);
  await page.close();
});

test("progress is shown over the views, and Esc stops the load", async () => {
  const page = await openPage(here);
  const before = await background(page);
  await row(page, "volume.nii.gz").click();
  await page.waitForFunction(() => document.querySelector(".opening [role=progressbar]")); // looks at every frame
  const percent = Number(await page.locator(".opening [role=progressbar]").getAttribute("aria-valuenow"));
  assert.ok(percent >= 0 && percent <= 100, `${percent} %`);
  const busy = readers();
  await page.keyboard.press("Escape");
  await page.locator(".opening").waitFor({ state: "detached" });
  const died = () => busy.some((pid) => !isAlive(pid));
  for (let tries = 0; tries < 100 && !died(); ++tries) await page.waitForTimeout(20);
  assert.ok(died(), "the reader goes on");
  assert.equal(await background(page), before);
  await openEntry(page, "noise.nii");
  assertNoComplaints(page);
  await page.close();
});

test("Esc stops the loading of the time points that nobody looks at", async () => {
  const page = await openPage(here);
  await row(page, "escaped.nii.gz").click();
  await waitForImage(page, "escaped", "ready", true);
  await page.keyboard.press("f");
  await page.keyboard.press("Escape"); // first gives all views back
  assert.equal((await imageOf(page, "escaped")).restStopped, false);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => Object.values(window.nora.images).some((image) => image.restStopped));
  await page.getByText("the other times are not loaded").waitFor();
  await page.getByRole("button", { name: "Load escaped" }).click();
  await page.waitForFunction(() => Object.values(window.nora.images).every((image) => !image.restStopped));
  assertNoComplaints(page);
  await page.close();
});

test("a reader that hangs is stopped by the button", async () => {
  const page = await openPage(here);
  const stuck = readers();
  for (const pid of stuck) process.kill(pid, "SIGSTOP");
  try {
    await row(page, "volume.nii.gz").click();
    await page.getByRole("button", { name: "Stop loading volume.nii.gz" }).first().click();
    await page.locator(".opening").waitFor({ state: "detached" });
    const died = () => stuck.some((pid) => !isAlive(pid));
    for (let tries = 0; tries < 100 && !died(); ++tries) await page.waitForTimeout(20);
    assert.ok(died(), "the reader hangs on");
  } finally {
    for (const pid of stuck) if (isAlive(pid)) process.kill(pid, "SIGCONT");
  }
  await openEntry(page, "smooth.nii");
  assert.match(await background(page), /smooth\.nii$/);
  assertNoComplaints(page);
  await page.close();
});

test("an overlay that is being loaded can be stopped too", async () => {
  const page = await openPage(here);
  await row(page, "volume.nii.gz").click({ modifiers: ["Shift"] });
  await page.waitForFunction(() => document.querySelector(".opening"));
  await page.getByRole("button", { name: "Stop loading volume.nii.gz" }).first().click();
  await page.locator(".opening").waitFor({ state: "detached" });
  assert.equal((await scene(page)).layers.length, 1);
  await page.close();
});

// What is shown is kept and opened again, and shared by a link with people who have no account.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { request } from "node:http";
import test, { after } from "node:test";
import { openOn, picture, startBrowser } from "./page_support.mjs";
import { environmentOf, makeData, program, serve, still } from "./support.mjs";

const folder = makeData();
const nora = (...words) => execFileSync(program, words, { env: environmentOf(folder), input: "a long pass phrase\n", encoding: "utf8" });
nora("user", "add", "anna", "--password-file", "-", "--administrator");
const server = await serve(folder, 0, ["--login", "always"]);
const browser = await startBrowser(after);
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
const page = await openOn(browser, server.url);
await page.getByLabel("Name").fill("anna");
await page.getByLabel("Password").fill("a long pass phrase");
await page.getByRole("button", { name: "Log in", exact: true }).click();
await page.locator(".row.entry", { hasText: "sub-01_T1w" }).first().waitFor();
const dialog = page.getByRole("dialog", { name: "Saved views" });
const openDialog = async () => {
  await page.getByRole("button", { name: "Saved", exact: true }).click();
  await dialog.waitFor();
};
const close = () => dialog.getByRole("button", { name: "Close" }).click();
const crosshair = (at) => at.evaluate(() => window.nora.scene.crosshairMm);
const paths = (at) => at.evaluate(() => window.nora.scene.layers.map((layer) => layer.source.path));
/** The views as they are drawn, by the hash of their pictures. */
const drawn = (at) => at.evaluate(() => Object.values(window.nora.pictures).length);
let link = "";

test("what is shown is kept under a name, and comes back as it was", async () => {
  await still(page);
  await page.locator("nora-viewport[data-view=axial]").click({ position: { x: 90, y: 120 } });
  await still(page);
  const before = { at: await crosshair(page), paths: await paths(page) };
  await openDialog();
  await dialog.getByText("Nothing is kept yet").waitFor();
  await dialog.getByLabel("Keep what is shown as").fill("my view <b>");
  await dialog.getByRole("button", { name: "Keep", exact: true }).click();
  await dialog.getByRole("button", { name: "my view <b>", exact: true }).waitFor();
  await close();
  await page.locator(".row.entry", { hasText: "smooth.nii" }).first().click();
  await still(page);
  assert.notDeepEqual(await paths(page), before.paths);
  await openDialog();
  await dialog.getByRole("button", { name: "my view <b>", exact: true }).click();
  await page.waitForFunction((wanted) => window.nora.scene.layers[0]?.source.path === wanted, before.paths[0]);
  await still(page);
  assert.deepEqual({ at: await crosshair(page), paths: await paths(page) }, before);
  assert.equal(await drawn(page), 4);
});

test("a link shows the same to somebody without an account, and nothing else", async () => {
  await openDialog();
  await dialog.getByRole("button", { name: "Make a link" }).click();
  link = await dialog.getByLabel("Link", { exact: true }).inputValue();
  await picture(page, "saved-dialog");
  await close();
  const guest = await openOn(browser, link);
  await guest.getByText("by a link").waitFor();
  await still(guest);
  assert.deepEqual(await crosshair(guest), await crosshair(page));
  assert.deepEqual(await paths(guest), await paths(page));
  await picture(guest, "shared-view");
  await guest.locator(".row.entry", { hasText: "smooth.nii" }).first().click({ button: "right" });
  assert.ok(await guest.getByRole("menuitem", { name: /Download/ }).isDisabled());
  assert.ok(await guest.getByRole("menuitem", { name: /Tags/ }).isDisabled());
  assert.deepEqual(guest.complaints, []);
  await guest.context().close();
});

test("where names are hidden the link tells none of them", async () => {
  nora("project", "list");
  const api = (path, init) => page.evaluate(async ([p, i]) => {
    const { csrf } = await (await fetch("api/v1/me")).json();
    return (await fetch(`api/v1/${p}`, { ...i, headers: { "Content-Type": "application/json", "X-Nora-Csrf": csrf } })).status;
  }, [path, init]);
  assert.equal(await api("projects/1", { method: "PATCH", body: JSON.stringify({ hideIdentity: true }) }), 200);
  const told = [];
  const guest = await openOn(browser, "about:blank");
  guest.on("response", async (response) => told.push(await response.text().catch(() => "")));
  guest.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => told.push(String(payload))));
  await guest.goto(link);
  await still(guest);
  assert.match((await paths(guest))[0], /^\[\d+\] /);
  assert.deepEqual(await crosshair(guest), await crosshair(page));
  const words = told.join("\n");
  assert.ok(words.length > 10_000);
  assert.ok(!words.includes("sub-01"), words.slice(Math.max(0, words.indexOf("sub-01") - 200), words.indexOf("sub-01") + 100));
  await guest.context().close();
});

test("a link that was taken back opens nothing, and ends what it showed", async () => {
  const guest = await openOn(browser, link);
  await still(guest);
  await openDialog();
  await dialog.getByRole("button", { name: "Take back" }).click();
  await dialog.getByRole("button", { name: "Take back" }).waitFor({ state: "detached" });
  await guest.getByText("There is no connection", { exact: false }).or(guest.getByText("Log in")).or(guest.getByText("link")).first().waitFor();
  const secret = new URL(link).searchParams.get("share");
  const status = await new Promise((resolve) => request(`${server.url}/api/v1/files?share=${secret}`, (answer) => resolve(answer.statusCode)).end());
  assert.equal(status, 403);
  await guest.context().close();
  await close();
  assert.deepEqual(page.complaints, []);
});

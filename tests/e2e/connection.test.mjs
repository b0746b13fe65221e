// The connection: what the page says when it ends, what is frozen while it is away, and the rest of a hidden page.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { assertNoComplaints, openEntry, openPage, scene, serve, start, still, viewport, views } from "./support.mjs";

const here = await start(after);
const badge = (page, view) => viewport(page, view).locator(".quality").textContent().then((text) => text.trim());
const readOut = (page) => page.locator(".readout").textContent();

/** The page's sockets, to be closed by the test; `refuse` says whether one is closed before the server has spoken. */
function tap(refuse = () => null) {
  const sockets = [];
  const prepare = (page) => page.routeWebSocket(/stream/, (socket) => {
    const end = refuse();
    if (end) return void socket.close(end);
    socket.connectToServer();
    sockets.push(socket);
  });
  return { sockets, prepare };
}

test("a close says its reason, or what its code means", async () => {
  let away = null;
  const { sockets, prepare } = tap(() => away);
  const page = await openPage(here, { prepare });
  const ends = [
    [{ code: 1008, reason: "input: input ids must increase" }, /input ids must increase/],
    [{ code: 1001 }, /the server has ended/],
    [{ code: 1011 }, /the server has failed/],
    [{ code: 1013 }, /too many viewers/],
    [{ code: 3000 }, /connection lost/],
  ];
  for (const [end, text] of ends) {
    away = { code: 1012 };
    await sockets.at(-1).close(end);
    await page.locator(".banner", { hasText: text }).waitFor();
    away = null;
    await page.getByRole("button", { name: "Retry now" }).click();
    await page.locator(".banner").waitFor({ state: "detached" });
    await still(page);
  }
  await page.close();
});

test("a page that is one too many says so until there is room", async () => {
  let full = { code: 1013, reason: "too many viewers are connected; try again later" };
  const { prepare } = tap(() => full);
  const page = await here.browser.newPage();
  await prepare(page);
  await page.goto(here.server.url);
  await page.locator(".banner", { hasText: "too many viewers are connected; try again later" }).waitFor();
  assert.equal(await page.locator(".connection").getAttribute("class"), "connection waiting");
  full = null;
  await page.getByRole("button", { name: "Retry now" }).click();
  await page.locator(".banner").waitFor({ state: "detached" });
  await still(page);
  await page.close();
});

test("without a server the page shows what it has, says so, and stands still", async () => {
  const server = await serve(here.folder);
  const page = await openPage({ browser: here.browser, server });
  await openEntry(page, "noise.nii");
  const box = await viewport(page, "axial").boundingBox();
  await page.mouse.move(box.x + 100, box.y + 100);
  const before = await scene(page);
  const caption = await viewport(page, "axial").locator(".position").textContent();
  await server.stop();
  await page.locator(".banner").waitFor();
  for (const view of views) assert.equal(await badge(page, view), "not connected");
  const values = await readOut(page);
  await page.mouse.wheel(0, -300);
  await page.mouse.click(box.x + 150, box.y + 60);
  await page.locator("input[id^=opacity]").fill("0.3");
  await page.waitForTimeout(150);
  assert.deepEqual(await scene(page), before);
  assert.equal(await page.locator("input[id^=opacity]").inputValue(), "1");
  assert.equal(await viewport(page, "axial").locator(".position").textContent(), caption);
  assert.equal(await readOut(page), values);
  assert.match(await page.locator(".readout").getAttribute("class"), /lost/);
  const again = await serve(here.folder, server.port);
  try {
    await page.locator(".banner").waitFor({ state: "detached" });
    await still(page);
    for (const view of views) assert.equal(await badge(page, view), "lossless");
    await page.mouse.wheel(0, -100);
    await still(page);
    assert.notDeepEqual((await scene(page)).crosshairMm, before.crosshairMm);
  } finally {
    await page.close();
    await again.stop();
  }
});

test("a hidden page asks for no pictures, and for all of them when it is seen again", async () => {
  const page = await openPage(here);
  const hide = (hidden) => page.evaluate((h) => {
    Object.defineProperty(document, "hidden", { get: () => h, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  const frames = () => page.evaluate(() => window.nora.trace.length);
  await hide(true);
  await page.waitForTimeout(100);
  const before = await frames();
  await page.keyboard.press("n"); // every slice would be another
  await page.waitForTimeout(500);
  assert.equal(await frames(), before);
  await hide(false);
  await still(page);
  assert.ok((await frames()) > before);
  const { convention } = await scene(page);
  assert.equal(convention, "neurological");
  assertNoComplaints(page);
  await page.close();
});

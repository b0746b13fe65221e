// What survives: a reload, a line that is cut or goes dead without a word, another window with the same session, sleep.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { openEntry, openPage, scene, start, still, viewport, views } from "./support.mjs";

const here = await start(after);
const token = (page) => page.evaluate(() => sessionStorage.getItem("nora.session"));
const badge = (page, view) => viewport(page, view).locator(".quality").textContent().then((text) => text.trim());
const connection = (page) => page.locator(".connection").getAttribute("class");

/** Changes the scene so that it is none that a page starts with. */
async function change(page) {
  await openEntry(page, "noise.nii");
  const box = await viewport(page, "axial").boundingBox();
  await page.mouse.click(box.x + 100, box.y + 80);
  await page.mouse.wheel(0, -300);
  await page.locator("input[id^=opacity]").fill("0.6");
  await still(page);
}

/** The way between page and server, which can stop to carry anything without either hearing of it. */
function line() {
  const state = { isDead: false, sockets: 0 };
  const prepare = (page) => page.routeWebSocket(/stream/, async (socket) => {
    ++state.sockets;
    while (state.isDead) await new Promise((resolve) => setTimeout(resolve, 50)); // a new one is tried until it comes through
    const server = socket.connectToServer();
    let wasCut = false; // what was lost of a connection is lost: it never works again
    const carry = (to) => (message) => {
      wasCut ||= state.isDead;
      if (!wasCut) to.send(message);
    };
    socket.onMessage(carry(server));
    server.onMessage(carry(socket));
  });
  return { state, prepare };
}

test("a page that is loaded again goes on with its session and scene", async () => {
  const page = await openPage(here);
  await change(page);
  const [before, session] = [await scene(page), await token(page)];
  assert.match(session, /^[0-9a-f]{32}$/);
  await page.reload();
  await still(page);
  assert.deepEqual(await scene(page), before);
  assert.equal(await token(page), session);
  await page.mouse.wheel(0, -100);
  await still(page);
  await page.close();
});

test("a line that goes dead without a word is noticed, and all goes on where it was", async () => {
  const { state, prepare } = line();
  const page = await openPage(here, { prepare });
  await change(page);
  const [before, session] = [await scene(page), await token(page)];
  state.isDead = true;
  await page.locator(".banner").waitFor({ timeout: 20_000 });
  assert.match(await page.locator(".banner").textContent(), /does not answer/);
  assert.equal(await connection(page) === "connection open", false);
  state.isDead = false;
  await page.locator(".banner").waitFor({ state: "detached", timeout: 20_000 });
  await still(page);
  assert.deepEqual(await scene(page), before);
  assert.equal(await token(page), session);
  assert.ok(state.sockets >= 2);
  for (const view of views) assert.match(await badge(page, view), /lossless|sharp/);
  await page.close();
});

test("what is done while the line is dead is not lost", async () => {
  const { state, prepare } = line();
  const page = await openPage(here, { prepare });
  await change(page);
  const before = await scene(page);
  state.isDead = true;
  await page.keyboard.press("n"); // the page does not know yet
  const done = await scene(page);
  assert.notDeepEqual(done, before);
  await page.locator(".banner").waitFor({ timeout: 20_000 });
  state.isDead = false;
  await page.locator(".banner").waitFor({ state: "detached", timeout: 20_000 });
  await still(page);
  assert.deepEqual(await scene(page), done);
  await page.close();
});

test("a second window with the same session takes it over, and the first says so and goes on with a copy", async () => {
  const context = await here.browser.newContext({ viewport: { width: 1200, height: 760 } });
  const inContext = { browser: context, server: here.server };
  const first = await openPage(inContext, {});
  await change(first);
  const [before, session] = [await scene(first), await token(first)];
  // A duplicated tab has a copy of the storage.
  const second = await context.newPage();
  await second.addInitScript((kept) => sessionStorage.getItem("nora.session") ?? sessionStorage.setItem("nora.session", kept), session);
  await second.goto(here.server.url);
  await still(second);
  assert.deepEqual(await scene(second), before);
  assert.equal(await token(second), session);
  await first.bringToFront();
  await first.locator(".toast", { hasText: "goes on in another" }).waitFor();
  await still(first);
  assert.deepEqual(await scene(first), before);
  assert.notEqual(await token(first), session);
  await first.keyboard.press("n");
  await still(first);
  assert.deepEqual(await scene(second), before, "two sessions now");
  await context.close();
});

test("after a sleep the page asks at once whether the line still holds", async () => {
  const { state, prepare } = line();
  const withClock = async (page) => {
    await prepare(page);
    await page.addInitScript(() => {
      const { now } = Date;
      window.sleptMs = 0;
      Date.now = () => now.call(Date) + window.sleptMs;
    });
  };
  const page = await openPage(here, { prepare: withClock });
  await change(page);
  const before = await scene(page);
  state.isDead = true;
  await page.evaluate(() => (window.sleptMs = 3_600_000));
  const since = Date.now();
  await page.locator(".banner").waitFor({ timeout: 20_000 });
  assert.ok(Date.now() - since < 4_500, "sooner than after the silence that is borne else");
  state.isDead = false;
  await page.locator(".banner").waitFor({ state: "detached", timeout: 20_000 });
  await still(page);
  assert.deepEqual(await scene(page), before);
  await page.close();
});

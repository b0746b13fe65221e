// Log-in, set-up of the first administrator, the user's own account; with accounts in memory.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { fakeApi } from "./fake_api.mjs";
import { openOn, picture, startBrowser } from "./page_support.mjs";

const browser = await startBrowser(after);

async function server(t, options = {}) {
  const fake = await fakeApi({ files: 200, accounts: true, ...options });
  t.after(() => fake.stop());
  return fake;
}

async function logIn(page, name = "ada", password = "analytical") {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
}

const menu = async (page, item) => {
  await page.getByRole("button", { name: /Ada Lovelace|^ben|^root/ }).click();
  await page.getByRole("menuitem", { name: item }).click();
};
const done = async (page) => {
  assert.deepEqual(page.complaints, []);
  await page.context().close();
};

test("nothing of the page is there before the log-in; a wrong password is said; then the archive is there", async (t) => {
  const fake = await server(t);
  const page = await openOn(browser, fake.url);
  await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
  assert.equal(await page.locator("nora-toolbar, nora-archive, nora-viewport").count(), 0);
  await picture(page, "login");
  assert.equal(await page.getByLabel("Name").evaluate((input) => document.activeElement === input), true);
  await logIn(page, "ada", "wrong");
  await page.getByRole("alert").filter({ hasText: "Name or password is wrong." }).waitFor();
  await logIn(page);
  await page.locator(".row", { hasText: "sub-00001" }).first().waitFor();
  assert.equal(fake.hits.some((hit) => hit.includes("analytical")), false, "the password is in no address");
  await menu(page, "Log out");
  await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
  assert.equal(await page.locator("nora-archive").count(), 0);
  await done(page);
});

test("after too many attempts it says how long to wait", async (t) => {
  const fake = await server(t);
  const page = await openOn(browser, fake.url);
  fake.state.failed = 5;
  await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
  await logIn(page);
  await page.getByRole("alert").filter({ hasText: "try again in 42 seconds" }).waitFor();
  await done(page);
});

test("single sign-on is a link to the server, which brings back to where one was", async (t) => {
  const fake = await server(t);
  const page = await openOn(browser, `${fake.url}?project=1#x=y`);
  const link = page.getByRole("link", { name: "Log in with Lab ID" });
  const url = new URL(await link.getAttribute("href"));
  assert.equal(url.origin + url.pathname, `${fake.url}api/v1/login/oidc`);
  assert.deepEqual(Object.fromEntries(url.searchParams), { provider: "lab", return: "?project=1#x=y" });
  await page.getByText("With an account of Lab directory or of this server:").waitFor();
  await done(page);
});

test("a log-in at a provider that came to nothing is told in words, which leave the address", async (t) => {
  const fake = await server(t);
  for (const [word, text] of [["name", "Another account of this server has your name"], ["expired", "more than ten minutes"], ["<b>x", "was not right"]]) {
    const page = await openOn(browser, `${fake.url}?login_failed=${encodeURIComponent(word)}`);
    await page.getByRole("alert").filter({ hasText: text }).waitFor();
    assert.equal(new URL(page.url()).search, "");
    await picture(page, `login-failed-${word.replace(/\W/g, "")}`);
    await done(page);
  }
});

test("the first administrator is made by the link, whose secret leaves the address", async (t) => {
  const fake = await server(t, { setup: "once" });
  const without = await openOn(browser, fake.url);
  await without.getByText("There is no administrator yet.").waitFor();
  await without.context().close();
  const page = await openOn(browser, `${fake.url}?setup=once`);
  await page.getByLabel("Name").fill("root");
  await page.getByLabel("Password", { exact: true }).fill("long enough");
  await page.getByLabel("Password again").fill("something else");
  await page.getByRole("button", { name: "Make the administrator" }).click();
  await page.getByRole("alert").filter({ hasText: "not the same" }).waitFor();
  await picture(page, "setup");
  await page.getByLabel("Password again").fill("long enough");
  await page.getByRole("button", { name: "Make the administrator" }).click();
  await page.getByRole("button", { name: /^root/ }).waitFor();
  assert.equal(new URL(page.url()).search, "");
  await done(page);
});

test("a local user sees no log-in, and is told so", async (t) => {
  const fake = await server(t, { accounts: false });
  const page = await openOn(browser, fake.url);
  await page.getByText("local, no log-in").waitFor();
  assert.equal(await page.getByRole("button", { name: "Log out" }).count(), 0);
  await done(page);
});

test("a log-in that ends elsewhere shows the log-in; the same user goes on, another one starts afresh", async (t) => {
  const fake = await server(t);
  const page = await openOn(browser, fake.url);
  await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
  await logIn(page);
  await page.locator(".row", { hasText: "sub-00001" }).first().waitFor();
  await page.evaluate(() => (window.isSamePage = true));
  fake.endSessions();
  await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
  assert.equal(await page.locator("nora-archive").count(), 0);
  await logIn(page);
  await page.locator(".row", { hasText: "sub-00001" }).first().waitFor();
  assert.equal(await page.evaluate(() => window.isSamePage), true);
  fake.endSessions();
  await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
  await logIn(page, "ben", "engine-room");
  await page.getByRole("button", { name: /^Ben/ }).waitFor();
  assert.equal(await page.evaluate(() => window.isSamePage), undefined);
  assert.equal(await page.locator("nora-user b").count(), 0, "a name is text");
  await done(page);
});

test("password, tokens and sessions are the user's own to change", async (t) => {
  const fake = await server(t);
  const page = await openOn(browser, fake.url);
  await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
  await logIn(page);
  await menu(page, "Change password");
  await page.getByLabel("Old password").fill("wrong");
  await page.getByLabel("New password", { exact: true }).fill("difference engine");
  await page.getByLabel("New password again").fill("difference engine");
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByRole("alert").filter({ hasText: "The old password is wrong." }).waitFor();
  await page.getByLabel("Old password").fill("analytical");
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(fake.state.users[0].password, "difference engine");
  await menu(page, "Access tokens");
  await page.getByLabel("What for").fill("nightly import");
  await page.getByRole("checkbox", { name: "edit" }).check();
  await page.getByRole("button", { name: "Make a token" }).click();
  await page.getByText("nora_secretsecretsecret").waitFor();
  await picture(page, "tokens");
  assert.deepEqual(fake.state.tokens[0].rights, ["read", "edit"]);
  await page.getByRole("button", { name: "Take back nightly import" }).click();
  await page.getByText("There are none.").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await menu(page, "Where I am logged in");
  await page.getByRole("row", { name: /127\.0\.0\.1/ }).waitFor();
  await picture(page, "sessions");
  await page.getByRole("button", { name: "Close" }).click();
  await done(page);
});

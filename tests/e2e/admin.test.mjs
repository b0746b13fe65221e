// The administration: people, projects and rights, audit, storage; for administrators alone.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { fakeApi } from "./fake_api.mjs";
import { openOn, picture, startBrowser } from "./page_support.mjs";

const fake = await fakeApi({ files: 1000, accounts: true });
const browser = await startBrowser(after);
after(() => fake.stop());

async function enter(name, password) {
  const page = await openOn(browser, fake.url);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.locator(".row").first().waitFor();
  return page;
}

const page = await enter("ada", "analytical");
const tab = (name) => page.getByRole("tablist", { name: "Administration" }).getByRole("tab", { name }).click();
const until = async (what, text) => {
  for (let n = 0; n < 200; ++n) {
    if (await what()) return;
    await page.waitForTimeout(20);
  }
  assert.fail(text);
};

test("users are listed as text, added, disabled; what the server refuses is said", async () => {
  await page.getByRole("button", { name: /Ada Lovelace/ }).click();
  await page.getByRole("menuitem", { name: "Administration" }).click();
  await page.getByRole("row", { name: /Ben <b>Bold<\/b>/ }).waitFor();
  await picture(page, "admin-users");
  const form = page.getByRole("form", { name: "New user" });
  const add = async (name) => {
    await form.getByLabel("Name", { exact: true }).fill(name);
    await form.getByLabel("Password").fill("0123456789");
    await form.getByRole("button", { name: "Add user" }).click();
  };
  await add("ben");
  await page.getByRole("alert").filter({ hasText: "there is a user of that name" }).waitFor();
  await add("cleo");
  await page.getByRole("row", { name: /^cleo/ }).waitFor();
  await page.getByLabel("cleo may log in").uncheck();
  await until(() => fake.state.users.find((user) => user.name === "cleo").disabled, "cleo is not disabled");
  page.once("dialog", (asked) => asked.accept());
  await page.getByRole("row", { name: /^cleo/ }).getByRole("button", { name: "Remove" }).click();
  await page.getByRole("row", { name: /^cleo/ }).waitFor({ state: "detached" });
});

test("groups have members; those of a directory are its own", async () => {
  await tab("Groups");
  await page.getByRole("row", { name: /^readers/ }).waitFor();
  assert.equal(await page.getByRole("row", { name: /^lab/ }).getByRole("combobox").count(), 0);
  await page.getByLabel("Add to readers").selectOption("ada");
  await page.getByRole("button", { name: "Take ada out of readers" }).waitFor();
  await picture(page, "admin-groups");
  await page.getByRole("button", { name: "Take ada out of readers" }).click();
  await until(() => fake.state.groups[0].members.join() === "2", "ada is still in");
});

test("rights in a project are boxes, one for each right of each who", async () => {
  await tab("Projects");
  await page.getByRole("button", { name: "Rights" }).click();
  await page.getByLabel("group readers: download").uncheck();
  await until(() => fake.state.grants[0].rights.join() === "read", "the right is still there");
  await page.getByLabel("Who").selectOption("everybody");
  await page.getByRole("button", { name: "May read" }).click();
  await page.getByLabel("everybody: read").waitFor();
  await picture(page, "admin-projects");
  await page.getByLabel("everybody: read").click();
  await page.getByLabel("everybody: read").waitFor({ state: "detached" });
});

test("the audit is filtered, goes on, and can be taken along", async () => {
  await tab("Audit");
  await page.getByRole("table", { name: "Audit" }).waitFor();
  await picture(page, "admin-audit");
  await page.getByRole("button", { name: "Older ones" }).click();
  await until(async () => (await page.locator("tbody tr").count()) === 200, "older ones do not come");
  await page.getByLabel("Action").fill("login");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await until(async () => (await page.locator("tbody tr").count()) === 84, "the filter does nothing");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  assert.equal(download.suggestedFilename(), "audit.csv");
  assert.ok(fake.hits.includes("GET audit.csv?action=login"), fake.hits.at(-1));
});

test("sessions, storage and the health of the index are told", async () => {
  await tab("Sessions");
  await page.getByRole("row", { name: /^ada/ }).waitFor();
  await tab("Storage and health");
  await page.getByText("2 files vanished since the last scan").waitFor();
  await page.getByRole("row", { name: /812 GB.*3[.0]* MB, the index has 2[.0]* MB.*archive-1: 3 added, 2 vanished/ }).waitFor();
  await page.getByText("SQLite 3.46, schema 7").waitFor();
  await page.getByRole("button", { name: "Check the index" }).click();
  await page.getByText("1 tags of items that are not there").waitFor();
  assert.ok(fake.hits.includes("POST server/check"));
  await picture(page, "admin-server");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Administration" }).waitFor({ state: "detached" });
  assert.deepEqual(page.complaints, []);
});

test("who administers nothing does not see it", async () => {
  fake.rights = ["read", "download"];
  const other = await enter("ben", "engine-room");
  await other.getByRole("button", { name: /^Ben/ }).click();
  await other.getByRole("menuitem", { name: "Log out" }).waitFor();
  assert.equal(await other.getByRole("menuitem", { name: "Administration" }).count(), 0);
  await other.keyboard.press("Escape");
  await other.locator(".row").first().click({ button: "right" });
  assert.equal(await other.getByRole("menuitem", { name: "Tags" }).isDisabled(), true, "nor may they tag");
});

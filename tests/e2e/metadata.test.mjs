// The metadata of an item: faults as they are typed, saving, changes of others, history and undo.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { fakeApi } from "./fake_api.mjs";
import { openOn, picture, startBrowser } from "./page_support.mjs";

const fake = await fakeApi({ files: 200 });
const browser = await startBrowser(after);
after(() => fake.stop());
const page = await openOn(browser, fake.url);
const area = page.getByLabel("Metadata as JSON");
const dialog = page.getByRole("dialog");

async function open(name) {
  await page.locator(".row", { hasText: name }).first().click({ button: "right" });
  await page.getByRole("menuitem", { name: "Metadata" }).click();
  await area.waitFor();
}
const metaOf = (level, id) => fake.items.metaOf(level, id).meta;

test("a fault is told with its place while it is typed, and cannot be saved", async () => {
  await open("sub-00001");
  assert.deepEqual(JSON.parse(await area.inputValue()), { age: 21, group: "patient" });
  await area.fill('{\n  "age": 61,\n  "group": patient\n}');
  await page.getByText("line 3, column 12: expected a value").waitFor();
  assert.equal(await page.getByRole("button", { name: "Save", exact: true }).isDisabled(), true);
  await page.getByRole("button", { name: "Go there" }).click();
  assert.equal(await area.evaluate((a) => a.value.slice(a.selectionStart, a.selectionEnd)), "p");
  await picture(page, "meta-fault");
});

test("what is saved is there, and the table shows it", async () => {
  await area.fill('{"age": 61, "group": "patient", "note": "<b>bold</b>"}');
  await page.keyboard.press("Control+s");
  await page.getByText("As it is saved.").waitFor();
  assert.deepEqual(metaOf("subjects", 1), { age: 61, group: "patient", note: "<b>bold</b>" });
});

test("what somebody else changed meanwhile is shown beside one's own, and either can stay", async () => {
  const now = fake.items.metaOf("subjects", 1);
  fake.items.meta.set("subjects/1", { ...now, meta: { ...now.meta, age: 62 }, revision: 999 });
  await area.fill('{"age": 61, "group": "control"}');
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const conflict = page.getByRole("alert", { name: "Changed by somebody else" });
  await conflict.waitFor();
  await conflict.getByText("+ 62").waitFor();
  await conflict.getByText('+ "control"').waitFor();
  await picture(page, "meta-conflict");
  assert.equal(metaOf("subjects", 1).age, 62);
  await conflict.getByRole("button", { name: "Save mine over it" }).click();
  await conflict.waitFor({ state: "detached" });
  assert.deepEqual(metaOf("subjects", 1), { age: 61, group: "control" });
});

test("the history tells who changed what, and a change can be undone", async () => {
  await page.getByRole("tab", { name: "History" }).click();
  await page.locator(".change").first().getByText('+ "control"').waitFor();
  assert.equal(await page.locator(".change").count(), 2);
  await picture(page, "meta-history");
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await page.locator(".change").nth(2).waitFor();
  assert.deepEqual(metaOf("subjects", 1), { age: 62, group: "patient", note: "<b>bold</b>" });
  assert.equal(await page.locator(".meta-diff b").count(), 0, "values are text");
});

test("leaving asks where something is not saved, and gives the table its focus back", async () => {
  await page.getByRole("tab", { name: "Metadata" }).click();
  await area.fill("{}");
  page.once("dialog", (asked) => asked.dismiss());
  await page.keyboard.press("Escape");
  await area.waitFor();
  await page.getByRole("button", { name: "Undo changes" }).click();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(page.complaints, []);
});

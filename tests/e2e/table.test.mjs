// The table of the archive, on a project of a million files in memory.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test, { after } from "node:test";
import { fakeApi } from "./fake_api.mjs";
import { openOn, picture, startBrowser } from "./page_support.mjs";

const files = 1_000_000;
const fake = await fakeApi({ files });
const browser = await startBrowser(after);
after(() => fake.stop());
const page = await openOn(browser, fake.url);

const row = (text) => page.locator(".row", { hasText: text }).first();
const names = () => page.locator(".rows .row .name").evaluateAll((all) => all.map((name) => name.textContent));
const count = () => page.locator(".archive-head .count").textContent();
const until = async (what, text) => {
  for (let n = 0; n < 200; ++n) {
    if (await what()) return;
    await page.waitForTimeout(20);
  }
  assert.fail(text);
};
const search = async (text) => {
  await page.locator("nora-search input[type=search]").fill(text);
  await page.waitForTimeout(250);
  await until(async () => (await page.locator(".rows").getAttribute("aria-busy")) === "false", "the search does not end");
};
const inView = () => page.evaluate(() => {
  const list = document.querySelector(".rows").getBoundingClientRect();
  const rows = [...document.querySelectorAll(".rows .row")];
  return rows.filter((r) => r.getBoundingClientRect().top >= list.top && r.getBoundingClientRect().bottom <= list.bottom + 1).map((r) => Number(r.dataset.at));
});

test("subjects are there at once, and open down to their files; a click opens one in the views", async () => {
  await row("sub-00001").waitFor();
  assert.equal(await count(), "10,000 subjects");
  await row("sub-00002").click();
  await row("ses-2").waitFor();
  await row("ses-2").click();
  await row("sub-00002_ses-2_run-00").waitFor();
  await page.locator('.row.entry:has-text("run-02")').click();
  await page.locator(".opening", { hasText: "sub-00002_ses-2_run-02" }).waitFor();
  await picture(page, "table-narrow");
  await row("sub-00002").click();
  assert.equal((await names()).includes("ses-2"), false);
});

test("a million files: the scroll bar has their length, both ends are reached, few rows exist", async () => {
  await page.getByRole("tab", { name: "Files" }).click();
  await page.getByRole("button", { name: "Table" }).click();
  await until(async () => (await count()) === "1,000,000 files", "the count is not told");
  await row("sub-00001_ses-1_run-00").waitFor();
  await page.locator(".rows").focus();
  await page.keyboard.press("End");
  await row("sub-10000_ses-2_run-49").waitFor();
  assert.equal((await inView()).at(-1), files - 1);
  assert.ok((await page.locator(".rows .row").count()) < 60);
  await picture(page, "table-end");
  await page.locator(".rows").evaluate((list) => (list.scrollTop = list.scrollHeight / 2));
  await until(async () => Math.abs((await inView())[0] - files / 2) < 2000, "the bar does not lead to the middle");
  await until(async () => (await page.locator(".row.coming").count()) === 0, "rows in the middle do not come");
  await page.keyboard.press("Home");
  await row("sub-00001_ses-1_run-00").waitFor();
  assert.equal((await inView())[0], 0);
});

test("a wheel step moves by what it says, wherever it is", async () => {
  await page.locator(".rows").evaluate((list) => (list.scrollTop = list.scrollHeight / 3));
  await page.waitForTimeout(300);
  const from = (await inView())[0];
  await page.mouse.move(500, 400);
  await page.mouse.wheel(0, 280);
  await page.waitForTimeout(300);
  assert.ok(Math.abs((await inView())[0] - from - 10) <= 1, `${from} to ${(await inView())[0]}`);
  await page.keyboard.press("Home");
});

test("rows that are passed over are not fetched", async () => {
  fake.delayMs = 40;
  fake.hits.length = 0;
  await page.locator(".rows").evaluate(async (list) => {
    for (let n = 1; n <= 60; ++n) {
      list.scrollTop = (list.scrollHeight * n) / 80;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
  await until(async () => (await page.locator(".row.coming").count()) === 0, "the rows do not come");
  fake.delayMs = 0;
  const asked = fake.hits.filter((hit) => hit.startsWith("POST files/rows")).length;
  assert.ok(asked < 45, `${asked} requests`);
  await page.locator(".rows").focus();
  await page.keyboard.press("Home");
});

test("a click on a head sorts up, down and as it was", async () => {
  const size = page.locator(".row-head").getByRole("button", { name: "Bytes" });
  await size.click();
  await row("sub-00001_ses-1_run-00").waitFor();
  await size.click();
  await until(() => fake.hits.some((hit) => hit.includes("sort=size&descending=1")), "it is not asked for");
  assert.equal(await page.locator(".row-head [aria-sort=descending]").textContent().then((text) => text.trim().startsWith("Bytes")), true);
  await size.click();
  await page.locator(".row-head [aria-sort=descending]").waitFor({ state: "detached" });
});

test("a search finds, counts, and underlines where it is wrong", async () => {
  await search("size:>10X");
  await page.locator(".search-failure", { hasText: "column 7" }).waitFor();
  assert.equal(await page.locator(".search-mark u").textContent(), "10X");
  assert.equal(await page.locator(".search-mark span").textContent(), "size:>".slice(0, 6));
  await picture(page, "table-fault");
  await search("sub-00123 T1w");
  await until(async () => (await count()) === "13 files", await count());
  await search("no-such-thing");
  await page.locator(".rows .empty", { hasText: "Nothing was found" }).waitFor();
  await search("");
  await until(async () => (await count()) === "1,000,000 files", await count());
});

test("a search in the tree groups what it finds", async () => {
  await page.getByRole("tab", { name: "Subjects" }).click();
  await search("sub-00042_ses-2_run-1");
  await row("sub-00042_ses-2_run-11").waitFor();
  assert.deepEqual((await names()).slice(0, 2), ["sub-00042", "ses-2"]);
  assert.equal(await count(), "10 files");
  await search("");
  await page.getByRole("tab", { name: "Files" }).click();
});

test("searches are saved, found again and forgotten", async () => {
  await search("tag:checked");
  await page.getByRole("button", { name: "Saved searches" }).click();
  await page.getByPlaceholder("Name for this search").fill("<b>looked at</b>");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "<b>looked at</b>", exact: true }).waitFor();
  await picture(page, "table-saved");
  await page.getByRole("button", { name: "Forget" }).click();
  await page.getByRole("button", { name: "Forget" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Saved searches" }).click();
  await search("");
});

test("rows are chosen with shift, ctrl, space and all at once, and get tags", async () => {
  await row("run-02").click();
  await row("run-05").click({ modifiers: ["Shift"] });
  await row("run-09").click({ modifiers: ["Control"] });
  await page.locator(".chosen-bar", { hasText: "5 selected" }).waitFor();
  await page.locator(".chosen-bar").getByRole("button", { name: "Tags" }).click();
  await page.getByRole("dialog", { name: "Tags of 5 rows" }).waitFor();
  await page.getByRole("button", { name: "checked 100000" }).click();
  await page.getByRole("textbox", { name: "Add" }).fill("mine,<i>odd</i>");
  await picture(page, "table-tags");
  await page.getByRole("button", { name: "Apply" }).click();
  await until(() => [3, 4, 5, 6, 10].every((id) => fake.items.tagsOf("files", id).join() === "<i>odd</i>,checked,mine"), "the tags are not set");
  await page.locator('.row:has-text("run-02") .mark', { hasText: "<i>odd</i>" }).waitFor();
  await page.keyboard.press("Control+a");
  await page.locator(".chosen-bar", { hasText: "1,000,000 selected" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".chosen-bar").waitFor({ state: "detached" });
});

test("the keys: down, page, space, typing ahead, the menu of a row", async () => {
  const current = () => page.locator(".row.current").getAttribute("data-at").then(Number);
  await page.keyboard.press("Home");
  assert.equal(await current(), 0);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await page.keyboard.press("Shift+ArrowDown");
  await page.locator(".chosen-bar", { hasText: "2 selected" }).waitFor();
  await page.keyboard.press("PageDown");
  assert.ok((await current()) > 15);
  await page.keyboard.type("sub-05000");
  await until(async () => (await current()) === 499_900, `typing ahead went to ${await current()}`);
  for (let n = 0; n < 4; ++n) await page.keyboard.press("ArrowDown"); // to a T1
  await until(async () => (await current()) === 499_904, `four down went to ${await current()}`);
  await page.keyboard.press("Shift+F10");
  await page.getByRole("menu").waitFor();
  await picture(page, "table-menu");
  assert.deepEqual(await page.getByRole("menuitem").locator("span").allTextContents(), [
    "Open", "Add as overlay", "Metadata …", "Tags …", "Select", "Download", "Copy path", "Show all of this subject",
  ]);
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await page.keyboard.press("Home");
});

test("columns of metadata are chosen, kept, and made wider", async () => {
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("button", { name: "+ scan.tr" }).click();
  await page.getByRole("button", { name: "Modality: take out" }).click();
  await picture(page, "table-columns");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.getByRole("columnheader", { name: "scan.tr" }).waitFor();
  assert.equal(await page.getByRole("columnheader", { name: "Modality" }).count(), 0);
  const head = page.getByRole("columnheader", { name: "Name" });
  const { width, x, y, height } = await head.boundingBox();
  await page.mouse.move(x + width - 4, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width + 96, y + height / 2);
  await page.mouse.up();
  assert.ok(Math.abs((await head.boundingBox()).width - width - 100) <= 2);
  const kept = await page.evaluate(() => localStorage.getItem("nora.columns"));
  assert.match(kept, /meta\.scan\.tr/);
});

test("CSV has the search and the columns", async () => {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  assert.equal(download.suggestedFilename(), "files.csv");
  assert.match(readFileSync(await download.path(), "utf8"), /^name\r\nsub-00001/);
  assert.ok(fake.hits.some((hit) => hit.startsWith("GET files.csv") && hit.includes("columns=name,subject")), fake.hits.at(-1));
});

test("what changes on the server is shown without a jump", async () => {
  await page.locator(".rows").focus();
  await page.locator(".rows").evaluate((list) => (list.scrollTop = list.scrollHeight / 2));
  await page.waitForTimeout(400);
  await until(async () => (await page.locator(".row.coming").count()) === 0, "the rows do not come");
  const line = page.locator(`.row[data-at="${(await inView())[3]}"]`);
  const name = await line.locator(".name").textContent();
  const top = (await line.boundingBox()).y;
  for (let id = 1; id <= 50; ++id) fake.items.gone.add(`files/${id}`);
  const id = Number(await line.getAttribute("data-entry"));
  fake.items.tags.set(`files/${id}`, ["brand-new"]);
  fake.changed();
  await page.locator(".mark", { hasText: "brand-new" }).waitFor();
  await until(async () => (await count()) === "999,950 files", await count());
  await until(async () => Math.abs((await row(name).boundingBox()).y - top) < 2, "the row has moved");
});

test("problems are a list with reasons; Esc and T go between table and views", async () => {
  await page.keyboard.press("Escape");
  await page.locator("nora-archive:not(.wide)").waitFor();
  await page.getByRole("button", { name: /^Problems/ }).click();
  await page.locator(".row .reason", { hasText: "the header says" }).first().waitFor();
  await picture(page, "table-problems");
  await page.getByRole("button", { name: "All", exact: true }).click();
});

test("a tablet shows the table over everything, and nothing is wider than the page", async () => {
  await page.setViewportSize({ width: 768, height: 1024 });
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("t");
  await page.locator("nora-archive.wide").waitFor();
  const box = await page.locator("nora-archive").boundingBox();
  assert.equal(Math.round(box.width), 768);
  await picture(page, "table-tablet");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 768);
  assert.deepEqual(page.complaints, []);
});

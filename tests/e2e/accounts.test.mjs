// The page on the server itself, with accounts: the first administrator, another user and their rights, metadata.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import { openOn, picture, startBrowser } from "./page_support.mjs";
import { makeData, serve, still } from "./support.mjs";

const folder = makeData();
const server = await serve(folder, 0, ["--login", "always"]);
const browser = await startBrowser(after);
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
const anonymous = await openOn(browser, server.url);
const page = await openOn(browser, /http\S+\?setup=\S+/.exec(server.said())[0]);
const users = { root: "a long pass phrase", mia: "another long one" };

async function logIn(at, name) {
  await at.getByLabel("Name").fill(name);
  await at.getByLabel("Password").fill(users[name]);
  await at.getByRole("button", { name: "Log in", exact: true }).click();
}
const api = (at, method, path, body, csrf = true) => at.evaluate(async ([m, p, b, withCsrf]) => {
  const me = await (await fetch("api/v1/me")).json();
  const headers = { "Content-Type": "application/json", ...(withCsrf && me.csrf ? { "X-Nora-Csrf": me.csrf } : {}) };
  const answer = await fetch(`api/v1/${p}`, { method: m, headers, ...(b ? { body: JSON.stringify(b) } : {}) });
  return { status: answer.status, body: await answer.json().catch(() => null) };
}, [method, path, body, csrf]);

test("the printed link makes the administrator, who sees pictures", async () => {
  await anonymous.getByText("There is no administrator yet.").waitFor();
  await page.getByLabel("Name").fill("root");
  await page.getByLabel("Password", { exact: true }).fill(users.root);
  await page.getByLabel("Password again").fill(users.root);
  await page.getByRole("button", { name: "Make the administrator" }).click();
  await page.getByRole("button", { name: /^root/ }).waitFor();
  await page.locator(".row.entry", { hasText: "sub-01_T1w" }).first().waitFor();
  await still(page);
  await picture(page, "real-page");
});

test("a stranger gets neither list nor row nor picture", async () => {
  assert.deepEqual((await api(anonymous, "GET", "projects")).body?.items ?? [], []);
  assert.deepEqual((await api(anonymous, "GET", "files")).body?.items ?? [], []);
  for (const path of ["files/1", "files/1/meta", "files/1/info", "files/1/document"]) {
    const { status } = await api(anonymous, "GET", path);
    assert.ok([401, 404].includes(status), `${path}: ${status}`);
  }
  assert.equal((await api(anonymous, "GET", "users")).status, 401);
});

test("another user is made in the administration, and sees nothing before they get a right", async () => {
  await page.getByRole("button", { name: /^root/ }).click();
  await page.getByRole("menuitem", { name: "Administration" }).click();
  const form = page.getByRole("form", { name: "New user" });
  await form.getByLabel("Name", { exact: true }).fill("mia");
  await form.getByLabel("Full name").fill("Mia Müller");
  await form.getByLabel("Password").fill(users.mia);
  await form.getByRole("button", { name: "Add user" }).click();
  await page.getByRole("row", { name: /^mia/ }).waitFor();
  await picture(page, "real-users");
  await anonymous.reload();
  await logIn(anonymous, "mia");
  await anonymous.getByRole("button", { name: /^Mia Müller/ }).waitFor();
  await anonymous.locator(".rows .empty").waitFor();
  assert.equal((await api(anonymous, "GET", "files/1")).status, 404);
});

test("with the right to read they see pictures, and may change nothing", async () => {
  await page.getByRole("tab", { name: "Projects" }).click();
  await page.getByRole("button", { name: "Rights" }).click();
  await page.getByLabel("Who").selectOption({ label: "mia" });
  await page.getByRole("button", { name: "May read" }).click();
  await page.getByLabel("mia: read").waitFor();
  await picture(page, "real-rights");
  await anonymous.reload();
  await anonymous.locator(".row.entry", { hasText: "sub-01_T1w" }).first().waitFor();
  await still(anonymous);
  await anonymous.locator(".row.entry", { hasText: "sub-01_T1w" }).first().click({ button: "right" });
  assert.equal(await anonymous.getByRole("menuitem", { name: "Tags" }).isDisabled(), true);
  await anonymous.keyboard.press("Escape");
  const id = Number(await anonymous.locator(".row.entry").first().getAttribute("data-entry"));
  assert.equal((await api(anonymous, "POST", "tags", { level: "files", ids: [id], add: ["x"], remove: [] })).status, 403);
  assert.equal((await api(page, "POST", "tags", { level: "files", ids: [id], add: ["x"], remove: [] }, false)).status, 403, "without the csrf header");
});

test("metadata are changed, and the history says by whom", async () => {
  await page.keyboard.press("Escape");
  await page.locator(".row.group", { hasText: "sub-01" }).first().click({ button: "right" });
  await page.getByRole("menuitem", { name: "Metadata" }).click();
  await page.getByLabel("Metadata as JSON").fill('{"age": 61}');
  await page.keyboard.press("Control+s");
  await page.getByText("As it is saved.").waitFor();
  await page.getByRole("tab", { name: "History" }).click();
  await page.locator(".change", { hasText: "root" }).getByText("+ 61").waitFor();
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await page.locator(".change").nth(1).waitFor();
  await page.keyboard.press("Escape");
});

test("a search of the real language finds, and its fault has a place", async () => {
  const input = page.locator("nora-search input[type=search]");
  await input.fill("name:*T1w* dim:3");
  await page.locator(".archive-head .count", { hasText: "1 file" }).waitFor();
  await input.fill("kind:image (size:>10X | tag:a)");
  await page.locator(".search-failure", { hasText: "column 19" }).waitFor();
  assert.equal(await page.locator(".search-mark u").textContent(), "10X | tag:a)");
  await input.fill("");
  assert.deepEqual(page.complaints, []);
});

test("what was found is taken along as CSV, chosen files as a zip, one file as it is", async () => {
  const taken = async (act) => {
    const [download] = await Promise.all([page.waitForEvent("download"), act()]);
    return readFileSync(await download.path());
  };
  await page.getByRole("tab", { name: "Files" }).click();
  await page.getByRole("button", { name: "Table", exact: true }).click();
  const row = (name) => page.locator(".row", { hasText: name }).first();
  await row("noise.nii").click({ button: "right" });
  const file = await taken(() => page.getByRole("menuitem", { name: "Download" }).click());
  assert.ok(file.equals(readFileSync(join(folder, "sub-02/noise.nii"))));
  assert.match((await taken(() => page.getByRole("button", { name: "CSV" }).click())).toString(), /^name,subject[^\n]*\r\n(.*\r\n)*noise\.nii,sub-02/);
  await row("noise.nii").click();
  await row("smooth.nii").click({ modifiers: ["Control"] });
  const zip = await taken(() => page.getByRole("button", { name: "Zip" }).click());
  assert.equal(zip.subarray(0, 2).toString(), "PK");
  for (const name of ["noise.nii", "smooth.nii"]) assert.ok(zip.includes(name), name);
});

test("tags of the whole result are set and found", async () => {
  await page.locator(".rows").focus();
  await page.keyboard.press("Control+a");
  await page.getByRole("button", { name: "Tags …" }).click();
  await page.getByRole("textbox", { name: "Add" }).fill("looked at");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.locator(".mark", { hasText: "looked at" }).first().waitFor();
  const all = await page.locator(".archive-head .count").textContent();
  await page.locator("nora-search input[type=search]").fill('tag:"looked at"');
  await page.waitForFunction(() => document.querySelector(".rows").ariaBusy === "false" && document.querySelectorAll(".rows .row .mark").length > 3);
  assert.equal(await page.locator(".archive-head .count").textContent(), all);
  await page.getByRole("button", { name: "Saved searches" }).click();
  await page.getByPlaceholder("Name for this search").fill("what I saw");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "what I saw", exact: true }).waitFor();
  await page.getByRole("button", { name: "Forget what I saw" }).click();
  await page.getByRole("button", { name: "what I saw", exact: true }).waitFor({ state: "detached" });
  await page.locator("nora-search input[type=search]").fill("");
  await page.getByRole("button", { name: "Views", exact: true }).click();
});

test("taking the right away closes the pictures of who looks at them", async () => {
  await page.getByRole("button", { name: /^root/ }).click();
  await page.getByRole("menuitem", { name: "Administration" }).click();
  await page.getByRole("tab", { name: "Projects" }).click();
  await page.getByRole("button", { name: "Rights" }).click();
  await page.getByLabel("mia: read").click();
  await page.getByLabel("mia: read").waitFor({ state: "detached" });
  await anonymous.waitForFunction(() => Object.keys(window.nora?.pictures ?? {}).length === 0 || document.querySelectorAll(".row.entry").length === 0);
  assert.equal((await api(anonymous, "GET", "files/1")).status, 404);
});

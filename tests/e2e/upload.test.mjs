// Files come into a project through the page: chosen, dropped, cut off in the middle, as a zip, and twice.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { after } from "node:test";
import { openOn, picture, startBrowser } from "./page_support.mjs";
import { environmentOf, makeData, serve, still } from "./support.mjs";

const folder = makeData();
const made = mkdtempSync(join(tmpdir(), "nora-upload-"));
const image = readFileSync(join(folder, execFileSync("find", [folder, "-name", "*T1w*.nii*", "-printf", "%P\n"], { encoding: "utf8" }).split("\n")[0]));
const store = join(dirname(environmentOf(folder).NORA_INDEX), "store");
let server = await serve(folder);
const browser = await startBrowser(after);
after(async () => {
  await server.stop();
  for (const each of [folder, made]) rmSync(each, { recursive: true, force: true });
});
const page = await openOn(browser, server.url, { expected: /Failed to load resource|WebSocket connection/ }); // the server is started again
const dialog = page.getByRole("dialog", { name: "Add files" });
const uploads = page.getByRole("region", { name: "Uploads" });
const openDialog = async () => {
  await page.getByRole("button", { name: "Add files" }).click();
  await dialog.waitFor();
};
const add = () => dialog.getByRole("button", { name: /^Add \d/ }).click();

test("a folder goes into a new project, and its image is seen", async () => {
  mkdirSync(join(made, "brain/.cache"), { recursive: true });
  writeFileSync(join(made, "brain/new_T1w.nii.gz"), image);
  writeFileSync(join(made, "brain/empty.txt"), "");
  writeFileSync(join(made, "brain/.cache/x"), "hidden");
  await openDialog();
  await dialog.getByText("Drop files, folders or zips here").waitFor();
  await dialog.getByLabel("Choose a folder …").setInputFiles(join(made, "brain"));
  await dialog.getByText("1 file,").waitFor();
  await dialog.getByText("Left out: 1 file that systems hide and 1 file without content.").waitFor();
  await dialog.getByLabel("Name of the new project").fill("incoming");
  await dialog.getByLabel("Folder in the project").fill("S1");
  await picture(page, "upload-dialog");
  await add();
  await uploads.getByText("1 file added").waitFor();
  assert.deepEqual(readFileSync(join(store, "incoming/S1/brain/new_T1w.nii.gz")), image);
  await picture(page, "upload-done");
  const row = page.locator(".row", { hasText: "new_T1w" }).first();
  await page.getByRole("tab", { name: "Files" }).click();
  await row.click();
  await still(page);
});

test("what is cut off goes on where it was, and the same once more adds nothing", async () => {
  const bytes = Buffer.alloc(40 << 20, 7);
  writeFileSync(join(made, "large.bin"), bytes);
  const offsets = [];
  let cuts = 2;
  await page.route("**/api/v1/uploads/*", async (route) => {
    const request = route.request();
    if (request.method() !== "PATCH") return route.continue();
    const offset = Number(request.headers()["upload-offset"]);
    offsets.push(offset);
    return offset > 0 && cuts-- > 0 ? route.abort("connectionreset") : route.continue();
  });
  const choose = async () => {
    await openDialog();
    await dialog.getByLabel("Choose files …").setInputFiles(join(made, "large.bin"));
    await add();
  };
  await choose();
  await uploads.getByText("The server does not answer").waitFor();
  await uploads.getByText("1 file added").waitFor({ timeout: 20_000 });
  assert.deepEqual(offsets, [0, 16 << 20, 16 << 20, 16 << 20, 32 << 20]);
  assert.deepEqual(readFileSync(join(store, "incoming/large.bin")), bytes);
  await page.unroute("**/api/v1/uploads/*");
  await choose();
  await uploads.getByText("which were there already").waitFor();
});

test("after a restart of server and page the same file goes on", async () => {
  const bytes = Buffer.alloc(36 << 20, 9);
  writeFileSync(join(made, "later.bin"), bytes);
  const first = await openOn(browser, server.url);
  await first.route("**/api/v1/uploads/*", (route) => (Number(route.request().headers()["upload-offset"] ?? 0) > 0 ? undefined : route.continue()));
  const chooseAt = async (at) => {
    await at.getByRole("button", { name: "Add files" }).click();
    await at.getByLabel("Choose files …").setInputFiles(join(made, "later.bin"));
    await at.getByRole("button", { name: "Add 1 file" }).click();
  };
  await chooseAt(first);
  await first.getByRole("region", { name: "Uploads" }).getByText("17 MB of 38 MB").waitFor();
  const kept = await first.context().storageState();
  const { port } = server;
  await first.context().close();
  await server.stop();
  server = await serve(folder, port);
  const second = await openOn(browser, server.url, { storageState: kept });
  const offsets = [];
  second.on("request", (request) => request.method() === "PATCH" && offsets.push(Number(request.headers()["upload-offset"])));
  await chooseAt(second);
  await second.getByRole("region", { name: "Uploads" }).getByText("1 file added").waitFor();
  assert.deepEqual(offsets, [16 << 20, 32 << 20]);
  assert.equal(statSync(join(store, "incoming/later.bin")).size, bytes.length);
  await second.context().close();
  await page.reload();
});

test("a zip is unpacked; another file of the same name is refused by its name, the rest is stored", async () => {
  mkdirSync(join(made, "S2/T2"), { recursive: true });
  for (const name of ["a.txt", "b.txt"]) writeFileSync(join(made, `S2/T2/${name}`), `text of ${name}`);
  execFileSync("/usr/bin/python3", ["-c", "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], 'w')\nz.write('S2/T2/a.txt'); z.write('S2/T2/b.txt')\nz.close()", "two.zip"], { cwd: made });
  writeFileSync(join(made, "large.bin"), "another one");
  await openDialog();
  await dialog.getByLabel("Choose files …").setInputFiles([join(made, "two.zip"), join(made, "large.bin")]);
  await dialog.getByLabel("unpack zips").waitFor();
  await add();
  await uploads.getByText("1 file could not be added").waitFor();
  await uploads.getByText("large.bin: ").waitFor();
  await picture(page, "upload-failed");
  assert.equal(readFileSync(join(store, "incoming/S2/T2/b.txt"), "utf8"), "text of b.txt");
  assert.ok(!existsSync(join(store, "incoming/two.zip")));
  assert.equal(statSync(join(store, "incoming/large.bin")).size, 40 << 20);
});

test("another project is made for what is added; the page goes on meanwhile", async () => {
  await page.evaluate(() => (window.isTheSame = true));
  await uploads.getByRole("button", { name: "Close" }).click(); // what was added before
  await openDialog();
  await dialog.getByRole("combobox").selectOption("A new project …");
  await dialog.getByLabel("Choose files …").setInputFiles(join(made, "S2/T2/a.txt"));
  await dialog.getByText("1 file,").waitFor();
  await dialog.getByLabel("Name of the new project").fill("second");
  await add();
  await uploads.getByText("1 file added").waitFor();
  assert.equal(readFileSync(join(store, "second/a.txt"), "utf8"), "text of a.txt");
  await page.waitForTimeout(2500); // rights are looked at every second
  assert.ok(await page.evaluate(() => window.isTheSame), "who gains a project goes on");
});

test("a drop anywhere on the page asks where to, and the page stays", async () => {
  await page.reload();
  await page.locator("nora-viewport").first().waitFor();
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
    const view = document.querySelector("nora-viewport");
    const over = new DragEvent("dragover", { dataTransfer: data, bubbles: true, cancelable: true });
    view.dispatchEvent(over);
    if (!over.defaultPrevented) throw new Error("the browser would open the file");
    view.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await dialog.getByText("dropped.txt").waitFor();
  await add();
  await uploads.getByText("1 file added").waitFor();
  assert.equal(readFileSync(join(store, "incoming/dropped.txt"), "utf8"), "dropped");
  assert.deepEqual(page.complaints, []);
});
